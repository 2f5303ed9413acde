"""A heat map over a radiograph, in pixels."""

import numpy as np

from cxrbench.figures.colours import Colours

__all__ = ["grey", "overlay"]

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
    known = np.nan_to_num(values, nan=0.0)
    strength = np.abs(known)
    alpha = opacity * np.minimum(1, _FADE * strength) * (strength >= threshold)
    level = (known + 1) / 2 if colours.diverging else known
    coloured = colours.table[np.rint(np.clip(level, 0, 1) * 255).astype(np.uint8)]
    mixed = (1 - alpha[..., None]) * grey(image) + alpha[..., None] * coloured
    pixels: np.ndarray = np.rint(mixed).astype(np.uint8)
    return pixels
