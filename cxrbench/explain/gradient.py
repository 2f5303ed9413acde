"""Integrated gradients: the gradient integrated along the line from a baseline to the image."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cxrbench.errors import InputError, look_up
from cxrbench.explain.cam import logit_gradient
from cxrbench.explain.validation import check_inputs, finding_list
from cxrbench.models import Classifier

__all__ = ["BASELINES", "Draft", "baseline_images", "check_path", "draft_of", "integrated_gradients"]

# Path points per forward pass: enough to use all cores, few enough to fit into their caches. The first chunk
# is smaller, so that a first draft comes early.
_CHUNK: Final = 10
_FIRST: Final = 4


class Draft(NamedTuple):
    """Intermediate or final maps of a method.

    Attributes:
        maps: relevance (B, K, H, W), signed.
        completeness: (B, K), (Σ maps − (y(x) − y(x′))) / |y(x) − y(x′)|; NaN where y(x) equals y(x′).
        stable: (B, K) bool; False where a perturbation of the inputs at the level of rounding changes the map
            visibly.
        done: path points summed so far.
        total: number of path points; if ``done == total`` the maps are final.
    """

    maps: Tensor
    completeness: Tensor
    stable: Tensor
    done: int
    total: int


def draft_of(maps: Tensor, completeness: Tensor | None = None, *, done: int = 1, total: int = 1) -> Draft:
    """A draft of maps (B, K, h, w) that no perturbation at the level of rounding changes visibly.

    Args:
        maps: relevance.
        completeness: (B, K) relative completeness error; default: NaN, where the method defines none.
        done: parts of the work done.
        total: parts of the work; with ``done == total`` the draft is final.
    """
    error = torch.full(maps.shape[:2], torch.nan) if completeness is None else completeness
    return Draft(maps, error.to(maps.dtype), torch.ones(maps.shape[:2], dtype=torch.bool), done, total)


def integrated_gradients(
    model: Classifier,
    images: Tensor,
    findings: Tensor | Sequence[int],
    *,
    baseline: str = "black",
    steps: int = 50,
    chunk: int = _CHUNK,
) -> Iterator[Draft]:
    """Yield (x − x′) ⊙ Σ_i s_i ∇y(x′ + α_i (x − x′)) with Gauss–Legendre nodes α and weights s, as drafts.

    Each draft is the sum over the nodes visited so far, divided by the sum of their weights; the last is the
    exact n-point rule. The nodes are visited in an order of which every prefix is spread over the path.
    Findings share the forward passes and are differentiated one by one, so each map is bit-identical to that
    of a call with one finding. Closing the generator stops the computation.

    Args:
        model: in eval mode.
        images: x, preprocessed, (B, C, H, W).
        findings: indices among the model's labels, (K,).
        baseline: x′, a key of ``BASELINES``.
        steps: n, number of path points.
        chunk: path points × images per forward pass; affects speed, memory and the last bits of the maps.

    Yields:
        Drafts, summed over channels; all zero where x = x′.

    Raises:
        InputError: as in ``feature_gradients``; an unknown baseline; fewer than one step.

    Reference: Sundararajan et al. 2017, arXiv:1703.01365; Gauss–Legendre as in captum's default.
    """
    check_inputs(model, images)
    indices = finding_list(model, findings)
    check_path(baseline, steps)
    start = baseline_images(model, images, baseline)
    return _refine(model, images, start, indices, steps, chunk)


def check_path(baseline: str, steps: int) -> None:
    """Check the baseline and the number of steps of integrated gradients.

    Raises:
        InputError: an unknown baseline (the message lists the known ones), or fewer than one step.
    """
    look_up("baseline", baseline, BASELINES)
    if steps < 1:
        raise InputError(f"steps must be at least 1; got {steps}: 50 is the usual number.")


def baseline_images(model: Classifier, images: Tensor, baseline: str) -> Tensor:
    """The images from which integration starts, (B, C, H, W), in the model's own normalisation.

    Raises:
        InputError: an unknown baseline; the message lists the known ones.
    """
    check_path(baseline, 1)
    with torch.inference_mode(mode=False), torch.no_grad():
        return BASELINES[baseline](model, images.clone() if images.is_inference() else images)


def _refine(
    model: Classifier, images: Tensor, start: Tensor, indices: list[int], steps: int, chunk: int
) -> Iterator[Draft]:
    """The generator. Gradient mode is set within calls only, never across a ``yield``."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    order = _spread(steps)
    path = torch.from_numpy((nodes[order] + 1) / 2).to(images.dtype)
    weight = torch.from_numpy(weights[order] / 2).to(images.dtype)
    rise, difference = _ends(model, images, start, indices)
    summed = torch.zeros(len(indices), *images.shape, dtype=images.dtype)
    size = max(1, chunk // len(images))
    done = 0
    while done < steps:
        end = min(steps, done + (min(size, _FIRST) if not done else size))
        summed = summed + _chunk(model, start, difference, indices, path[done:end], weight[done:end])
        done = end
        yield _draft(summed, difference, rise, float(weights[order[:done]].sum() / 2), done, steps)


def _ends(model: Classifier, images: Tensor, start: Tensor, indices: list[int]) -> tuple[Tensor, Tensor]:
    """y(x) − y(x′) (B, K), and x − x′."""
    with torch.inference_mode(mode=False), torch.no_grad():
        plain = images.clone() if images.is_inference() else images
        ends = model(torch.cat([plain, start]))[:, indices]
        above, below = ends.chunk(2)
        rise = above - below
        # A difference below the noise of single precision counts as none: completeness is undefined there.
        noise = 1e-6 * torch.maximum(above.abs(), below.abs()).clamp(min=1e-3)
        return torch.where(rise.abs() > noise, rise, torch.nan), plain - start


def _chunk(
    model: Classifier, start: Tensor, difference: Tensor, indices: list[int], path: Tensor, weight: Tensor
) -> Tensor:
    """Sum of weight × gradient over some path points: (K, B, C, H, W)."""
    with torch.inference_mode(mode=False):
        points = start + path.view(-1, 1, 1, 1, 1) * difference  # (P, B, C, H, W)
        # Channels last: convolutions and batch norms of this shape run up to twice as fast on a CPU.
        leaf = points.flatten(0, 1).to(memory_format=torch.channels_last).requires_grad_()
        with torch.enable_grad():
            logits = model(leaf)
        sums = []
        for index in indices:
            gradient = logit_gradient(logits, index, leaf).contiguous().view_as(points)
            sums.append(torch.tensordot(weight, gradient, dims=1))
        return torch.stack(sums)


def _draft(summed: Tensor, difference: Tensor, rise: Tensor, covered: float, done: int, steps: int) -> Draft:
    # All weights together are exactly 1; dividing by their rounded sum would only add an error.
    share = 1.0 if done == steps else covered
    with torch.inference_mode(mode=False), torch.no_grad():
        maps = (summed * difference / share).sum(2).transpose(0, 1)  # (B, K, H, W)
        completeness = (maps.double().sum((2, 3)) - rise) / rise.abs()
        # There is no division, and noise of single nodes averages out: measured in docs/decisions.md.
        stable = torch.ones(maps.shape[:2], dtype=torch.bool)
        return Draft(maps, completeness.to(maps.dtype), stable, done, steps)


def _spread(count: int) -> np.ndarray:
    """A permutation of 0 … count − 1 whose prefixes are evenly spread, by the golden ratio, middle first."""
    golden = (np.sqrt(5) - 1) / 2
    return np.argsort(np.argsort((0.5 + golden * np.arange(count)) % 1, kind="stable"), kind="stable")


def _black(model: Classifier, images: Tensor) -> Tensor:
    """A black image. Zero in the network's own normalisation would be mid-grey."""
    preprocessing = model.spec.preprocessing
    return torch.full_like(images, (0 - preprocessing.mean) / preprocessing.std)


def _mean(model: Classifier, images: Tensor) -> Tensor:
    """Each image's mean grey, everywhere."""
    return images.mean((2, 3), keepdim=True).expand_as(images).contiguous()


def _blur(model: Classifier, images: Tensor) -> Tensor:
    """Each image blurred by a Gaussian, σ 1/20 of the shorter side, edges repeated."""
    sigma = min(images.shape[2:]) / 20
    reach = max(1, round(3 * sigma))
    bell = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2).to(images)
    bell = (bell / bell.sum()).expand(images.shape[1], 1, 1, -1)
    padded = F.pad(images, (reach, reach, reach, reach), mode="replicate")
    rows = F.conv2d(padded, bell, groups=images.shape[1])
    return F.conv2d(rows, bell.transpose(2, 3), groups=images.shape[1])


# Where integration starts. The choice affects the map: pixels equal to the baseline get no relevance.
BASELINES: Final[dict[str, Callable[[Classifier, Tensor], Tensor]]] = {
    "black": _black,
    "mean": _mean,
    "blur": _blur,
}
