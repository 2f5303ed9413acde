"""Terms of the glossary on the pages: explained once, where they appear first."""

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st

    from cxrbench.app.widgets import terms

    if "again" not in st.session_state:
        terms.begin_page()
    terms.caption("A **score** of a finding.")
    terms.caption("Another score, and its threshold.")


def texts(at: AppTest) -> list[str]:
    return [element.proto.body for element in at.get("html")]


def test_a_term_is_explained_once_per_page_and_in_the_same_place_when_a_part_is_drawn_again() -> None:
    at = AppTest.from_function(_page).run()
    first = texts(at)
    assert "<strong><button" in first[0]
    assert [text.count("<button") for text in first] == [2, 1]
    at.session_state["again"] = True  # as in a run of a fragment, before which no page begins
    assert texts(at.run()) == first
