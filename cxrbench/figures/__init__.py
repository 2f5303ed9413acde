"""Results in, figures out."""

from cxrbench.figures.colours import COLOURS, Colours, colours_for
from cxrbench.figures.outline import extent
from cxrbench.figures.overlay import grey, overlay
from cxrbench.figures.panels import panels, panels_png

__all__ = ["COLOURS", "Colours", "colours_for", "extent", "grey", "overlay", "panels", "panels_png"]
