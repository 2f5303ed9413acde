"""Integrated gradients: the gradient integrated along the line from a baseline to the image."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cxrbench.errors import InputError, look_up
from cxrbench.explain.asked import check, finding_list
from cxrbench.explain.cam import logit_gradient
from cxrbench.models import Classifier

__all__ = ["BASELINES", "Draft", "baseline_images", "check_path", "integrated_gradients"]

# Path points that share a forward pass: enough to fill the cores, few enough to stay in their caches. The
# first chunk is smaller, for an early first map.
_CHUNK: Final = 10
_FIRST: Final = 4


class Draft(NamedTuple):
    """Maps as far as they are known.

    Attributes:
        maps: relevance (B, K, H, W), signed.
        completeness: (B, K), (Σ maps − (y(x) − y(x′))) / |y(x) − y(x′)|; NaN where nothing separates the two.
        stable: (B, K) bool; False where a map changes visibly if its inputs change by rounding.
        done: path points summed so far.
        total: path points asked; at ``done == total`` the maps are final.
    """

    maps: Tensor
    completeness: Tensor
    stable: Tensor
    done: int
    total: int


def integrated_gradients(
    model: Classifier,
    images: Tensor,
    findings: Tensor | Sequence[int],
    *,
    baseline: str = "black",
    steps: int = 50,
    chunk: int = _CHUNK,
) -> Iterator[Draft]:
    """(x − x′) ⊙ Σ_i s_i ∇y(x′ + α_i (x − x′)), Gauss–Legendre nodes α and weights s; refined as it goes.

    Every draft is the sum over the nodes visited so far, divided by their weights; the last is the exact
    n-point rule. The nodes are visited in an order whose every beginning is spread over the path. Findings
    share the forward passes and are differentiated one by one, so each map is bit-identical to asking for
    it alone. Closing the generator stops the work and leaves nothing behind.

    Args:
        model: in eval mode.
        images: x, preprocessed, (B, C, H, W).
        findings: indices among the model's labels, (K,).
        baseline: x′, a key of ``BASELINES``.
        steps: n, path points.
        chunk: path points × images in one forward pass; decides speed and memory, and last bits.

    Yields:
        Drafts; channels are summed. A grey image of uniform x = x′ is all zero.

    Raises:
        InputError: as ``feature_gradients``; an unknown baseline, fewer than one step.

    Reference: Sundararajan et al. 2017, arXiv:1703.01365; Gauss–Legendre as in captum's default.
    """
    check(model, images)
    asked = finding_list(model, findings)
    check_path(baseline, steps)
    start = baseline_images(model, images, baseline)
    return _refine(model, images, start, asked, steps, chunk)


def check_path(baseline: str, steps: int) -> None:
    """Refuse a path that cannot be walked.

    Raises:
        InputError: no such baseline, and the sentence lists those that are; fewer than one step.
    """
    look_up("baseline", baseline, BASELINES)
    if steps < 1:
        raise InputError(f"steps must be at least 1; got {steps}: 50 is the usual number.")


def baseline_images(model: Classifier, images: Tensor, baseline: str) -> Tensor:
    """The images from which integration starts, (B, C, H, W), in the model's own normalisation.

    Raises:
        InputError: no such baseline; the sentence lists those that are.
    """
    check_path(baseline, 1)
    with torch.inference_mode(mode=False), torch.no_grad():
        return BASELINES[baseline](model, images.clone() if images.is_inference() else images)


def _refine(
    model: Classifier, images: Tensor, start: Tensor, asked: list[int], steps: int, chunk: int
) -> Iterator[Draft]:
    """The generator itself. Gradient mode is switched inside the calls only, never across a ``yield``."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    order = _spread(steps)
    path = torch.from_numpy((nodes[order] + 1) / 2).to(images.dtype)
    weight = torch.from_numpy(weights[order] / 2).to(images.dtype)
    rise, difference = _ends(model, images, start, asked)
    summed = torch.zeros(len(asked), *images.shape, dtype=images.dtype)
    size = max(1, chunk // len(images))
    done = 0
    while done < steps:
        upto = min(steps, done + (min(size, _FIRST) if not done else size))
        summed = summed + _chunk(model, start, difference, asked, path[done:upto], weight[done:upto])
        done = upto
        yield _draft(summed, difference, rise, float(weights[order[:done]].sum() / 2), done, steps)


def _ends(model: Classifier, images: Tensor, start: Tensor, asked: list[int]) -> tuple[Tensor, Tensor]:
    """y(x) − y(x′) (B, K), and x − x′."""
    with torch.inference_mode(mode=False), torch.no_grad():
        plain = images.clone() if images.is_inference() else images
        ends = model(torch.cat([plain, start]))[:, asked]
        above, below = ends.chunk(2)
        rise = above - below
        # Below the noise of single precision there is nothing to be complete about.
        noise = 1e-6 * torch.maximum(above.abs(), below.abs()).clamp(min=1e-3)
        return torch.where(rise.abs() > noise, rise, torch.nan), plain - start


def _chunk(
    model: Classifier, start: Tensor, difference: Tensor, asked: list[int], path: Tensor, weight: Tensor
) -> Tensor:
    """Σ over some path points of weight × gradient: (K, B, C, H, W)."""
    with torch.inference_mode(mode=False):
        points = start + path.view(-1, 1, 1, 1, 1) * difference  # (P, B, C, H, W)
        # Channels last: convolutions and batch norms of this shape run up to twice as fast on a CPU.
        leaf = points.flatten(0, 1).to(memory_format=torch.channels_last).requires_grad_()
        with torch.enable_grad():
            logits = model(leaf)
        sums = []
        for index in asked:
            slope = logit_gradient(logits, index, leaf).contiguous().view_as(points)
            sums.append(torch.tensordot(weight, slope, dims=1))
        return torch.stack(sums)


def _draft(summed: Tensor, difference: Tensor, rise: Tensor, covered: float, done: int, steps: int) -> Draft:
    # All nodes together weigh 1 exactly; dividing the finished sum by its rounding would only add to it.
    share = 1.0 if done == steps else covered
    with torch.inference_mode(mode=False), torch.no_grad():
        maps = (summed * difference / share).sum(2).transpose(0, 1)  # (B, K, H, W)
        completeness = (maps.double().sum((2, 3)) - rise) / rise.abs()
        # Nothing is divided, and noise of single nodes averages out: measured in docs/decisions.md.
        stable = torch.ones(maps.shape[:2], dtype=torch.bool)
        return Draft(maps, completeness.to(maps.dtype), stable, done, steps)


def _spread(count: int) -> np.ndarray:
    """0 … count − 1 in an order whose every beginning is spread evenly: by the golden ratio, middle first."""
    golden = (np.sqrt(5) - 1) / 2
    return np.argsort(np.argsort((0.5 + golden * np.arange(count)) % 1, kind="stable"), kind="stable")


def _black(model: Classifier, images: Tensor) -> Tensor:
    """What a pixel of value 0 becomes: air. Zero in the network's own normalisation would be mid-grey."""
    recipe = model.spec.preprocessing
    return torch.full_like(images, (0 - recipe.mean) / recipe.std)


def _mean(model: Classifier, images: Tensor) -> Tensor:
    """Each image's own mean grey, everywhere."""
    return images.mean((2, 3), keepdim=True).expand_as(images).contiguous()


def _blur(model: Classifier, images: Tensor) -> Tensor:
    """Each image without its details: a Gaussian blur, σ a twentieth of the shorter side, edges repeated."""
    sigma = min(images.shape[2:]) / 20
    reach = max(1, round(3 * sigma))
    bell = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2).to(images)
    bell = (bell / bell.sum()).expand(images.shape[1], 1, 1, -1)
    padded = F.pad(images, (reach, reach, reach, reach), mode="replicate")
    rows = F.conv2d(padded, bell, groups=images.shape[1])
    return F.conv2d(rows, bell.transpose(2, 3), groups=images.shape[1])


# Where integration starts. The choice shows in the map: what equals the baseline gets no relevance.
BASELINES: Final[dict[str, Callable[[Classifier, Tensor], Tensor]]] = {
    "black": _black,
    "mean": _mean,
    "blur": _blur,
}
