"""Terms of the glossary on the pages: explained once, where they appear first."""

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.widgets import terms
from cxrbench.teaching.glossary import GLOSSARY


def _page() -> None:
    import streamlit as st

    from cxrbench.app.widgets import terms

    @terms.part
    def part() -> None:
        terms.caption(st.session_state.get("changed", "A **score** of a finding."))
        terms.markdown("Another score, and its [threshold](/about): `threshold`, <b>threshold</b>.")

    if "again" not in st.session_state:
        terms.begin_page()
        terms.markdown("A finding.")
    part()
    terms.subheader("Baselines and a score")
    st.session_state["sent"] = terms.meanings("a baseline", "Stages, a stage")


def marked(at: AppTest) -> list[int]:
    """How many terms each text explains."""
    return [each.value.count("<button") for each in [*at.caption, *at.markdown]]


def test_a_term_is_explained_once_per_page_where_it_appears_first() -> None:
    at = AppTest.from_function(_page).run()
    assert marked(at) == [1, 1, 1]  # score; finding; threshold, neither as a link nor in code
    assert "**<button" in at.caption[0].value
    text = at.markdown[1].value
    assert text.startswith("Another score, and its [threshold](/about): `threshold`, &lt;b&gt;<button")


def test_a_part_that_is_drawn_again_with_another_text_explains_its_terms_again() -> None:
    at = AppTest.from_function(_page).run()
    at.session_state["again"] = True  # as in a run of a fragment, before which no page begins
    at.session_state["changed"] = "A finding of a model."
    at.run()
    assert [each.value.count("<button") for each in at.caption] == [
        1
    ]  # of the model: the finding is explained
    assert ">score</button>" in at.markdown[0].value


def test_a_heading_explains_its_terms_in_its_help_and_a_component_gets_only_the_terms_that_it_shows() -> None:
    at = AppTest.from_function(_page).run()
    assert at.subheader[0].proto.help == f"**baseline**: {GLOSSARY['baseline'].meaning}"
    stage = GLOSSARY["stage"].meaning
    assert at.session_state["sent"] == {"baseline": "", "stages": stage, "stage": stage}


def test_no_component_gives_a_class_of_the_terms_to_something_else() -> None:
    app = Path(main.__file__).parent
    of_terms = set(re.findall(r"\.([a-z][\w-]*)", terms.STYLES.read_text(encoding="utf-8")))
    assert {"term", "meaning"} <= of_terms
    beginning = re.compile(r"(?:^|[,}])\s*\.([a-z][\w-]*)", re.MULTILINE)  # of a selector
    found = {
        (path.parent.name, name)
        for path in app.rglob("*.css")
        if path != terms.STYLES
        for name in beginning.findall(path.read_text(encoding="utf-8"))
        if name in of_terms
    }
    assert found == set()
