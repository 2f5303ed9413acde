"""The attention of vision transformers: rollout, gradient-weighted rollout, LeGrad.

One forward pass with the attention of every block serves all three methods and all findings; the last two
differentiate it once per finding. A head reads some tokens (the class token, or all patches); a map is the
relevance of each patch to those.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from cxrbench.explain.cam import logit_gradient, logit_gradients
from cxrbench.explain.gradient import Draft, draft_of
from cxrbench.explain.parameters import number, option, whole
from cxrbench.explain.passes import Passes
from cxrbench.models.attention import AttentionTrace, last_layers

__all__ = [
    "BlockParameters",
    "LegradParameters",
    "RolloutParameters",
    "attention_rollout",
    "gradient_rollout",
    "legrad",
]


_FUSIONS: Final[Mapping[str, Callable[[Tensor, int], Tensor]]] = {
    "mean": torch.mean,
    "max": torch.amax,
    "min": torch.amin,
}


@dataclass(frozen=True)
class RolloutParameters:
    """Of attention rollout."""

    heads: str = option(
        "mean",
        tuple(_FUSIONS),
        "How the heads of a block become one matrix; the paper takes their mean.",
    )
    discard: float = number(
        0.0,
        0.0,
        0.99,
        "Share of each block's attention weights, the smallest, that is set to zero; the paper keeps all.",
    )


@dataclass(frozen=True)
class BlockParameters:
    """Of methods that may leave out the first blocks."""

    blocks: int = whole(64, 1, 64, "At most so many blocks are read, the last ones.")


@dataclass(frozen=True)
class LegradParameters(BlockParameters):
    """Of LeGrad."""

    tokens: str = option(
        "head",
        ("head", "mean"),
        "What a block's logit is computed from: the tokens that the head reads, or the mean of all tokens.",
    )


def attention_rollout(passes: Passes, parameters: RolloutParameters) -> Iterator[Draft]:
    """Ā_L ··· Ā_1 with Ā_l = (A_l + I) / 2, the rows of the tokens that the head reads.

    A_l is the attention of block l, one matrix for all heads, and the identity stands for the residual
    connection. No logit enters: the map is the same for all findings. Rows of Ā_l are scaled to sum to 1,
    which changes nothing for the mean of the heads.

    Reference: Abnar & Zuidema 2020, arXiv:2005.00928. Other ways to fuse the heads, and discarding small
    weights, are later additions for images.
    """
    trace = passes.attention
    with torch.inference_mode(mode=False), torch.no_grad():
        rows = _read_tokens(trace)
        for weights in reversed(trace.weights):
            attention = _discarded(_fused(weights.detach(), parameters.heads), parameters.discard)
            # (A + I) with rows scaled to 1, multiplied from the left by some of its rows.
            shares = rows / (attention.sum(2) + 1)
            rows = shares + _times(shares, attention)
        maps = trace.as_map(rows)[:, None].repeat(1, len(passes.findings), 1, 1)
    yield draft_of(maps)


def gradient_rollout(passes: Passes, parameters: BlockParameters) -> Iterator[Draft]:
    """R ← R + Ā_l R from R = I, Ā_l = mean over heads of relu(∂y/∂A_l ⊙ A_l); rows of the tokens read.

    The identity is subtracted at the end. For a class token this changes nothing; where the head reads all
    patches, each would count for itself.

    Reference: Chefer et al. 2021, arXiv:2103.15679, equations 5 and 6 (self-attention).
    """
    trace = passes.attention
    with torch.inference_mode(mode=False), torch.no_grad():
        weights = trace.weights[-parameters.blocks :]
        maps = []
        for finding in passes.findings.tolist():
            gradients = logit_gradients(trace.logits, finding, weights)
            read = _read_tokens(trace)
            rows = torch.zeros_like(read)  # of R − I: beside the identity small values would lose digits
            for weight, gradient in zip(reversed(weights), reversed(gradients), strict=True):
                relevance = (gradient * weight.detach()).relu().mean(1)  # (B, N, N)
                rows = rows + _times(read + rows, relevance)
            maps.append(trace.as_map(rows))
        stacked = torch.stack(maps, 1)
    yield draft_of(stacked)


def legrad(passes: Passes, parameters: LegradParameters) -> Iterator[Draft]:
    """Mean over blocks, heads and queries of relu(∂y_l/∂A_l), y_l the logit computed from block l's output.

    y_l is the final norm and the head applied to the tokens of block l: to those that the head reads
    (``tokens=head``), or to the mean of all tokens in their place (``mean``), as in the authors' code. The
    published map is scaled from its smallest to its largest value; here it is not.

    Reference: Bousselham et al. 2024, arXiv:2404.03214.
    """
    trace = passes.attention
    with torch.inference_mode(mode=False), torch.no_grad():
        total = torch.zeros(())
        blocks = list(zip(trace.weights, trace.tokens, strict=True))[-parameters.blocks :]
        for weights, tokens in blocks:
            with torch.enable_grad():
                pooled = tokens.mean(1, keepdim=True).expand_as(tokens)
                logits = last_layers(passes.model, tokens if parameters.tokens == "head" else pooled)
            gradients = [logit_gradient(logits, finding, weights) for finding in passes.findings.tolist()]
            maps = [trace.as_map(gradient.relu().mean((1, 2))) for gradient in gradients]
            total = total + torch.stack(maps, 1)
        mean = total / len(blocks)
    yield draft_of(mean)


def _read_tokens(trace: AttentionTrace) -> Tensor:
    """The weight of each token in what the head reads, (B, N): one divided by their number, or 0."""
    batch, _, count, _ = trace.weights[0].shape
    rows = trace.weights[0].new_zeros(batch, count)
    rows[:, list(trace.read)] = 1 / len(trace.read)
    return rows


def _times(rows: Tensor, matrices: Tensor) -> Tensor:
    """Row vectors (B, N) times matrices (B, N, N): (B, N)."""
    return torch.bmm(rows[:, None], matrices)[:, 0]


def _fused(weights: Tensor, how: str) -> Tensor:
    """Attention of several heads (B, heads, N, N) as one matrix (B, N, N)."""
    return _FUSIONS[how](weights, 1)


def _discarded(attention: Tensor, share: float) -> Tensor:
    """Attention (B, N, N) with a share of each image's weights, the smallest, set to zero."""
    flat = attention.flatten(1)
    smallest = flat.topk(int(share * flat.shape[1]), largest=False).indices
    return flat.scatter(1, smallest, 0).view_as(attention)
