"""Which images an epoch shows, and how often."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from cxrbench.targets import resampling

__all__ = ["SAMPLINGS", "Sampling", "Shown"]


@dataclass(frozen=True)
class Shown:
    """What an epoch draws from.

    Args:
        rows: (M,) indices of training images, some more than once; None for each once.
        weights: (N,) chance of each row to be drawn, with replacement; None shows each row once an epoch.
    """

    rows: np.ndarray | None = None
    weights: np.ndarray | None = None


@dataclass(frozen=True)
class Sampling:
    """A way to show rare findings more often, or frequent ones less.

    Args:
        name: key in ``SAMPLINGS``.
        summary: one line for a menu.
        reference: the paper.
        choose: targets (N, L), seed → what an epoch draws from.
    """

    name: str
    summary: str
    reference: str
    choose: Callable[[np.ndarray, int], Shown]


_CHARTE: Final = "Charte et al. 2015, doi:10.1016/j.neucom.2014.08.091"
_KANG: Final = "Kang et al. 2020, arXiv:1910.09217"

SAMPLINGS: Final[Mapping[str, Sampling]] = MappingProxyType(
    {
        sampling.name: sampling
        for sampling in (
            Sampling("each", "every image once an epoch", "", lambda targets, seed: Shown()),
            Sampling(
                "ml-ros",
                "a quarter more images: copies of those with rare findings",
                _CHARTE,
                lambda targets, seed: Shown(rows=resampling.ml_ros(targets, seed=seed)),
            ),
            Sampling(
                "ml-rus",
                "a quarter fewer images: without some that show no rare finding",
                _CHARTE,
                lambda targets, seed: Shown(rows=resampling.ml_rus(targets, seed=seed)),
            ),
            Sampling(
                "balanced",
                "a finding is drawn, each as likely as the others, then an image that shows it",
                _KANG,
                lambda targets, seed: Shown(weights=resampling.sampling_weights(targets)),
            ),
            Sampling(
                "square-root",
                "as balanced, but findings are drawn by the square root of their frequency",
                _KANG,
                lambda targets, seed: Shown(weights=resampling.sampling_weights(targets, power=0.5)),
            ),
        )
    }
)
