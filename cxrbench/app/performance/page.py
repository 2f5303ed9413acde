"""How well do the models do? Curves, thresholds, intervals, groups and errors, from predictions alone."""

from collections.abc import Callable

import streamlit as st

from cxrbench.app.performance import calibration, cases, subgroups, tables
from cxrbench.app.performance.controls import follow_link, pick

# Links to a part keep working under its earlier name.
_RENAMED = {"Two compared": "Paired comparison", "Who is best?": "Leaderboard"}


def draw() -> None:
    """What the address asks for, or what was chosen since."""
    follow_link()
    _draw()


@st.fragment
def _draw() -> None:
    """Controls and the open part: hidden parts do no work."""
    asked = pick()
    if asked is None:
        return
    systems, finding = asked.systems, asked.finding
    parts: dict[str, Callable[[], None]] = {
        "Curves": lambda: cases.cases_part(
            systems, tables.curves_part(systems, finding, asked.question.rule)
        ),
        "All findings": lambda: tables.table_part(systems),
        "Paired comparison": lambda: tables.pair_part(systems),
        "Calibration": lambda: calibration.calibration_part(systems, finding),
        "Groups": lambda: subgroups.groups_part(systems, finding),
        "Agreement": lambda: subgroups.agreement_part(systems, finding),
        "Leaderboard": lambda: subgroups.ranking_part(systems),
    }
    renamed = _RENAMED.get(st.query_params.get("performance_part", ""))
    if renamed and "performance_part" not in st.session_state:
        st.session_state["performance_part"] = renamed
    tabs = st.tabs(list(parts), key="performance_part", bind="query-params")
    for tab, section in zip(tabs, parts.values(), strict=True):
        with tab:
            if tab.open:
                section()


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
