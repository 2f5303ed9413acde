"""Colour tables for heat maps: 256 colours each, colour-blind safe and legible in grey print."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from cxrbench.errors import look_up

__all__ = ["COLOURS", "Colours", "colours_for"]


@dataclass(frozen=True)
class Colours:
    """A colour table.

    Args:
        title: title in the menu.
        diverging: for signed maps; the middle of the table is zero.
        anchors: sRGB colours at equal distances, as ``#rrggbb``, weakest first.
    """

    title: str
    diverging: bool
    anchors: tuple[str, ...]

    @property
    def table(self) -> np.ndarray:
        """(256, 3) uint8, linear between the anchors."""
        rgb = np.array([[int(anchor[i : i + 2], 16) for i in (1, 3, 5)] for anchor in self.anchors])
        positions = np.linspace(0, len(rgb) - 1, 256)
        channels = [np.interp(positions, np.arange(len(rgb)), rgb[:, channel]) for channel in range(3)]
        return np.round(np.stack(channels, axis=1)).astype(np.uint8)


# Sequential tables increase in lightness throughout; jet is not one of them: its bands look like edges.
COLOURS: Final[Mapping[str, Colours]] = MappingProxyType(
    {
        "cividis": Colours(
            "cividis",
            False,
            (
                *("#00224e", "#123570", "#3b496c", "#575d6d", "#707173"),
                *("#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838"),
            ),
        ),
        "magma": Colours(
            "magma",
            False,
            (
                *("#000004", "#180f3d", "#440f76", "#721f81", "#9e2f7f"),
                *("#cd4071", "#f1605d", "#fd9668", "#feca8d", "#fcfdbf"),
            ),
        ),
        "viridis": Colours(
            "viridis",
            False,
            (
                *("#440154", "#482878", "#3e4989", "#31688e", "#26828e"),
                *("#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725"),
            ),
        ),
        "blue-orange": Colours(
            "blue to orange (signed)",
            True,
            ("#1f6fd6", "#4f97e8", "#8fbdf0", "#d9e3ea", "#f2c38c", "#f09a3e", "#e87400"),
        ),
        "purple-green": Colours(
            "purple to green (signed)",
            True,
            ("#7b3294", "#a678b8", "#cdb1d6", "#e8e6ea", "#b0dba8", "#6fbf7a", "#1b8a3f"),
        ),
    }
)


def colours_for(name: str, *, signed: bool) -> Colours:
    """The table of that name if it suits the map's signs, else the first table that does.

    Raises:
        InputError: an unknown name; the message lists the known ones.
    """
    colours = look_up("colours", name, COLOURS)
    if colours.diverging == signed:
        return colours
    return next(other for other in COLOURS.values() if other.diverging == signed)
