"""A chest whose truth is known: which findings, how severe, on what film, and where exactly are they?"""

from functools import partial

import streamlit as st

from cxrbench.app.compare.url import link_to
from cxrbench.app.navigation import page_file
from cxrbench.app.phantom import controls, view
from cxrbench.app.services import phantoms
from cxrbench.app.services.phantom_order import Order
from cxrbench.data.phantom import Phantom
from cxrbench.errors import InputError


def film(order: Order, phantom: Phantom) -> None:
    """The picture, where it can go from here, and what is outlined on it."""
    names = list(view.regions(phantom))
    present = [name for name in names if name in phantom.masks]
    key = f"outlined {' '.join(names)}"
    shown = st.session_state.get(key, present)
    ways_on(order, phantom)
    st.image(
        view.drawing(phantom, shown),
        width="stretch",
        alt=f"{phantom.view} film of a simulated chest with {', '.join(present) or 'no finding'}; outlined: "
        f"{', '.join(shown) or 'nothing'}.",
    )
    st.pills("Outlined", names, selection_mode="multi", wrap=True, default=present, key=key, help=OUTLINES)


def ways_on(order: Order, phantom: Phantom) -> None:
    """Buttons above the film, so that they are seen without scrolling: to Compare, and to files."""
    name = view.name_of(order)
    with st.container(horizontal=True, gap="xsmall"):
        if st.button("Explain on Compare", icon=":material/compare:", type="primary", key="to_compare"):
            st.switch_page(page_file("compare"), query_params=link_to(phantoms.radiograph(order)))
        save = partial(st.download_button, on_click="ignore", icon=":material/download:")
        save("Film (PNG)", partial(view.png, phantom.image), f"{name}.png", "image/png")
        data = partial(view.archive, phantom, order)
        save("Film, masks, truth (ZIP)", data, f"{name}.zip", "application/zip")


OUTLINES = (
    "A finding's outline holds the pixels where it changed the beam's attenuation by more than 2 %. A parent "
    "in CheXpert's hierarchy holds what its children hold. Heart: as it is; lungs: as if healthy."
)


@st.fragment
def bench() -> None:
    """Film, controls and truth: one fragment, so that quick changes are taken together."""
    left, middle, right = st.columns([1.45, 1.1, 1.35], gap="medium")
    with middle:
        order = controls.pick()
    with left:
        try:
            with st.spinner("Taking the film …"):
                phantom = phantoms.simulate(order)
        except InputError as error:
            st.error(str(error))
            return
        film(order, phantom)
    with right:
        view.say_truth(phantom)


def draw() -> None:
    """What a phantom is, and the bench."""
    st.caption(view.ABOUT)
    bench()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
