"""About: how to read a heat map, the methods, the models and their limits."""

from cxrbench.app.about import page

page.draw()
