"""A heat map over a radiograph, in pixels."""

import numpy as np

from cxrbench.figures.colours import Colours

__all__ = ["grey", "overlay"]

_FADE = 1.6  # a value of 0.625 covers as much as the opacity allows; weaker ones let the radiograph through


def grey(image: np.ndarray) -> np.ndarray:
    """A radiograph (H, W) in [0, 1] → (H, W, 3) uint8."""
    samples = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    return np.repeat(samples[..., None], 3, axis=2)


def overlay(
    image: np.ndarray, values: np.ndarray, colours: Colours, *, opacity: float = 0.6, threshold: float = 0.0
) -> np.ndarray:
    """Colours over a radiograph: pixel = (1 − a)·grey + a·colour, a = opacity · min(1, 1.6·|value|).

    The same rule as on the page. Zero, NaN and what lies below the threshold leave the radiograph as it is.

    Args:
        image: (H, W) in [0, 1].
        values: (H, W), what ``compare.heatmap`` gives: [0, 1], or [−1, 1] for diverging colours.
        colours: the table.
        opacity: of the strongest values, in [0, 1].
        threshold: weakest |value| that is drawn.

    Returns:
        (H, W, 3) uint8.
    """
    known = np.nan_to_num(values, nan=0.0)
    strength = np.abs(known)
    alpha = opacity * np.minimum(1, _FADE * strength) * (strength >= threshold)
    level = (known + 1) / 2 if colours.diverging else known
    painted = colours.table[np.rint(np.clip(level, 0, 1) * 255).astype(np.uint8)]
    mixed = (1 - alpha[..., None]) * grey(image) + alpha[..., None] * painted
    return np.rint(mixed).astype(np.uint8)
