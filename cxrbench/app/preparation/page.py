"""Preprocessing and augmentation of one radiograph, step by step."""

import streamlit as st

from cxrbench.app.preparation import augmentation, preprocessing
from cxrbench.app.services.radiographs import Source
from cxrbench.app.widgets import terms
from cxrbench.preprocess import Preprocessing


def show_steps(source: Source, settings: Preprocessing) -> None:
    """Draw six pictures, from the file to the network's input and back."""
    preprocessing.show(preprocessing.steps(source, settings))
    terms.caption(
        "A model is saved with its preprocessing. Training, this workbench, the command line and the library "
        "all apply it. A network that is given other input returns scores all the same, and wrong ones."
    )


def show_augmentations(source: Source, settings: Preprocessing) -> None:
    """Draw one augmentation with sliders, before and after, and all with random parameters."""
    image, mask, name = augmentation.prepared(source, settings)
    controls, before, after = st.columns([1, 1.3, 1.3], gap="medium")
    with controls:
        chosen = augmentation.pick_augmentation()
        terms.caption(f"Orange: {name}. A mask is transformed with its image.")
    steps = (
        augmentation.step("Before", "After preprocessing, without the crop.", image, mask),
        augmentation.step(
            "After", "Pixels from outside the image are black.", chosen.image(image), chosen.mask(mask)
        ),
    )
    for column, step in zip((before, after), steps, strict=True):
        with column:
            preprocessing.show([step], 1)
    st.header("All augmentations, with random parameters")
    terms.caption("Stronger than in most training recipes, so that the effect is visible.")
    seed = st.slider("Seed", 1, 50, 1, key="aug_draw", help="The same seed gives the same pictures.")
    mixed = augmentation.mixed_up(image, source, settings, seed)
    preprocessing.show(augmentation.augmented(image, mask, seed) + ([mixed] if mixed else []))


@st.fragment
@terms.part
def workspace() -> None:
    """Controls and pictures, in one fragment: quick changes lead to one rerun."""
    left, right = st.columns([1, 3.4], gap="medium")
    with left:
        source = preprocessing.pick_radiograph()
        settings = preprocessing.pick_preprocessing()
    with right:
        if source is None:
            st.info("There are no gallery cases: open your own image on the left.")
            return
        steps_tab, augmentation_tab = st.tabs(
            ["Step by step", "Augmentation"], key="prep_tabs", bind="query-params"
        )
        for tab, draw_tab in ((steps_tab, show_steps), (augmentation_tab, show_augmentations)):
            if tab.open:
                with tab:
                    draw_tab(source, settings)


def draw() -> None:
    """Draw the page."""
    workspace()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
