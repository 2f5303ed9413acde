"""What this is, how to read a heat map, what each method does, which models are here, and their limits."""

import streamlit as st

from cxrbench.app.about import catalogue

_PURPOSE = (
    "Networks that read chest radiographs answer with a score for each finding. This bench shows which "
    "pixels such a score is **sensitive to**, by several methods and models on one radiograph, so that "
    "they can be held against each other and against the truth. It is made for teaching and research."
)

_READING = """
- **It explains a score, not a disease.** Where a map glows, changing the pixels would change the score.
  That need not be where a lesion is: a drain, a letter in the corner or the edge of the film can move a
  score too.
- **CAM maps** (yellow on blue) keep only what raises the score, on the coarse grid of a feature map: a blob
  is as fine as it gets. **Integrated gradients** has a value for every pixel: orange raises the score, blue
  lowers it.
- **Each map has its own scale** unless you choose another above the pictures; then strong and weak maps can
  be compared. A faint map of a high score and a bright map of a low one look alike on their own scales.
- **Read the words below the picture**: score and threshold, the grid, whether the map is empty, constant,
  unfinished, or bound to equal another one by construction.
- **The dashed line**, where there is one, is the true extent of the finding, known because the radiograph
  is simulated. **The truth of an uploaded image is not known here.**
- **Agreement is not proof.** Two methods may agree because they share their arithmetic, and a map may look
  right while the model is wrong.
"""

_LIMITS = """
- **Not for clinical use.** Nothing here was tested on patients for diagnosis, and nothing was approved.
- The models that come with the bench learned from simulated radiographs. On real ones their scores mean
  little, which is itself worth seeing.
- A score between 0 and 1 is not a probability of disease: it depends on how common a finding was in
  training.
- A map depends on choices: the stage a CAM reads, the baseline and steps of integrated gradients. They are
  in “More”, in every link and in every bundle.
- An uploaded image stays in the memory of the machine that runs the bench and is gone when you leave.
"""


def draw() -> None:
    """Texts and tables, in lines that can be read."""
    with st.container(width=960):
        st.markdown(_PURPOSE)

        st.header("How to read a map")
        st.markdown(_READING)

        st.header("What each method does")
        st.caption(
            "Each name leads to its paper. A caveat for each: what to keep in mind when you read its maps."
        )
        catalogue.methods()

        st.header("The models")
        catalogue.models()

        st.header("Limits")
        st.markdown(_LIMITS)


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
