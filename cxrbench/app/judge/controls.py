"""Controls of the Judge page: which results, model, finding, criterion and method are in view."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
import streamlit as st

from cxrbench.app.judge.results import (
    Results,
    available_results,
    is_control,
    method_title,
    show_problems,
    uploader,
)
from cxrbench.app.judge.words import criterion_words
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.multi_select import multi_select
from cxrbench.app.widgets.url import follow, keep
from cxrbench.judge import CRITERIA
from cxrbench.workflows.judge import DEFAULT_CRITERIA

__all__ = ["ALL_FINDINGS", "Selection", "follow_link", "pick"]

ALL_FINDINGS: Final = "All findings"
_MOST_COLUMNS: Final = 9  # criteria shown at first

# Query parameter → key of the control that it sets.
_LINK: Final = {
    "model": "results_model",
    "finding": "results_finding",
    "criterion": "results_criterion",
    "criteria": "results_criteria",
    "method": "results_method",
}


@dataclass(frozen=True)
class Selection:
    """What is in view.

    Args:
        results: the judged maps.
        model: one of their models.
        finding: one of their findings, or ``ALL_FINDINGS``.
        criterion: the criterion that sorts the methods.
        criteria: those in the table; the criterion is one of them.
        method: the method whose films and scorecard are shown.
    """

    results: Results
    model: str
    finding: str
    criterion: str
    criteria: tuple[str, ...]
    method: str

    @property
    def rows(self) -> pd.DataFrame:
        """The judged maps of this model and finding, of all methods and criteria."""
        table = self.judged.table
        return table if self.finding == ALL_FINDINGS else table[table["finding"] == self.finding]

    @property
    def judged(self) -> Results:
        """The results of this model."""
        return self.results.of_model(self.model)


def follow_link() -> None:
    """Set the controls to the URL's query parameters; to be called outside of fragments."""
    follow(_LINK, lists=("criteria",))


def pick() -> Selection | None:
    """Draw the controls; return None, with a message, if there is nothing to show."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="judge"):
        controls = st.container(horizontal=True, vertical_alignment="bottom", key="controls")
        available = available_results()
        uploader()
    show_problems()
    if not available:
        st.info(
            "There are no judged results yet. `cxrbench judge --films 24 --out judged` judges the first "
            "installed model's maps on phantoms, whose truth is known (about 20 seconds per film and core); "
            "then open judged/judged.parquet with “Your own results”."
        )
        return None
    with controls:
        selection = _selection(available)
    if selection is None:
        st.info(
            "These results have none of the criteria that this version knows: "
            "judge again with this version, or open other results."
        )
        return None
    keep(
        {
            "model": [selection.model],
            "finding": [selection.finding],
            "criterion": [selection.criterion],
            "criteria": list(selection.criteria),
            "method": [selection.method],
        }
    )
    terms.caption(_counts(selection))
    return selection


def _selection(available: dict[str, Results]) -> Selection | None:
    keys = list(available)
    key = keys[0]
    if len(keys) > 1:
        key = _select("Results", keys, "results_key", titles=lambda name: available[name].title, width=190)
    results = available[key]
    model = _select("Model", results.models, "results_model", width=190)
    judged = results.of_model(model)
    if not judged.criteria:
        return None
    finding = _select("Finding", [ALL_FINDINGS, *judged.findings], "results_finding", width=200)
    criterion = _select(
        "Judged by",
        judged.criteria,
        "results_criterion",
        titles=lambda name: CRITERIA[name].title,
        width=220,
        about="The criterion that sorts the methods, and by which the two questions are answered.",
    )
    method = _select(
        "Method",
        sorted(judged.methods, key=is_control),
        "results_method",
        titles=method_title,
        width=210,
        about="The method of the parts “Best and worst films” and “Scorecard”.",
    )
    shown = multi_select(
        "Criteria",
        {name: CRITERIA[name].title for name in judged.criteria},
        _default_criteria(judged.criteria),
        "results_criteria",
        about="The columns of the table of methods.\n\n"
        + "\n\n".join(f"**{CRITERIA[name].title}**: {criterion_words(name)}" for name in judged.criteria),
    )
    criteria = tuple(name for name in judged.criteria if name in shown or name == criterion)
    return Selection(results, model, finding, criterion, criteria, method)


def _select(
    label: str,
    options: Sequence[str],
    key: str,
    *,
    titles: Callable[[str], str] = str,
    width: int,
    about: str | None = None,
) -> str:
    """A select box whose value is one of its options at every run, also after other results were opened."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    chosen: str = st.selectbox(label, options, format_func=titles, key=key, width=width, help=about)
    return chosen


def _default_criteria(criteria: Collection[str]) -> list[str]:
    usual = [name for name in criteria if name in DEFAULT_CRITERIA]
    return usual or list(criteria)[:_MOST_COLUMNS]


def _counts(selection: Selection) -> str:
    results, rows = selection.results, selection.rows
    maps = rows.drop_duplicates(["film", "finding"])
    text = (
        f"{results.title}: {maps['film'].nunique():,} films of {maps['patient'].nunique():,} patients, "
        f"{len(maps):,} maps per method. Means over films of the means over a film's findings; brackets: "
        "95 % bootstrap intervals by patient."
    )
    if results.unknown:
        text += f" Not shown, since this version does not know them: {', '.join(results.unknown)}."
    return text
