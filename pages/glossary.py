"""Glossary: the words of the workbench."""

from cxrbench.app.glossary import page

page.draw()
