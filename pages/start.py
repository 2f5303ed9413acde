"""Start: what the workbench is, shown on one film, and the ways into it."""

from cxrbench.app.start import page

page.draw()
