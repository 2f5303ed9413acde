"""Models: what is on the bench, models of others to add, and models of one's own."""

from cxrbench.app.models import page

page.draw()
