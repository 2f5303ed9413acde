"""Compare: scores and heat maps of one radiograph, for several models and methods."""

from cxrbench.app.compare import page

page.draw()
