"""Results in, figures out."""

from cxrbench.figures.colours import COLOURS, Colours, colours_for
from cxrbench.figures.outline import extent, omission_note, outline_polygons
from cxrbench.figures.overlay import grey, overlay
from cxrbench.figures.panels import panels, panels_png, panels_svg

__all__ = [
    "COLOURS",
    "Colours",
    "colours_for",
    "extent",
    "grey",
    "omission_note",
    "outline_polygons",
    "overlay",
    "panels",
    "panels_png",
    "panels_svg",
]
