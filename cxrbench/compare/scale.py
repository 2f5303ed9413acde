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

# Pixel-wise maps hold a few extreme pixels that would leave the rest of the picture black.
_SIGNED_PERCENTILE: Final = 99.5


def peak(heat: HeatMaps, finding: str) -> float:
    """The relevance that is drawn at full strength when a map has its own scale; 0 where nothing is drawn.

    The maximum of a map that is cut at zero; of a signed one, the 99.5th percentile of |relevance|, because
    single pixels stand far above the rest.
    """
    relevance = heat.of(finding)
    if relevance is None or not relevance.size:
        return 0.0
    if heat.signed:
        return float(np.percentile(np.abs(relevance), _SIGNED_PERCENTILE))
    return max(0.0, float(relevance.max()))


def peaks(comparison: Comparison, finding: str, scale: Scale = "map") -> dict[tuple[str, str], float]:
    """What each cell of a comparison divides its relevance by.

    Args:
        comparison: the maps.
        finding: whose.
        scale: ``map``, ``method`` (so that models can be compared) or ``all``.

    Returns:
        (model, method) → divisor; 0 where nothing is to be drawn.

    Raises:
        InputError: an unknown scale.
    """
    look_up("scale", scale, SCALES)
    own = {key: peak(heat, finding) for key, heat in comparison.heat_maps.items()}
    if scale == "map":
        return own
    together: dict[str, float] = {}
    for (_, method), value in own.items():
        group = method if scale == "method" else ""
        together[group] = max(together.get(group, 0.0), value)
    return {key: together[key[1] if scale == "method" else ""] for key in own}


def heatmap(relevance: np.ndarray, divisor: float, *, signed: bool) -> np.ndarray:
    """Relevance of any shape → what is drawn: [0, 1], or [−1, 1] where it is signed.

    NaN (outside what the network saw) stays NaN; a divisor of 0 leaves a map of zeros.
    """
    low = -1.0 if signed else 0.0
    scaled = relevance / divisor if divisor > 0 else np.where(np.isnan(relevance), relevance, 0.0)
    return np.clip(scaled, low, 1.0).astype(np.float32)
