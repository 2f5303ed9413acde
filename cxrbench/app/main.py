"""The main script: navigation, title and disclaimer of every page; computes nothing."""

from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from cxrbench.app.navigation import PAGES, open_pages, page_file
from cxrbench.app.widgets import presenter, terms
from cxrbench.compare import DISCLAIMER

_FOLDER: Final = Path(__file__).resolve().parent
_SPELT_OUT: Final = "start"  # the first page's own address is "/"; links that spell it out open it too


def main() -> None:
    """Draw navigation, disclaimer and title, and the page of the URL."""
    # Before the navigation: without an icon, browsers would fetch each page's icon from Google's servers.
    st.set_page_config(page_title="cxrbench", page_icon=str(_FOLDER / "icon.svg"), layout="wide")
    first, *others = _pages()
    page = st.navigation([first, *others], position="top")
    # As lists: of pairs with the same name, Streamlit would keep the last.
    values = {name: st.query_params.get_all(name) for name in st.query_params}
    if page.url_path == _SPELT_OUT:
        st.switch_page(first)  # the navigation marks only the entry that is visible
    begins = "opened" not in st.session_state
    st.session_state["opened"] = True
    if begins and page == first and values:
        # The first page has no settings: links to "/" with some are of the time when Compare was there. Later
        # in a session "/" has those of another page after Back, since Streamlit writes them before it leaves.
        st.switch_page(page_file("compare"), query_params=values)
    if page != first:
        st.set_page_config(page_title=f"{page.title} · cxrbench")
    for sheet in (_FOLDER / "main.css", terms.STYLES):
        st.html(sheet)
    terms.begin_page()
    presented = page.url_path in presenter.PRESENTED and presenter.presenting()
    with st.container(key="disclaimer"):
        st.markdown(f"**Not for clinical use.** {DISCLAIMER}")
    with st.container(horizontal=True, vertical_alignment="bottom", key="heading"):
        st.title(page.title, anchor=False, width="content")
        if page != first:
            purpose = next(each.purpose for each in PAGES.values() if each.title == page.title)
            # Presenter view hides the sentence: its terms are to be explained below.
            st.html(f'<p class="purpose">{purpose if presented else terms.with_meanings(purpose)}</p>')
        if page.url_path in presenter.PRESENTED:
            presenter.draw_switch()
            if presented:
                st.html(_FOLDER / "presenter.css")
    page.run()


def _pages() -> list[StreamlitPage]:
    pages = [
        st.Page(
            page_file(name),
            title=page.title,
            icon=f":material/{page.icon}:",
            url_path="home" if index == 0 else name,
            default=index == 0,
            help=page.purpose,
        )
        for index, (name, page) in enumerate(open_pages().items())
    ]
    spelt_out = st.Page(page_file("start"), title="cxrbench", url_path=_SPELT_OUT, visibility="hidden")
    return [*pages, spelt_out]


if __name__ == "__main__":
    main()
