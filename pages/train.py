"""Train: start, watch, stop and resume training runs."""

from cxrbench.app.training import page

page.draw()
