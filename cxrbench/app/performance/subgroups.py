"""Tabs of the Performance page: subgroups of patients, agreement of models, leaderboard."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.agreement import cohen_kappa, disagreement, fleiss_kappa
from cxrbench.app.performance import cases
from cxrbench.app.performance.curve_data import digest, resample_count
from cxrbench.app.widgets import charts, terms
from cxrbench.app.widgets.tables import number_columns
from cxrbench.evaluation import (
    METRICS,
    SUBGROUPS,
    Group,
    System,
    decisions,
    groups,
    operating_points,
    ranked,
    row,
    subgroups,
)
from cxrbench.figures.charts import intervals

__all__ = ["agreement_part", "groups_part", "ranking_part"]

_RANKING_METRICS: Final[Mapping[str, str]] = {
    "auroc": "AUROC",
    "auroc_of_calls": "AUROC of decisions",
    "average_precision": "average precision",
    "f1": "F1",
    "f1_macro": "F1, mean of both classes",
    "hamming_loss": "Hamming loss",
    "subset_accuracy": "subset accuracy",
}


def groups_part(systems: Sequence[System], finding: str) -> None:
    """Draw a metric by sex, age band or view, and the gap of each group to all other images."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = {system.name: system.title for system in systems}
        name = st.selectbox(
            "System", list(titles), format_func=titles.__getitem__, key="groups_system", width=260
        )
        by = st.segmented_control(
            "Subgroups by",
            list(SUBGROUPS),
            format_func=lambda key: SUBGROUPS[key].title,
            default="sex",
            required=True,
            key="groups_by",
        )
        metric = st.selectbox(
            "Metric",
            list(METRICS),
            format_func=lambda key: METRICS[key].title,
            key="groups_figure",
            width=200,
        )
    system = next(entry for entry in systems if entry.name == name)
    by = by or "sex"
    if len(groups(system.shown, by)) < 2:
        st.info(
            f"These predictions have fewer than two groups by {SUBGROUPS[by].title}: the file needs the "
            "columns sex, age, view or projection."
        )
        return
    column = system.shown.labels.index(finding)
    results = _grouped(digest(system, [column]), by, metric, finding, system)
    table = group_table(results)
    tips = [
        f"{METRICS[metric].title} {group.value:.3f} [{group.low:.3f}, {group.high:.3f}]<br>"
        f"{group.images:,} images; gap {group.gap:+.3f}"
        for group in table.itertuples()
    ]
    chart = intervals(
        table.assign(tip=tips), row="group", value="value", title=METRICS[metric].title, written=True
    )
    charts.show(chart, alt_text=f"{METRICS[metric].title} of {finding} by {by}.")
    terms.caption(
        "The metric in each group, and its gap: the group minus all other images. Both with patient-level "
        "bootstrap confidence intervals (95 %). A gap whose interval includes 0 may be chance; p is not "
        "corrected for multiple comparisons."
    )
    st.dataframe(table, hide_index=True, column_config=number_columns(table))


@st.cache_data(max_entries=100, show_spinner="Computing metrics of every group …")
def _grouped(key: str, by: str, metric: str, finding: str, _system: System) -> tuple[Group, ...]:
    predictions = decisions(_system).columns((finding,))
    threshold = operating_points(_system)[[_system.shown.labels.index(finding)]]
    return subgroups(predictions, threshold, by, metric, count=resample_count(len(predictions)))


def group_table(results: Sequence[Group]) -> pd.DataFrame:
    """Return one row per group: counts, the metric and the gap, each with its interval."""
    rows = []
    for group in results:
        gap = group.gap
        rows.append(
            {
                "group": group.name,
                "images": group.images,
                "n+": int(group.positives[0]),
                "n−": int(group.negatives[0]),
                "value": float(group.value.estimate[0]),
                "low": float(group.value.low[0]),
                "high": float(group.value.high[0]),
                "gap": float(gap.estimate[0]) if gap else float("nan"),
                "gap low": float(gap.low[0]) if gap else float("nan"),
                "gap high": float(gap.high[0]) if gap else float("nan"),
                "p": float(gap.p[0]) if gap else float("nan"),
            }
        )
    return pd.DataFrame(rows)


def ranking_part(systems: Sequence[System]) -> None:
    """Draw the leaderboard: the systems with each metric, and the best system by each."""
    rows = [row(system) for system in systems]
    table = pd.DataFrame(
        [
            {
                "system": entry.title,
                **{title: getattr(entry, name) for name, title in _RANKING_METRICS.items()},
            }
            for entry in rows
        ]
    )
    st.dataframe(table, hide_index=True, column_config=number_columns(table))
    best = ranked(rows)
    terms.markdown(
        "**Best system by** "
        + " · ".join(f"{title}: {best[name]}" for name, title in _RANKING_METRICS.items())
    )
    terms.caption(
        "AUROC, average precision and F1: macro averages over the findings where they are defined. Hamming "
        "loss (fraction of wrong labels, lower is better) and subset accuracy: means over the images. "
        "**AUROC of decisions** uses binary predictions as scores; it and the F1 of both classes are "
        "those of Liz et al. 2022. Which system is best depends on the metric."
    )
    for system in systems:
        if system.ensemble:
            terms.caption(f"**{system.title}.** {system.summary}")


def agreement_part(systems: Sequence[System], finding: str) -> None:
    """Draw the agreement of models beyond chance (kappa), and the images on which they disagree."""
    models = [system for system in systems if not system.ensemble]
    if len(models) < 2:
        st.info("Select a second model above: agreement needs at least two.")
        return
    calls = np.stack([model.calls for model in models])
    table = _kappas(calls, tuple(model.title for model in models), models[0].shown.labels)
    st.dataframe(table, hide_index=True, column_config=number_columns(table, "%.2f"))
    terms.caption(
        "κ of the binary predictions at each model's own thresholds: 1 is perfect agreement, 0 agreement by "
        "chance. Cohen's κ for pairs, Fleiss' κ for all models. Empty: undefined, since all predictions are "
        "the same. Agreement does not imply correctness: models may make the same errors."
    )
    st.header(f"Images on which the models disagree: {finding}")
    column = models[0].shown.labels.index(finding)
    disagreements = disagreement(calls)[:, column]
    rows = np.flatnonzero(disagreements > 0)
    rows = rows[np.argsort(-disagreements[rows], kind="stable")][: cases.MAX_CASES]
    if not len(rows):
        st.info("There are none: the models agree on every image.")
        return
    images = cases.case_columns(models[0], rows, column)
    for model in models:
        images[model.title] = model.shown.scores[rows, column]
    images["say yes"] = calls[:, rows, column].sum(0)
    cases.draw_cases(
        images, finding, [model.name for model in models], "split", order="largest disagreement first"
    )


@st.cache_data(max_entries=64, show_spinner="Computing agreement …")
def _kappas(calls: np.ndarray, titles: tuple[str, ...], findings: tuple[str, ...]) -> pd.DataFrame:
    """Return one row per finding: κ of all models, calls (M, N, L), and of each pair."""
    table = pd.DataFrame({"finding": findings, "all models (Fleiss)": fleiss_kappa(calls)})
    for i, j in combinations(range(len(titles)), 2):
        table[f"{titles[i]} and {titles[j]}"] = cohen_kappa(calls[i], calls[j])
    return table
