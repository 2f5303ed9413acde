"""Preparation: preprocessing and augmentation of one radiograph, step by step."""

from cxrbench.app.preparation import page

page.draw()
