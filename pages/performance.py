"""Performance: curves, thresholds, intervals, subgroups and errors."""

from cxrbench.app.performance import page

page.draw()
