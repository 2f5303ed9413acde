"""Simulate a radiograph with chosen findings, and show their exact masks."""

from functools import partial

import streamlit as st

from cxrbench.app.compare.url import link_to
from cxrbench.app.navigation import page_file
from cxrbench.app.phantom import controls, view
from cxrbench.app.services import phantoms
from cxrbench.app.services.phantom_settings import PhantomSettings
from cxrbench.app.widgets import terms
from cxrbench.data.phantom import Phantom
from cxrbench.errors import InputError
from cxrbench.figures.outline import smallest_region


def film(settings: PhantomSettings, phantom: Phantom) -> None:
    """Draw the radiograph, buttons to explain or download it, and the choice of outlines."""
    names = list(view.regions(phantom))
    present = [name for name in names if name in phantom.masks]
    key = f"outlined {' '.join(names)}"
    shown = st.session_state.get(key, present)
    actions(settings, phantom)
    st.image(
        view.drawing(phantom, shown),
        width="stretch",
        alt=f"{phantom.view} radiograph of a simulated chest with {', '.join(present) or 'no finding'}; "
        f"outlined: {', '.join(shown) or 'nothing'}.",
    )
    st.pills("Outlines", names, selection_mode="multi", wrap=True, default=present, key=key, help=OUTLINES)


def actions(settings: PhantomSettings, phantom: Phantom) -> None:
    """Buttons above the radiograph, visible without scrolling: explain on Compare, download."""
    stem = view.file_stem(settings)
    with st.container(horizontal=True, gap="xsmall"):
        if st.button("Explain on Compare", icon=":material/compare:", type="primary", key="to_compare"):
            st.switch_page(page_file("compare"), query_params=link_to(phantoms.radiograph(settings)))
        save = partial(st.download_button, on_click="ignore", icon=":material/download:")
        save("PNG", partial(view.png, phantom.image), f"{stem}.png", "image/png")
        data = partial(view.archive, phantom, settings)
        save("ZIP with masks and truth", data, f"{stem}.zip", "application/zip")


OUTLINES = (
    "A finding's mask holds the pixels where it changed the attenuation of the beam by more than 2 %. The "
    "mask of a parent in CheXpert's hierarchy is the union of its children's. The heart is outlined as "
    "simulated, the lungs as if healthy. "
    f"Regions under {smallest_region((phantoms.SIZE, phantoms.SIZE))} pixels beside larger ones are omitted."
)


@st.fragment
@terms.part
def workspace() -> None:
    """Radiograph, controls and ground truth, in one fragment: quick changes lead to one rerun."""
    left, middle, right = st.columns([1.45, 1.1, 1.35], gap="medium")
    with middle:
        settings = controls.pick()
    with left:
        try:
            with st.spinner("Simulating the radiograph …"):
                phantom = phantoms.simulate(settings)
        except InputError as error:
            st.error(str(error))
            return
        film(settings, phantom)
    with right:
        view.show_truth(phantom)


def draw() -> None:
    """Draw the page."""
    workspace()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
