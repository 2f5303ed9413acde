"""Lists of cases on the Performance page: those behind a count, with links to their heat maps."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.navigation import page_file
from cxrbench.app.performance.curves.schema import CellClick
from cxrbench.app.widgets.tables import numbers, rounded
from cxrbench.compare import gallery
from cxrbench.evaluation import System

__all__ = ["KINDS", "MOST", "about", "case_table", "cases_part", "draw"]

KINDS: Final[Mapping[str, str]] = {
    "hits": "true positives: present and called",
    "alarms": "false positives: absent, yet called",
    "misses": "false negatives: present, not called",
    "rejections": "true negatives: absent and not called",
}
MOST: Final = 200  # cases listed


def cases_part(systems: Sequence[System], cell: CellClick | None) -> None:
    """The images behind a count that was clicked; those of the gallery can be opened."""
    if cell is not None:
        st.session_state["cell"] = dict(cell)
    asked = st.session_state.get("cell")
    by_name = {system.name: system for system in systems}
    if not asked or asked.get("system") not in by_name or asked.get("kind") not in KINDS:
        return
    system = by_name[asked["system"]]
    if asked.get("finding") not in system.shown.labels:
        return
    finding, threshold = asked["finding"], float(asked["threshold"])
    listed = case_table(system, finding, asked["kind"], threshold)
    at = f" at threshold {threshold:.4g}" if system.graded else ""
    st.header(f"{system.title}, {finding}{at}: {KINDS[asked['kind']]}")
    if listed.empty:
        st.info("There is no such case.")
        return
    draw(listed, finding, [name for name in by_name if not by_name[name].ensemble], asked["kind"])


def case_table(system: System, finding: str, kind: str, threshold: float) -> pd.DataFrame:
    """The images of one cell of the confusion matrix, the most confident predictions first.

    Args:
        system: the system whose decisions are counted.
        finding: a label.
        kind: a key of ``KINDS``.
        threshold: scores from it on are called present; systems that vote have their own decisions.
    """
    column = system.shown.labels.index(finding)
    truth, scores = system.shown.targets[:, column], system.shown.scores[:, column]
    called = scores.astype(np.float64) >= threshold if system.graded else system.calls[:, column]
    wanted = {
        "hits": called & (truth == 1),
        "alarms": called & (truth == 0),
        "misses": ~called & (truth == 1),
        "rejections": ~called & (truth == 0),
    }[kind]
    rows = np.flatnonzero(wanted)
    surest = scores[rows] if kind in ("misses", "rejections") else -scores[rows]
    return about(system, rows[np.argsort(surest, kind="stable")], column)


def about(system: System, rows: np.ndarray, column: int) -> pd.DataFrame:
    """Columns for a list of cases: image, score, findings present in truth, and sex, age and projection."""
    table, truth = system.shown.table.iloc[rows], system.shown.targets[rows]
    labels = np.array(system.shown.labels)
    found = [", ".join(labels[row == 1]) or "none" for row in truth]
    listed = pd.DataFrame(
        {
            "image": np.where(table["path"] != "", table["path"], table["patient"]),
            "score": system.shown.scores[rows, column],
            "present in truth": found,
        }
    )
    for name in ("sex", "age", "projection"):
        if (table[name].notna() & (table[name] != "")).any():
            listed[name] = table[name].to_numpy()
    return listed


def draw(listed: pd.DataFrame, finding: str, models: Sequence[str], name: str) -> None:
    """Draw the cases: those of the gallery as links to Compare, the first of all as a table."""
    known = {entry.study: entry for entry in gallery.cases() if entry.study}
    here = [
        entry
        for study, entry in known.items()
        if any(path == study or path.endswith(f"/{study}") for path in listed["image"])
    ]
    if here:
        st.markdown("In the gallery, with heat maps:")
        chosen = [model for model in models if model in gallery.models()] or list(gallery.models())[:1]
        with st.container(horizontal=True):
            for entry in here:
                link = [("case", entry.id), ("findings", finding), *(("models", model) for model in chosen)]
                st.page_link(
                    page_file("compare"), label=entry.title, icon=":material/compare:", query_params=link
                )
    more = f", the first {MOST} of them" if len(listed) > MOST else ""
    st.caption(
        f"{len(listed):,} images{more}, the most confident predictions first. Images outside the gallery "
        "are only named: their scores are stored, not their pixels."
    )
    st.dataframe(listed[:MOST], hide_index=True, column_config=rounded(listed))
    numbers(listed, f"cases-{name}")
