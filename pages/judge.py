"""Judge: explanation methods judged against known truth, from stored results."""

from cxrbench.app.judge import page

page.draw()
