"""Imbalance: how unequal the findings of a data set are, and what can be done about it."""

from cxrbench.app.imbalance import page

page.draw()
