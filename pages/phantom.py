"""Phantom: a simulated radiograph whose truth is known."""

from cxrbench.app.phantom import page

page.draw()
