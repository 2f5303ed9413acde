"""Data: the data sets on the bench, and folders of one's own."""

from cxrbench.app.data import page

page.draw()
