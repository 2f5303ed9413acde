"""The attention of a vision transformer, computed in the trunk's own steps.

timm's attention modules fuse the softmax with the product of weights and values, so the weights never exist
as a tensor. Here the trunk's step ``blocks.i.attn`` is written out with the block's own modules (``qkv``,
``q_norm``, ``k_norm``, ``proj`` …) instead; nothing is registered on the model and no flag of it changes.
"""

from dataclasses import dataclass
from typing import Any

import torch
from timm.layers.attention import Attention
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn

from cxrbench.models.classifier import Classifier
from cxrbench.models.zoo import NetworkState

__all__ = ["AttentionTrace", "attention_problem", "last_layers", "trace_attention"]


@dataclass(frozen=True)
class AttentionTrace:
    """One forward pass of a vision transformer, with the attention of every block; gradients are recorded.

    Args:
        weights: of each block, first to last: (B, heads, N, N); rows are queries, and sum to 1.
        tokens: of each block, its output, (B, N, C).
        logits: (B, L), equal to the model's up to rounding.
        read: positions of the tokens that the head averages over: the class token, or all patches.
        prefix: number of tokens before the patches.
        grid: (h, w) of the patches; N = prefix + h·w.
    """

    weights: tuple[Tensor, ...]
    tokens: tuple[Tensor, ...]
    logits: Tensor
    read: tuple[int, ...]
    prefix: int
    grid: tuple[int, int]

    def as_map(self, values: Tensor) -> Tensor:
        """Values of all tokens (B, N) → those of the patches, (B, h, w)."""
        patches = values[:, self.prefix :]
        return patches.view(len(patches), *self.grid)


def attention_problem(model: Classifier) -> str | None:
    """Why a model's attention cannot be read; None where it can."""
    title = model.architecture.title
    if model.architecture.layout != "tokens":
        return f"{title} is no vision transformer, so it has no attention between all patches of the image"
    backbone = model.backbone
    blocks: Any = getattr(backbone, "blocks", ())
    plain = all(type(block) is Block and type(block.attn) is Attention for block in blocks)
    if not isinstance(backbone, VisionTransformer) or not plain:
        return f"the blocks of {title} are not those of a plain vision transformer"
    if backbone.global_pool not in ("token", "avg"):
        return f"the head of {title} reads neither the class token nor the mean of the patches"
    return None


def trace_attention(model: Classifier, images: Tensor) -> AttentionTrace:
    """Run a vision transformer for which ``attention_problem`` is None, and keep its attention.

    Gradients are recorded from the first block on, so that logits and tokens can be differentiated with
    respect to the weights of any block; the model's parameters are not changed.

    Args:
        model: in eval mode.
        images: preprocessed, (B, C, H, W).
    """
    backbone: Any = model.backbone
    blocks = {f"blocks.{index}": block for index, block in enumerate(backbone.blocks)}
    weights, tokens = [], []
    state: NetworkState = images
    with torch.enable_grad():
        for name, step in model.architecture.steps(model.backbone):
            if name == "blocks.0.norm1":
                assert isinstance(state, Tensor)
                state = state.detach().requires_grad_()
            if name.endswith(".attn"):
                state, weight = _attended(blocks[name.removesuffix(".attn")], *state)
                weights.append(weight)
            else:
                state = step(state)
            if name in blocks:
                assert isinstance(state, Tensor)
                tokens.append(state)
        assert isinstance(state, Tensor)
        logits = model.architecture.head(model.backbone)(state)
    height, width = images.shape[2:]
    prefix, grid = backbone.num_prefix_tokens, backbone.patch_embed.dynamic_feat_size((height, width))
    return AttentionTrace(tuple(weights), tuple(tokens), logits, _read(backbone, state), prefix, tuple(grid))


def last_layers(model: Classifier, tokens: Tensor) -> Tensor:
    """Logits (B, L) of the final norm and the head on the output (B, N, C) of any block."""
    backbone: Any = model.backbone
    with torch.enable_grad():
        logits: Tensor = model.architecture.head(model.backbone)(backbone.norm(tokens))
    return logits


def _attended(block: nn.Module, residual: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
    """The step ``blocks.i.attn``: its output (B, N, C), and the attention weights (B, heads, N, N).

    Args:
        block: timm's ``Block``.
        residual: the block's input, (B, N, C).
        tokens: the same after ``norm1``.
    """
    part: Any = block
    attention = part.attn
    batch, count = tokens.shape[:2]
    gate = attention.gate(tokens).sigmoid() if getattr(attention, "gate", None) is not None else None
    packed = attention.qkv(tokens).reshape(batch, count, 3, attention.num_heads, attention.head_dim)
    queries, keys, values = packed.permute(2, 0, 3, 1, 4).unbind(0)  # each (B, heads, N, C / heads)
    queries, keys = attention.q_norm(queries), attention.k_norm(keys)
    weights: Tensor = (queries * attention.scale @ keys.transpose(-2, -1)).softmax(-1)
    mixed = (attention.attn_drop(weights) @ values).transpose(1, 2).flatten(2)
    mixed = attention.norm(mixed)
    if gate is not None:
        mixed = mixed * gate
    change = attention.proj_drop(attention.proj(mixed))
    return residual + part.drop_path1(part.ls1(change)), weights


def _read(backbone: Any, tokens: Tensor) -> tuple[int, ...]:
    if backbone.global_pool == "token":  # a distilled transformer's head averages over two tokens
        return (0, 1) if hasattr(backbone, "head_dist") else (0,)
    first = 0 if backbone.pool_include_prefix else backbone.num_prefix_tokens
    return tuple(range(first, tokens.shape[1]))
