"""Tab of the Judge page: criteria that disagree, and which cheap one ranks methods as the twins do."""

from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.judge.controls import Selection
from cxrbench.app.judge.results import is_control
from cxrbench.app.judge.words import criterion_words, number
from cxrbench.app.widgets import charts, terms
from cxrbench.app.widgets.tables import number_columns, table_expander
from cxrbench.figures.charts import intervals, reference_line
from cxrbench.judge import CRITERIA, NEEDS
from cxrbench.workflows.judge_agreement import agreement_with_truth, needs_twins

__all__ = ["agreement_part", "agreement_table"]

_FEWEST: Final = 3  # methods that make a ranking


def agreement_part(selection: Selection) -> None:
    """Draw Kendall's τ of each criterion without twins with one that has them, as a chart and a table."""
    directed = [name for name in selection.judged.criteria if CRITERIA[name].higher_is_better is not None]
    truths = [name for name in directed if needs_twins(name)]
    cheap = [name for name in directed if not needs_twins(name)]
    if not truths or not cheap:
        st.info(
            "These results have no criterion with twins, or none without: judge with both, for example "
            "`--criteria single_deletion_mean hit relevance_mass`."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        truth = st.selectbox(
            "Truth",
            truths,
            index=truths.index("single_deletion_mean") if "single_deletion_mean" in truths else 0,
            format_func=lambda name: CRITERIA[name].title,
            key="results_truth",
            width=260,
            help="A criterion that knows from twins what the model used. Different ones rank differently.",
        )
        with_controls = st.toggle(
            "Controls are ranked too",
            value=True,
            key="results_rank_controls",
            help="With controls a criterion is asked as well whether it tells methods from controls.",
        )
    methods = [key for key in selection.judged.methods if with_controls or not is_control(key)]
    if len(methods) < _FEWEST:
        st.info(f"{len(methods)} methods make no ranking; judge at least {_FEWEST}.")
        return
    table = agreement_table(selection, truth, tuple(cheap), tuple(methods))
    _draw(table, selection, truth)


def _draw(table: pd.DataFrame, selection: Selection, truth: str) -> None:
    title = CRITERIA[truth].title
    defined = table.dropna(subset=["τ"])
    tips = [
        f"τ {number(row['τ'], row['low'], row['high'])}<br>{row['methods']} methods; needs {row['needs']}"
        for row in defined.to_dict("records")
    ]
    figure = intervals(
        defined.assign(tip=tips),
        row="criterion",
        value="τ",
        title=f"Kendall's τ with {title}",
    )
    figure.update_xaxes(range=[-1.05, 1.05])
    reference_line(figure, 0)
    charts.show(figure, alt_text=f"Kendall's τ of each criterion with {title} on {selection.model}.")
    terms.caption(
        f"Each criterion that needs no twin ranks the methods; so does {title}, which knows from twins what "
        "changes the score. τ is 1 where both rankings are the same, 0 where they have nothing in common, "
        "and −1 where one is the other reversed. Bars: 95 % intervals by patient; both rankings are made "
        "anew in each resample. Only a criterion with a high τ can stand in for the twins on real films, "
        "and only as far as phantoms are like them. Criteria without a direction rank nothing. "
        f"**{title}**: {criterion_words(truth)}"
    )
    table_expander(table, f"judge-agreement-{selection.model}-{truth}", number_columns(table))


def agreement_table(
    selection: Selection, truth: str, criteria: tuple[str, ...], methods: tuple[str, ...]
) -> pd.DataFrame:
    """One row per criterion, the highest τ first; cached.

    Returns:
        Columns ``criterion`` (title), ``τ``, ``low``, ``high``, ``methods`` and ``maps`` (numbers behind it),
        ``needs`` (words).
    """
    key = (selection.results.key, selection.model, selection.finding)
    return _agreement(key, truth, criteria, methods, selection)


@st.cache_data(max_entries=32, show_spinner="Ranking the methods in resamples …")
def _agreement(
    key: tuple[str, str, str],
    truth: str,
    criteria: tuple[str, ...],
    methods: tuple[str, ...],
    _selection: Selection,
) -> pd.DataFrame:
    rows = _selection.rows
    _, found = agreement_with_truth(rows[rows["method"].isin(methods)], truth, criteria)
    return pd.DataFrame(
        [
            {
                "criterion": CRITERIA[name].title,
                "τ": float(each.tau.estimate),
                "low": float(each.tau.low),
                "high": float(each.tau.high),
                "methods": len(each.methods),
                "maps": min(each.rows),
                "needs": " and ".join(NEEDS[need].partition(",")[0] for need in CRITERIA[name].needs)
                or "only the map",
            }
            for name, each in found.items()
        ],
        columns=["criterion", "τ", "low", "high", "methods", "maps", "needs"],
    ).astype({"τ": np.float64})
