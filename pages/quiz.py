"""Quiz: films read alone, then with an AI that is sometimes wrong on purpose."""

from cxrbench.app.quiz import page

page.draw()
