"""What happens to a film before a network sees it, and what training does to it on purpose."""

import streamlit as st

from cxrbench.app.preparation import augmentation, preprocessing
from cxrbench.app.services.radiographs import Source
from cxrbench.preprocess import Preprocessing


def show_steps(source: Source, recipe: Preprocessing) -> None:
    """Six pictures, from the file to the network and back."""
    preprocessing.show(preprocessing.steps(source, recipe))
    st.caption(
        "A model is saved with its recipe. Training, this bench, the command line and the library apply the "
        "same one; a network that is fed otherwise answers all the same, and wrongly."
    )


def show_changes(source: Source, recipe: Preprocessing) -> None:
    """One augmentation by hand, before and after, and all of them as training draws them."""
    image, mask, name = augmentation.scene(source, recipe)
    controls, before, after = st.columns([1, 1.3, 1.3], gap="medium")
    with controls:
        _, change = augmentation.pick_change()
        st.caption(f"Orange: {name}. Masks go where pixels go.")
    cells = (
        augmentation.cell("Before", "As the recipe prepares it, not cropped.", image, mask),
        augmentation.cell(
            "After", "What comes in from outside is black.", change.image(image), change.mask(mask)
        ),
    )
    for column, cell in zip((before, after), cells, strict=True):
        with column:
            preprocessing.show([cell], 1)
    st.header("All of them, by one draw")
    st.caption("Wider than recipes usually go, so that one sees what happens.")
    draw = st.slider("Draw number", 1, 50, 1, key="aug_draw", help="The same number gives the same pictures.")
    sheet = augmentation.sheet(image, mask, draw)
    mixed = augmentation.mixed(image, source, recipe, draw)
    preprocessing.show(sheet + ([mixed] if mixed else []))


@st.fragment
def bench() -> None:
    """Controls and pictures: one fragment, so that quick changes are taken together."""
    left, right = st.columns([1, 3.4], gap="medium")
    with left:
        source = preprocessing.pick_film()
        recipe = preprocessing.pick_recipe()
    with right:
        if source is None:
            st.info("There are no gallery cases here: open your own image on the left.")
            return
        one, other = st.tabs(["Step by step", "Augmentation"], key="prep_tabs", bind="query-params")
        for tab, body in ((one, show_steps), (other, show_changes)):
            if tab.open:
                with tab:
                    body(source, recipe)


def draw() -> None:
    """What preprocessing is for, and the bench."""
    st.caption(
        "A network never sees a film as you do. Follow one film through every step of a recipe, and see what "
        "training may do to it so that a network learns the disease and not the exposure."
    )
    bench()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
