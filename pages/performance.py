"""How well do the models do? Curves, thresholds, intervals, groups and errors, from predictions alone."""

import streamlit as st

from cxrbench.app import cases, performance, reliable, scrutiny
from cxrbench.app.judge import pick

# Links to a part keep working under its earlier name.
_RENAMED = {"Two compared": "Paired comparison", "Who is best?": "Leaderboard"}


@st.fragment
def page() -> None:
    """Controls and the open part: hidden parts do no work."""
    asked = pick()
    if asked is None:
        return
    systems, finding = asked.systems, asked.finding
    parts = {
        "Curves": lambda: cases.cases_part(
            systems, performance.curves_part(systems, finding, asked.question.rule)
        ),
        "All findings": lambda: performance.table_part(systems),
        "Paired comparison": lambda: performance.pair_part(systems),
        "Calibration": lambda: reliable.calibration_part(systems, finding),
        "Groups": lambda: scrutiny.groups_part(systems, finding),
        "Agreement": lambda: scrutiny.agreement_part(systems, finding),
        "Leaderboard": lambda: scrutiny.ranking_part(systems),
    }
    renamed = _RENAMED.get(st.query_params.get("performance_part", ""))
    if renamed and "performance_part" not in st.session_state:
        st.session_state["performance_part"] = renamed
    tabs = st.tabs(list(parts), key="performance_part", bind="query-params")
    for tab, draw in zip(tabs, parts.values(), strict=True):
        with tab:
            if tab.open:
                draw()


page()
