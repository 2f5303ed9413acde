"""Integrated gradients: the gradient integrated along the line from a baseline to the image."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from cxrbench.errors import InputError, look_up
from cxrbench.explain.cam import logit_gradient
from cxrbench.explain.quadrature import Quadrature, gauss_legendre, nested_trapezoid
from cxrbench.explain.validation import check_inputs, finding_list
from cxrbench.models import Classifier

__all__ = [
    "BASELINES",
    "Draft",
    "baseline_images",
    "check_path",
    "draft_of",
    "integrated_gradients",
    "integrated_gradients_from",
]

# Path points per forward pass: enough to use all cores, few enough to fit into their caches.
_CHUNK: Final = 10


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
    tolerance: float = 0.0,
    chunk: int = _CHUNK,
) -> Iterator[Draft]:
    """Yield (x − x′) ⊙ Σ_i s_i ∇y(x′ + α_i (x − x′)) with nodes α and weights s on the path, as drafts.

    With ``steps`` nodes it is the Gauss–Legendre rule. With a tolerance it is the trapezoid rule of 16, 32 …
    256 intervals, the coarsest whose relative completeness error is within the tolerance: each rule reuses
    the nodes of the one before, and each finding of each image stops by itself. Where the logit does not
    change from x′ to x, the sum of the map relative to that of its absolute values decides.

    Each draft is the sum over the nodes visited so far, divided by the sum of their weights; the last is the
    exact rule. The nodes are visited in an order of which every prefix is spread over the path.
    Findings share the forward passes and are differentiated one by one, so each map is bit-identical to that
    of a call with one finding. Closing the generator stops the computation.

    Args:
        model: in eval mode.
        images: x, preprocessed, (B, C, H, W).
        findings: indices among the model's labels, (K,).
        baseline: x′, a key of ``BASELINES``.
        steps: n, number of path points; without effect where there is a tolerance.
        tolerance: largest relative completeness error that is accepted; 0 for exactly ``steps`` nodes. Where
            256 intervals do not suffice, the last draft states the error that was reached.
        chunk: path points × images per forward pass; affects speed, memory and the last bits of the maps.

    Yields:
        Drafts, summed over channels; all zero where x = x′.

    Raises:
        InputError: as in ``feature_gradients``; an unknown baseline; fewer than one step; a tolerance outside
            [0, 1).

    Reference: Sundararajan et al. 2017, arXiv:1703.01365; Gauss–Legendre as in captum's default.
    """
    check_inputs(model, images)
    indices = finding_list(model, findings)
    check_path(baseline, steps, tolerance)
    start = baseline_images(model, images, baseline)
    return integrated_gradients_from(
        model, images, start, indices, steps=steps, tolerance=tolerance, chunk=chunk
    )


def integrated_gradients_from(
    model: Classifier,
    images: Tensor,
    start: Tensor,
    indices: list[int],
    *,
    steps: int,
    tolerance: float = 0.0,
    chunk: int = _CHUNK,
) -> Iterator[Draft]:
    """``integrated_gradients`` from any images, (B, C, H, W); arguments are not checked."""
    rule = nested_trapezoid() if tolerance else gauss_legendre(steps)
    return _refine(_Path(model, images, start, indices), rule, tolerance, max(1, chunk // len(images)))


def check_path(baseline: str, steps: int, tolerance: float = 0.0) -> None:
    """Check the baseline, the number of steps and the tolerance of integrated gradients.

    Raises:
        InputError: an unknown baseline (the message lists the known ones), fewer than one step, or a
            tolerance outside [0, 1).
    """
    look_up("baseline", baseline, BASELINES)
    if steps < 1:
        raise InputError(f"steps must be at least 1; got {steps}: 50 is the usual number.")
    if not 0 <= tolerance < 1:
        raise InputError(
            f"tolerance must be a relative error in [0, 1); got {tolerance:g}: 0.01 stops at 1 %, and 0 "
            "takes exactly as many steps as stated."
        )


def baseline_images(model: Classifier, images: Tensor, baseline: str) -> Tensor:
    """The images from which integration starts, (B, C, H, W), in the model's own normalisation.

    Raises:
        InputError: an unknown baseline; the message lists the known ones.
    """
    check_path(baseline, 1)
    with torch.inference_mode(mode=False), torch.no_grad():
        return BASELINES[baseline](model, images.clone() if images.is_inference() else images)


@dataclass(frozen=True)
class _Path:
    """A model, and the line from baseline images to images (B, C, H, W)."""

    model: Classifier
    images: Tensor
    start: Tensor
    indices: list[int]

    @cached_property
    def difference(self) -> Tensor:
        """X − x′."""
        with torch.inference_mode(mode=False), torch.no_grad():
            return (self.images.clone() if self.images.is_inference() else self.images) - self.start

    @cached_property
    def rise(self) -> Tensor:
        """y(x) − y(x′), (B, K); NaN where it is zero."""
        with torch.inference_mode(mode=False), torch.no_grad():
            plain = self.images.clone() if self.images.is_inference() else self.images
            above, below = self.model(torch.cat([plain, self.start]))[:, self.indices].chunk(2)
            rise = above - below
            # A difference below the noise of single precision counts as none: completeness is undefined.
            noise = 1e-6 * torch.maximum(above.abs(), below.abs()).clamp(min=1e-3)
            return torch.where(rise.abs() > noise, rise, torch.nan)

    def weighted_gradients(self, nodes: Tensor, weights: Tensor, places: list[int]) -> Tensor:
        """Sum of weight × gradient over some nodes, for the findings at ``places``: (K, B, C, H, W)."""
        with torch.inference_mode(mode=False):
            points = self.start + nodes.view(-1, 1, 1, 1, 1) * self.difference  # (P, B, C, H, W)
            # Channels last: convolutions and batch norms of this shape run up to twice as fast on a CPU.
            leaf = points.flatten(0, 1).to(memory_format=torch.channels_last).requires_grad_()
            with torch.enable_grad():
                logits = self.model(leaf)
            sums = []
            for place in places:
                gradient = logit_gradient(logits, self.indices[place], leaf).contiguous().view_as(points)
                sums.append(torch.tensordot(weights, gradient, dims=1))
            return torch.stack(sums)

    def draft(self, summed: Tensor, covered: float, done: int, total: int) -> Draft:
        """The map of a sum of weighted gradients (K, B, C, H, W), divided by the weights' sum."""
        with torch.inference_mode(mode=False), torch.no_grad():
            maps = (summed * self.difference / covered).sum(2).transpose(0, 1)  # (B, K, H, W)
            completeness = (maps.double().sum((2, 3)) - self.rise) / self.rise.abs()
            # There is no division, and noise of single nodes averages out: measured in docs/decisions.md.
            return draft_of(maps, completeness, done=done, total=total)


def _refine(path: _Path, rule: Quadrature, tolerance: float, size: int) -> Iterator[Draft]:
    """The generator. Gradient mode is set within calls only, never across a ``yield``."""
    kind = path.images.dtype
    nodes, weights = (torch.from_numpy(values).to(kind) for values in (rule.nodes, rule.weights))
    with torch.inference_mode(mode=False):  # the caller may be in another mode at each draft
        summed = torch.zeros(len(path.indices), *path.images.shape, dtype=kind)
        reached = torch.zeros(len(path.images), len(path.indices), dtype=torch.bool)  # within the tolerance
    last, error, progress = None, math.nan, 0.0
    for start, done in rule.chunks(size):
        places = (~reached.all(0)).nonzero().flatten().tolist()
        with torch.inference_mode(mode=False), torch.no_grad():
            summed[places] += path.weighted_gradients(nodes[start:done], weights[start:done], places)
        draft = path.draft(summed, rule.covered(done), done, len(nodes))
        last = draft if last is None else _kept(last, draft, reached)
        if done in rule.checks and tolerance:
            errors = _errors(last)
            reached = reached | (errors <= tolerance)
            error = float(errors.max())
        if reached.all() or done == len(nodes):
            yield last._replace(total=done)
            return
        if tolerance:
            expected = rule.expected_nodes(done, error, tolerance)
            # A progress bar does not go back where more nodes are needed than expected.
            total = max(done + 1, min(expected, int(done / progress)) if progress else expected)
            last, progress = last._replace(total=total), done / total
        yield last


def _errors(draft: Draft) -> Tensor:
    """What is compared with the tolerance, (B, K): |completeness error|, or how far the map cancels out."""
    with torch.inference_mode(mode=False), torch.no_grad():
        total, size = draft.maps.double().sum((2, 3)).abs(), draft.maps.double().abs().sum((2, 3))
        cancelled = torch.where(size > 0, total / size, 0.0)
        error = draft.completeness.double().abs()
        return torch.where(error.isnan() & draft.maps.isfinite().all(3).all(2), cancelled, error)


def _kept(last: Draft, draft: Draft, reached: Tensor) -> Draft:
    """The new draft, but the last one's maps where they were within the tolerance."""
    with torch.inference_mode(mode=False), torch.no_grad():
        maps = torch.where(reached[..., None, None], last.maps, draft.maps)
        return draft._replace(
            maps=maps, completeness=torch.where(reached, last.completeness, draft.completeness)
        )


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
