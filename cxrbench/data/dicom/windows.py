"""Windows of DICOM: from values to displayed grey levels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["Window", "choose_window", "window"]

_FUNCTIONS: Final = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


@dataclass(frozen=True)
class Window:
    """A window: the value shown as middle grey, the width, and the VOI LUT function."""

    centre: float
    width: float
    function: str = "LINEAR"

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Map values to [0, 1], float64."""
        with np.errstate(over="ignore"):  # with a width near 0: overflow is clipped anyway
            return window(values, self.centre, self.width, self.function)

    @property
    def ends(self) -> tuple[float, float]:
        """The values below and above which the output is constant."""
        if self.function == "LINEAR":
            half, centre = (self.width - 1) / 2, self.centre - 0.5
        else:
            # A sigmoid is within a hundredth of its ends at 1.15 widths from the centre.
            half, centre = self.width * (1.15 if self.function == "SIGMOID" else 0.5), self.centre
        return centre - half, centre + half


def window(values: np.ndarray, centre: float, width: float, function: str = "LINEAR") -> np.ndarray:
    """Map values to [0, 1] through a window (PS3.3, C.11.2.1.2 and C.11.2.1.3).

    LINEAR: (x − (c − ½)) / (w − 1) + ½; LINEAR_EXACT: (x − c) / w + ½, both clipped to [0, 1];
    SIGMOID: 1 / (1 + exp(−4 (x − c) / w)).

    Args:
        values: after the modality transformation, any shape.
        centre: c, the value shown as middle grey.
        width: w, above 0 (LINEAR: at least 1, which gives a step).
        function: the VOI LUT function.

    Returns:
        float64 of the same shape.
    """
    if width < 1 if function == "LINEAR" else width <= 0:
        raise ValueError(f"window width must be positive (at least 1 if LINEAR); got {width}")
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -500, 500)))
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    if width == 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)


def choose_window(
    centres: Sequence[float], widths: Sequence[float], function: str
) -> tuple[Window | None, tuple[str, ...]]:
    """Choose the first usable window; notes name what was skipped or assumed.

    A LINEAR window narrower than 1 is invalid by the standard; where there is no other, it is read as
    LINEAR_EXACT, which is what writers of values between 0 and 1 mean.

    Args:
        centres: of the windows; NaN where it is not a number.
        widths: of the windows.
        function: the VOI LUT function; "" is LINEAR.

    Returns:
        The window or None, and the notes.
    """
    pairs = list(zip(centres, widths, strict=False))
    notes: tuple[str, ...] = ()
    if function and function not in _FUNCTIONS:
        notes = ("DICOM with an unknown VOI LUT function: its window is read as LINEAR",)
    kind = function if function in _FUNCTIONS else "LINEAR"
    least = 1.0 if kind == "LINEAR" else math.ulp(0.0)
    for number, (centre, width) in enumerate(pairs, start=1):
        if math.isfinite(centre) and math.isfinite(width) and width >= least:
            if number > 1:
                notes += (f"DICOM whose first window is unusable: window {number} of {len(pairs)} is used",)
            return Window(centre, width, kind), notes
    for centre, width in pairs:
        if math.isfinite(centre) and math.isfinite(width) and width > 0:
            note = f"DICOM with a window of width {width:g}, too narrow for LINEAR: read as LINEAR_EXACT"
            return Window(centre, width, "LINEAR_EXACT"), (*notes, note)
    return None, ()
