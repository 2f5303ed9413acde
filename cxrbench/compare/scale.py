"""From raw relevance to displayed values: one scale per map, per method, or for all."""

from typing import Final, Literal

import numpy as np

from cxrbench.compare.comparison import Comparison, HeatMaps
from cxrbench.errors import look_up

__all__ = ["SCALES", "Scale", "heatmap", "peak", "peaks"]

Scale = Literal["map", "method", "all"]
SCALES: Final[dict[str, str]] = {
    "map": "each map has its own scale",
    "method": "one scale per method, over all models",
    "all": "one scale for all maps",
}

# With the maximum as scale, a few extreme pixels of pixel-wise maps would leave the rest black.
_SIGNED_PERCENTILE: Final = 99.5
# Of unsigned maps on a grid with at least so many cells per side; the percentile of Smilkov et al.,
# arXiv:1706.03825.
_FINE: Final = 64
_FINE_PERCENTILE: Final = 99.0


def peak(heat: HeatMaps, finding: str) -> float:
    """The relevance drawn at full strength if a map has its own scale; 0 if nothing is drawn.

    Unsigned maps: the maximum, or on a fine grid the 99th percentile where that is positive. Signed maps:
    the 99.5th percentile of |relevance|. Single pixels of pixel-wise maps are far above the rest.
    """
    relevance = heat.map_of(finding)
    if relevance is None or not relevance.size:
        return 0.0
    if heat.signed:
        return float(np.percentile(np.abs(relevance), _SIGNED_PERCENTILE))
    largest = max(0.0, float(relevance.max()))
    if min(relevance.shape) >= _FINE:
        usual = float(np.percentile(relevance, _FINE_PERCENTILE))
        return usual if usual > 0 else largest
    return largest


def peaks(comparison: Comparison, finding: str, scale: Scale = "map") -> dict[tuple[str, str], float]:
    """The divisor of the relevance in each cell of a comparison.

    Args:
        comparison: the maps.
        finding: name of the finding.
        scale: ``map``, ``method`` (to compare models) or ``all``.

    Returns:
        (model, method) → divisor; 0 if nothing is drawn.

    Raises:
        InputError: an unknown scale.
    """
    look_up("scale", scale, SCALES)
    own = {key: peak(heat, finding) for key, heat in comparison.heat_maps.items()}
    if scale == "map":
        return own
    largest: dict[str, float] = {}
    for (_, method), value in own.items():
        group = method if scale == "method" else ""
        largest[group] = max(largest.get(group, 0.0), value)
    return {key: largest[key[1] if scale == "method" else ""] for key in own}


def heatmap(relevance: np.ndarray, divisor: float, *, signed: bool) -> np.ndarray:
    """Scale relevance of any shape to displayed values in [0, 1], or [−1, 1] if signed.

    NaN (outside the network's input) stays NaN; with a divisor of 0 all other values are 0.
    """
    low = -1.0 if signed else 0.0
    scaled = relevance / divisor if divisor > 0 else np.where(np.isnan(relevance), relevance, 0.0)
    return np.clip(scaled, low, 1.0).astype(np.float32)
