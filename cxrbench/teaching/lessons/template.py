"""The template of a lesson: a small one that works, with comments."""

from typing import Final

__all__ = ["TEMPLATE"]

TEMPLATE: Final = '''# A lesson of cxrbench; the guide is docs/lessons.md.
# Check it, compute its answers and store them beside it:
#     cxrbench lesson check THIS_FILE --write
title = "A title"
purpose = "One sentence: what one will have found out."
order = 100                       # place in the list of lessons

[[steps]]
title = "What does the score do?"
text = """
This film has a pleural effusion, and the model is sure of it: its score is {score}.

Guess first, then look.
"""
reveal = "Without the effusion the score is {after}."
# Pictures: show = "film", "map" or "randomised map" (with random weights); edits change the film;
# outline draws an extent; when = "reveal" waits.
pictures = [
  { show = "film", caption = "The film." },
  { show = "film", edits = ["without:pleural_effusion"], when = "reveal", caption = "Without the effusion." },
]

[steps.state]                     # what "Open on Compare" opens, and what values and pictures start from
case = "pleural-effusion"         # of the gallery; or film = "test/patient03178/study1/view1_frontal.png"
models = ["efficientnet_b0"]      # cxrbench models
methods = ["grad_cam"]            # cxrbench methods
finding = "Pleural Effusion"

[steps.values.score]              # {score} in the texts
quantity = "score"

[steps.values.after]
quantity = "score_without"

[steps.question]                  # a choice: the option whose range holds the computed value is right
ask = "The effusion is taken away. What happens to the score?"
answer = "after"
options = [
  { text = "It hardly changes", from = 0.8 },
  { text = "It falls by about half", from = 0.3, to = 0.8 },
  { text = "It falls to almost nothing", to = 0.3 },
]
# Or a number:  answer = "after"   tolerance = 0.1
'''
