"""A heat map over a radiograph, in pixels."""

import numpy as np

from cxrbench.figures.colours import Colours

__all__ = ["grey", "overlay", "transparent_overlay"]

_FADE = 1.6  # values from 0.625 are drawn at full opacity, weaker ones more transparently


def grey(image: np.ndarray) -> np.ndarray:
    """A radiograph (H, W) in [0, 1] as grey RGB (H, W, 3) uint8."""
    samples = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return np.repeat(samples[..., None], 3, axis=2)


def overlay(
    image: np.ndarray, values: np.ndarray, colours: Colours, *, opacity: float = 0.6, threshold: float = 0.0
) -> np.ndarray:
    """Draw a heat map on a radiograph: pixel = (1 − a)·grey + a·colour, a = opacity · min(1, 1.6·|value|).

    The page uses the same formula. Where the value is zero, NaN or below the threshold, the radiograph alone
    is shown.

    Args:
        image: (H, W) in [0, 1].
        values: (H, W) heat map of ``compare.heatmap``: in [0, 1], or [−1, 1] for diverging colours.
        colours: colour table.
        opacity: opacity of the strongest values, in [0, 1].
        threshold: smallest |value| that is drawn.

    Returns:
        (H, W, 3) uint8.
    """
    coloured, alpha = _coloured(values, colours, opacity, threshold)
    mixed = (1 - alpha[..., None]) * grey(image) + alpha[..., None] * coloured
    pixels: np.ndarray = np.rint(mixed).astype(np.uint8)
    return pixels


def transparent_overlay(values: np.ndarray, colours: Colours, *, opacity: float = 0.6) -> np.ndarray:
    """The same heat map by itself, to be laid over the radiograph by whatever shows it.

    Args:
        values: as in ``overlay``.
        colours: colour table.
        opacity: opacity of the strongest values, in [0, 1].

    Returns:
        (H, W, 4) uint8: red, green, blue and alpha.
    """
    coloured, alpha = _coloured(values, colours, opacity, 0.0)
    return np.dstack([coloured, np.rint(alpha * 255).astype(np.uint8)])


def _coloured(
    values: np.ndarray, colours: Colours, opacity: float, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Colours (H, W, 3) uint8 of a heat map, and its alpha (H, W) in [0, 1]."""
    known = np.nan_to_num(values, nan=0.0)
    strength = np.abs(known)
    alpha = opacity * np.minimum(1, _FADE * strength) * (strength >= threshold)
    level = (known + 1) / 2 if colours.diverging else known
    return colours.table[np.rint(np.clip(level, 0, 1) * 255).astype(np.uint8)], alpha
