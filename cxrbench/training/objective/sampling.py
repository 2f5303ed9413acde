"""Sampling: which training images an epoch contains, and how often."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from cxrbench.targets import resampling

__all__ = ["SAMPLINGS", "Sampling", "Selection"]


@dataclass(frozen=True)
class Selection:
    """The images that an epoch samples from.

    Args:
        rows: (M,) indices of training images, may repeat; None for all images once.
        weights: (M,) probability of each row, drawn with replacement; None for each row once per epoch.
    """

    rows: np.ndarray | None = None
    weights: np.ndarray | None = None


@dataclass(frozen=True)
class Sampling:
    """One sampling method.

    Args:
        name: key in ``SAMPLINGS``.
        summary: one line for a menu.
        reference: the paper.
        choose: targets (N, L), seed → `Selection`.
    """

    name: str
    summary: str
    reference: str
    choose: Callable[[np.ndarray, int], Selection]


_CHARTE: Final = "Charte et al. 2015, doi:10.1016/j.neucom.2014.08.091"
_KANG: Final = "Kang et al. 2020, arXiv:1910.09217"

SAMPLINGS: Final[Mapping[str, Sampling]] = MappingProxyType(
    {
        sampling.name: sampling
        for sampling in (
            Sampling("each", "every image once per epoch", "", lambda targets, seed: Selection()),
            Sampling(
                "ml-ros",
                "25 % more images: copies of images with rare findings",
                _CHARTE,
                lambda targets, seed: Selection(rows=resampling.ml_ros(targets, seed=seed)),
            ),
            Sampling(
                "ml-rus",
                "25 % fewer images: removes images without a rare finding",
                _CHARTE,
                lambda targets, seed: Selection(rows=resampling.ml_rus(targets, seed=seed)),
            ),
            Sampling(
                "balanced",
                "draws a finding uniformly, then an image with that finding",
                _KANG,
                lambda targets, seed: Selection(weights=resampling.sampling_weights(targets)),
            ),
            Sampling(
                "square-root",
                "as balanced, but findings are drawn with probability proportional to the square root of "
                "their frequency",
                _KANG,
                lambda targets, seed: Selection(weights=resampling.sampling_weights(targets, power=0.5)),
            ),
        )
    }
)
