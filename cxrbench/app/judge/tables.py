"""Tab of the Judge page: methods × criteria with intervals, the controls beside them, and two questions."""

from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.judge.controls import Selection
from cxrbench.app.judge.results import is_control, judged_as, method_title
from cxrbench.app.judge.words import CONTROLS, answer, criterion_words, direction, number
from cxrbench.app.widgets import charts, terms
from cxrbench.app.widgets.tables import table_expander
from cxrbench.figures.charts import intervals, reference_line
from cxrbench.judge import CRITERIA
from cxrbench.workflows.judge_summary import gains, means

__all__ = ["by_key", "chart_part", "methods_part", "methods_table", "ordered_methods", "summarised"]

_KINDS: Final = ("method", "control: does not look at the model")
_BEST: Final = "Reachable"
_NOTHING: Final[Mapping[Hashable, Any]] = {"mean": np.nan, "best": np.nan}  # where nothing was judged


def methods_part(selection: Selection) -> None:
    """Draw the table of methods, and below it that of the controls, both sorted by the criterion."""
    summary = summarised(selection, selection.criteria)
    record = CRITERIA[selection.criterion]
    terms.markdown(f"Sorted by **{record.title}**. {criterion_words(selection.criterion)}")
    methods = ordered_methods(summary, selection.criterion)
    if not methods:
        st.info("These criteria have no value for this model and finding; choose others.")
        return
    judged = [key for key in methods if not is_control(key)]
    controls = [key for key in methods if is_control(key)]
    if judged:
        _draw(methods_table(summary, selection, judged), selection, "Method")
    if controls:
        _draw(methods_table(summary, selection, controls), selection, "Control")
    terms.caption(
        "Controls do not look at the model: a random map, a centred Gaussian, the edges of the film, the "
        "outline of the lungs, and where the finding lies on other films (the blind prior). Better: the 95 % "
        "interval of the paired difference, by patient, excludes 0; no correction for many comparisons. "
        f"{_BEST}: mean of the best that a map on the method's grid could get. Undefined values count for no "
        "mean. ↑: higher is better, ↓: lower is better, no arrow: neither. A click on a head sorts; rest on "
        "it to read what a criterion says and what it cannot."
    )
    exported = summary.assign(method=summary["method"].map(method_title), key=summary["method"])
    table_expander(exported, f"judge-{selection.model}")


def chart_part(selection: Selection) -> None:
    """Draw all methods and controls by the criterion: mean, interval, and the blind prior as a line."""
    summary = summarised(selection, (selection.criterion,))
    record = CRITERIA[selection.criterion]
    if summary["mean"].isna().all():
        st.info(f"{record.title} has no value for this model and finding; choose another.")
        return
    table = summary.set_index("method").loc[ordered_methods(summary, selection.criterion)].reset_index()
    defined = table.dropna(subset=["mean"])
    tips = [
        f"{number(row['mean'], row['low'], row['high'], form='.3f')}, {row['films']} films"
        + (f"<br>reachable {row['best']:.3f}" if np.isfinite(row["best"]) else "")
        for row in defined.to_dict("records")
    ]
    drawn = defined.assign(
        tip=tips,
        kind=[_KINDS[is_control(key)] for key in defined["method"]],
        method=[method_title(key) for key in defined["method"]],
    )
    figure = intervals(
        drawn,
        row="method",
        value="mean",
        title=f"{record.title} ({direction(record).lower()})",
        kinds=[kind for kind in _KINDS if kind in set(drawn["kind"])],
    )
    prior = table.loc[table["method"] == judged_as("location_prior", table["method"]), "mean"]
    reference_line(figure, float(prior.iloc[0]) if len(prior) else np.nan)
    charts.show(figure, alt_text=f"{record.title} of each method on {selection.model}, with intervals.")
    terms.caption(
        f"{criterion_words(selection.criterion)} Bars: 95 % intervals by patient. Dashed: the blind prior, "
        "which knows where the finding lies on other films and never sees this one. Overlapping bars do not "
        "say that two methods are equal: the paired differences are in the part “Methods”."
    )


def summarised(selection: Selection, criteria: Sequence[str]) -> pd.DataFrame:
    """Means with intervals, and the paired difference from each of ``CONTROLS``; cached.

    Returns:
        One row per criterion and method: the columns of ``means``, and per control its name, and its name
        followed by `` low`` and `` high``.
    """
    key = (selection.results.key, selection.model, selection.finding)
    return _summarised(key, tuple(criteria), selection)


@st.cache_data(max_entries=64, show_spinner="Computing means and intervals …")
def _summarised(key: tuple[str, str, str], criteria: tuple[str, ...], _selection: Selection) -> pd.DataFrame:
    rows = _selection.rows
    rows = rows[rows["criterion"].isin(criteria)]
    summary = means(rows)
    for control in CONTROLS:
        names = {"gain": control, "gain_low": f"{control} low", "gain_high": f"{control} high"}
        key_judged = judged_as(control, _selection.judged.methods)
        difference = gains(rows, key_judged).rename(columns=names)
        summary = summary.merge(difference, on=["model", "criterion", "method"], how="left")
    return summary


def ordered_methods(summary: pd.DataFrame, criterion: str) -> list[str]:
    """Keys of the methods, the best by a criterion first; undefined ones last, ties in the order of the file.

    By a criterion without a direction: the largest value first.
    """
    own = summary[summary["criterion"] == criterion]
    values = dict(zip(own["method"], CRITERIA[criterion].rank_value(own["mean"].to_numpy()), strict=True))
    methods = list(dict.fromkeys(summary["method"]))
    return sorted(methods, key=lambda key: -np.nan_to_num(values.get(key, np.nan), nan=-np.inf))


def methods_table(summary: pd.DataFrame, selection: Selection, methods: Sequence[str]) -> pd.DataFrame:
    """One row per method: title, then the criterion that sorts with its answers, then the other criteria.

    Returns:
        Columns ``method``, the criteria by name (means), ``best`` where it is known, and the keys of
        ``CONTROLS`` (words). The index holds the keys of the methods.
    """
    rows = by_key(summary)
    first = selection.criterion
    columns: dict[str, list[Any]] = {"method": [method_title(key) for key in methods]}
    for name in (first, *(name for name in selection.criteria if name != first)):
        columns[name] = [round(rows.get((name, key), _NOTHING)["mean"], 4) for key in methods]
        if name == first:
            best = [rows.get((name, key), _NOTHING)["best"] for key in methods]
            columns |= {"best": best} if np.isfinite(best).any() else {}
            for control in CONTROLS:
                judged = judged_as(control, selection.judged.methods)
                columns[control] = [_answer(rows, first, key, control, judged) for key in methods]
    return pd.DataFrame(columns, index=list(methods))


def by_key(summary: pd.DataFrame) -> dict[tuple[str, str], dict[Hashable, Any]]:
    """(Criterion, method) → its row."""
    return {(row["criterion"], row["method"]): row for row in summary.to_dict("records")}


def _answer(
    rows: Mapping[tuple[str, str], Mapping[Hashable, Any]],
    criterion: str,
    method: str,
    control: str,
    judged: str,
) -> str:
    """The answer for a method; ``judged`` is the key under which the control was judged."""
    if method == judged:
        return ""
    if (criterion, judged) not in rows:
        return "was not judged"
    row = rows.get((criterion, method), _NOTHING)
    return answer(criterion, *(row.get(f"{control}{end}", np.nan) for end in ("", " low", " high")))


def _draw(table: pd.DataFrame, selection: Selection, noun: str) -> None:
    rows = by_key(summarised(selection, selection.criteria))
    styled = table.style
    if "best" in table:
        styled = styled.format("{:.2f}", subset=["best"], na_rep="")
    for name in selection.criteria:
        for key in table.index:
            row = rows.get((name, key))
            text = "" if row is None else number(row["mean"], row["low"], row["high"])
            # Numbers sort; what is written in their cells is text.
            styled = styled.format(partial(_always, text), subset=pd.IndexSlice[[key], [name]])
    st.dataframe(
        styled,
        hide_index=True,
        height="content",
        column_config=_columns(selection, noun),
        alt=f"{noun}s by criterion, sorted by {CRITERIA[selection.criterion].title}.",
    )


def _always(text: str, value: float) -> str:
    return text


def _columns(selection: Selection, noun: str) -> dict[str, Any]:
    config: dict[str, Any] = {
        "method": st.column_config.TextColumn(noun, pinned=True, width=200),
        "best": st.column_config.NumberColumn(
            _BEST, width=85, help="Mean of the best value that a map on this method's grid could get."
        ),
    }
    for control, question in CONTROLS.items():
        config[control] = st.column_config.TextColumn(
            question,
            width=190,
            help=f"By {CRITERIA[selection.criterion].title}: the method's mean minus that of the control "
            f"{method_title(control)}, on the same films. “Not shown”: the 95 % interval includes 0.",
        )
    for name in selection.criteria:
        record = CRITERIA[name]
        arrow = {True: " ↑", False: " ↓", None: ""}[record.higher_is_better]
        title = record.title + arrow
        config[name] = st.column_config.NumberColumn(
            title, width=max(140, 36 + 6 * len(title)), help=criterion_words(name)
        )
    return config
