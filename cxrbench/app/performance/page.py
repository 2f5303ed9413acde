"""The Performance page: evaluation of models and ensembles from stored or uploaded predictions."""

from collections.abc import Callable

import streamlit as st

from cxrbench.app.performance import calibration, cases, subgroups, tables
from cxrbench.app.performance.controls import SelectedSystems, follow_link, pick
from cxrbench.app.widgets import terms

# Earlier names of parts in links → present names.
_RENAMED = {"Two compared": "Paired comparison", "Who is best?": "Leaderboard"}


def draw() -> None:
    """Apply the URL, then draw the page."""
    follow_link()
    _draw()


@st.fragment
@terms.part
def _draw() -> None:
    """Draw the controls and the selected tab; the other tabs compute nothing."""
    selected = pick()
    if selected is None:
        return
    systems, finding = selected.systems, selected.finding
    parts: dict[str, Callable[[], None]] = {
        "Curves": lambda: _curves_with_cases(selected),
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


def _curves_with_cases(selected: SelectedSystems) -> None:
    tables.curves_part(selected.systems, selected.finding, selected.selection.rule)
    cases.cases_part(selected.systems)


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
