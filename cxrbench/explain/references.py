"""Gradients integrated from other films: from the twin without the finding, and from healthy films."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cxrbench import assets
from cxrbench.data import read_image
from cxrbench.errors import InputError
from cxrbench.explain.gradient import Draft, draft_of, integrated_gradients_from
from cxrbench.explain.parameters import number, whole
from cxrbench.explain.passes import Passes
from cxrbench.explain.quadrature import typical_nodes
from cxrbench.explain.saliency import image_gradients
from cxrbench.models import Classifier

__all__ = [
    "ExpectedParameters",
    "TwinParameters",
    "expected_gradients",
    "healthy_images",
    "twin_integrated_gradients",
]

_CHUNK: Final = 10  # path points × images per forward pass
_PARTS: Final = 1000  # in which the progress of one path is counted


@dataclass(frozen=True)
class TwinParameters:
    """Of integrated gradients from the twin."""

    steps: int = whole(
        50, 1, 1000, "Points on the path: more of them make the completeness error smaller and take longer."
    )
    tolerance: float = number(
        0.0, 0.0, 0.5, "Stop as soon as the relative completeness error is below it; 0 takes all steps."
    )

    @property
    def nodes(self) -> int:
        """Number of path points: the steps, or what the tolerance typically needs."""
        return typical_nodes(self.steps, self.tolerance)


@dataclass(frozen=True)
class ExpectedParameters:
    """Of expected gradients."""

    samples: int = whole(
        64, 1, 2000, "Pairs of a healthy film and a point on the path from it; more make the map less noisy."
    )
    seed: int = whole(0, 0, 999_999, "Of the points on the paths; the same seed gives the same map.")


def twin_integrated_gradients(passes: Passes, parameters: TwinParameters) -> Iterator[Draft]:
    """Integrated gradients from the same patient without the finding.

    Completeness is then exact in meaning: the map sums to the change of the logit when the finding is taken
    away. A finding that is absent has no twin; taking it away changes nothing, and its map is zero.

    Reference: Sundararajan et al. 2017, arXiv:1703.01365; the baseline is that of FunnyBirds' interventions,
    arXiv:2308.06248.
    """
    twins = passes.context.twins or {}
    findings = passes.findings.tolist()
    with torch.inference_mode(mode=False):
        nothing = torch.zeros(len(passes.images), *passes.images.shape[2:], dtype=passes.images.dtype)
        undefined = torch.full((len(passes.images),), torch.nan, dtype=passes.images.dtype)
    present = [finding for finding in findings if finding in twins]
    maps, errors = dict.fromkeys(findings, nothing), dict.fromkeys(findings, undefined)
    total = max(1, len(present)) * _PARTS
    for place, finding in enumerate(present):  # one by one: each has a path of its own
        drafts = integrated_gradients_from(
            passes.network,
            passes.plain_images,
            twins[finding],
            [finding],
            steps=parameters.steps,
            tolerance=parameters.tolerance,
        )
        for draft in drafts:
            maps[finding], errors[finding] = draft.maps[:, 0], draft.completeness[:, 0]
            done = place * _PARTS + _PARTS * draft.done // draft.total
            if done < total:
                yield _together(findings, maps, errors, done, total)
    yield _together(findings, maps, errors, total, total)


def _together(
    findings: list[int], maps: dict[int, Tensor], errors: dict[int, Tensor], done: int, total: int
) -> Draft:
    with torch.inference_mode(mode=False):
        stacked = torch.stack([maps[finding] for finding in findings], 1)
        completeness = torch.stack([errors[finding] for finding in findings], 1)
    return draft_of(stacked, completeness, done=done, total=total)


def expected_gradients(passes: Passes, parameters: ExpectedParameters) -> Iterator[Draft]:
    """Mean of (x − x′) ⊙ ∇y(x′ + α (x − x′)) over healthy films x′ and points α of the path from each.

    The films are visited in turn; the points are stratified, one per n-th part of [0, 1], in random order.
    The map sums to the logit minus its mean over the healthy films, up to the completeness error.

    Reference: Erion et al. 2021, arXiv:1906.10670.
    """
    images, count = passes.plain_images, parameters.samples
    baselines = healthy_images(passes.model, (images.shape[2], images.shape[3])).to(images)
    random = torch.Generator().manual_seed(parameters.seed)
    order = torch.randperm(count, generator=random)
    points = ((order + torch.rand(count, generator=random)) / count).to(images)
    rise = _rise(passes, baselines[: min(count, len(baselines))])
    size = max(1, _CHUNK // len(images))
    with torch.inference_mode(mode=False):
        summed = images.new_zeros(len(images), len(passes.findings), *images.shape[2:])
    for first in range(0, count, size):
        chosen = torch.arange(first, min(first + size, count))
        summed = summed + _expected(passes, baselines[chosen % len(baselines)], points[chosen])
        done = first + len(chosen)
        with torch.inference_mode(mode=False), torch.no_grad():
            maps = summed / done
            error = (maps.double().sum((2, 3)) - rise) / rise.abs()
        yield draft_of(maps, error, done=done, total=count)


def _rise(passes: Passes, baselines: Tensor) -> Tensor:
    """Logits minus their mean over the baselines: (B, K); NaN where they do not differ."""
    with torch.inference_mode(mode=False), torch.no_grad():
        above = passes.logits(passes.plain_images)
        rise = above - passes.logits(baselines).mean(0)
        return torch.where(rise.abs() > 1e-6 * above.abs().clamp(min=1e-3), rise, torch.nan)


def _expected(passes: Passes, baselines: Tensor, points: Tensor) -> Tensor:
    """Sum of (x − x′) ⊙ gradient over some pairs, summed over channels: (B, K, H, W)."""
    with torch.inference_mode(mode=False):
        images = passes.plain_images
        difference = images - baselines[:, None]  # (P, B, C, H, W)
        mixed = baselines[:, None] + points.view(-1, 1, 1, 1, 1) * difference
        gradients = image_gradients(passes.network, passes.findings.tolist(), mixed.flatten(0, 1))
        return torch.stack([(difference * each.view_as(mixed)).sum((0, 2)) for each in gradients], 1)


def healthy_images(model: Classifier, size: tuple[int, int]) -> Tensor:
    """The shipped films without a finding, as the model takes them: (N, C, H, W).

    Args:
        model: its preprocessing is applied.
        size: (H, W) of the images to which they are compared; others than the model's own are resized.

    Raises:
        InputError: there are none.
    """
    with torch.inference_mode(mode=False), torch.no_grad():
        films = _healthy_films(assets.healthy())
        images = torch.stack([model.spec.preprocessing(film) for film in films])
        if images.shape[2:] != size:
            images = F.interpolate(images, size=size, mode="bilinear", align_corners=False)
        return images


@lru_cache(maxsize=2)
def _healthy_films(folder: Path) -> tuple[np.ndarray, ...]:
    films = tuple(read_image(path).pixels for path in sorted(folder.glob("*.png")))
    if not films:
        raise InputError(f"{folder} holds no healthy films; expected gradients need them as baselines.")
    return films
