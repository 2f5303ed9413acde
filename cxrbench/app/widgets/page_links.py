"""Links to other pages that also a page without a navigation can draw."""

from collections.abc import Mapping

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from cxrbench.app.navigation import page_file

__all__ = ["page_link"]


def page_link(page: str, label: str, *, icon: str, query_params: Mapping[str, str] | None = None) -> None:
    """Draw a link to a page; its label alone where the page is drawn without the navigation.

    Args:
        page: a key of `cxrbench.app.navigation.PAGES`.
        label: its text.
        icon: as Streamlit names it.
        query_params: of the address.
    """
    try:
        st.page_link(page_file(page), label=label, icon=icon, query_params=query_params)
    except StreamlitPageNotFoundError:  # a script of pages/ that is run by itself
        st.caption(label)
