"""Learn: lessons with questions whose answers are computed from simulated patients."""

from cxrbench.app.learn import page

page.draw()
