"""Links to other pages that also a page without a navigation can draw."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from cxrbench.app.navigation import PAGES, page_file

__all__ = ["page_link"]


def page_link(
    page: str,
    label: str,
    *,
    icon: str | None = "",
    query_params: Mapping[str, str] | Sequence[tuple[str, str]] = (),
) -> None:
    """Draw a link to a page of the workbench that keeps the session.

    Args:
        page: a key of `cxrbench.app.navigation.PAGES`.
        label: its text, Markdown.
        icon: as Streamlit names it; "" for the page's own, None for none.
        query_params: of the address.
    """
    symbol = f":material/{PAGES[page].icon}:" if icon == "" else icon
    try:
        st.page_link(page_file(page), label=label, icon=symbol, query_params=query_params or None)
    except StreamlitPageNotFoundError:  # a script of pages/ that is run by itself knows no other page
        address = f"{page}?{urlencode(query_params)}" if query_params else page
        st.markdown(f"{symbol or ''} [{label}]({address})")
