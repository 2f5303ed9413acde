"""The cell of the confusion matrix whose images are listed: the one clicked last, which the address holds."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from cxrbench.app.performance.curves.schema import CellClick
from cxrbench.evaluation import System

__all__ = ["CELL", "KINDS", "Cell", "parameter", "shown_cell", "take_click"]

CELL: Final = "judge_cell"  # session state: kind, system, threshold and finding, as texts in this order
KINDS: Final[Mapping[str, str]] = {
    "hits": "true positives: present, predicted present",
    "alarms": "false positives: absent, predicted present",
    "misses": "false negatives: present, predicted absent",
    "rejections": "true negatives: absent, predicted absent",
}


@dataclass(frozen=True)
class Cell:
    """A cell of the confusion matrix of one system and finding.

    Args:
        kind: a key of ``KINDS``.
        system: whose decisions are counted.
        threshold: scores at or above it are predicted present.
        finding: one of the system's labels.
    """

    kind: str
    system: System
    threshold: float
    finding: str


def take_click(click: CellClick) -> None:
    """Make a cell that was clicked the one whose images are listed."""
    st.session_state[CELL] = [
        click["kind"],
        click["system"],
        repr(float(click["threshold"])),
        click["finding"],
    ]


def shown_cell(systems: Sequence[System]) -> Cell | None:
    """The cell whose images are listed; None if there is none, or these systems have no such cell."""
    texts: Sequence[str] = st.session_state.get(CELL) or ("",) * 4
    if len(texts) != 4:
        return None
    kind, name, threshold, finding = texts
    system = next((each for each in systems if each.name == name), None)
    if system is None or kind not in KINDS or finding not in system.shown.labels:
        return None
    try:
        return Cell(kind, system, float(threshold), finding)
    except ValueError:
        return None


def parameter(systems: Sequence[System], own: Collection[str]) -> list[str]:
    """What the address holds of the cell; nothing for a system of a file that was uploaded.

    Args:
        systems: that are shown.
        own: names of those that were uploaded.
    """
    cell = shown_cell(systems)
    return list(st.session_state[CELL]) if cell is not None and cell.system.name not in own else []
