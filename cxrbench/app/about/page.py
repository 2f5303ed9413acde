"""About the workbench: how to read a heat map, the methods, the models, and their limits."""

import streamlit as st

from cxrbench.app.about import catalogue
from cxrbench.app.widgets import terms

_PURPOSE = (
    "A classifier of chest radiographs outputs one score per finding. This workbench shows which pixels a "
    "score is **sensitive to**, for several methods and models on one radiograph, so that they can be "
    "compared with each other and with the ground truth. It is made for teaching and research."
)

_READING = """
- **A heat map explains a score, not a disease.** Where relevance is high, changing the pixels would change
  the score. That need not be where the lesion is: a drain, a letter in the corner or the edge of the image
  can change a score too.
- **CAM maps** (yellow on blue) show only what raises the score, at the low resolution of a feature map.
  **Integrated gradients** has one value per pixel: orange raises the score, blue lowers it.
- **Each map has its own colour scale**, unless you choose a common scale above the pictures. On their own
  scales, a weak and a strong map look alike; on a common scale they can be compared.
- **Read the text below the picture**: score and threshold, resolution, and whether the map is empty,
  constant, unfinished, or equal to another map by construction.
- **The dashed line** is the true extent of the finding. It is known for simulated radiographs only, **not
  for uploaded images**.
- **Agreement is not proof.** Two methods may agree because they share computations, and a map may look
  plausible although the prediction is wrong.
"""

_LIMITS = """
- **Not for clinical use.** Nothing here has been validated for diagnosis or approved as a medical device.
- The models that ship with the workbench were trained on simulated radiographs. On real radiographs their
  scores mean little.
- A score between 0 and 1 is not a probability of disease: it depends on how common the finding was in
  training.
- A map depends on settings: the stage of a CAM, the baseline and steps of integrated gradients. They are
  set in “More”, and stored in every link and every bundle.
- An uploaded image stays in the memory of the machine that runs the workbench, and is deleted when you leave.
"""


def draw() -> None:
    """Draw the page, in lines of readable length."""
    with st.container(width=960):
        terms.markdown(_PURPOSE)

        st.header("How to read a heat map")
        terms.markdown(_READING)

        st.header("Methods")
        terms.caption(
            "Each name links to its paper. The caveat is what to keep in mind when you read its maps."
        )
        catalogue.methods()

        st.header("Models")
        catalogue.models()

        st.header("Limits")
        terms.markdown(_LIMITS)


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
