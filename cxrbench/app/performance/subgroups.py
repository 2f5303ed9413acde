"""Performance page: subgroups, rankings, agreement of models."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.agreement import cohen_kappa, disagreement, fleiss_kappa
from cxrbench.app.performance import cases
from cxrbench.app.performance.curve_data import digest, resample_count
from cxrbench.app.widgets import charts
from cxrbench.app.widgets.tables import rounded
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

_RANKS: Final[Mapping[str, str]] = {
    "auroc": "AUROC",
    "auroc_of_calls": "AUROC of decisions",
    "average_precision": "average precision",
    "f1": "F1",
    "f1_macro": "F1, present and absent",
    "hamming_loss": "Hamming loss",
    "subset_accuracy": "subset accuracy",
}


def groups_part(systems: Sequence[System], finding: str) -> None:
    """A metric by sex, age band or view, and the gap of each group to all other images."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        titles = {system.name: system.title for system in systems}
        name = st.selectbox(
            "System", list(titles), format_func=titles.__getitem__, key="groups_system", width=260
        )
        by = st.segmented_control(
            "By",
            list(SUBGROUPS),
            format_func=lambda key: SUBGROUPS[key].title,
            default="sex",
            required=True,
            key="groups_by",
        )
        figure = st.selectbox(
            "Metric",
            list(METRICS),
            format_func=lambda key: METRICS[key].title,
            key="groups_figure",
            width=200,
        )
    system = next(one for one in systems if one.name == name)
    by = by or "sex"
    if len(groups(system.shown, by)) < 2:
        st.info(
            f"These predictions do not tell two groups by {SUBGROUPS[by].title} apart: the file needs the "
            "columns sex, age, view or projection."
        )
        return
    column = system.shown.labels.index(finding)
    found = _grouped(digest(system, [column]), by, figure, finding, system)
    table = group_table(found)
    tips = [
        f"{METRICS[figure].title} {group.value:.3f} [{group.low:.3f}, {group.high:.3f}]<br>"
        f"{group.images:,} images; gap {group.gap:+.3f}"
        for group in table.itertuples()
    ]
    chart = intervals(
        table.assign(tip=tips), row="group", value="value", title=METRICS[figure].title, written=True
    )
    charts.show(chart, alt_text=f"{METRICS[figure].title} of {finding} by {by}.")
    st.caption(
        "The metric in each group, and its gap: the group minus all other images; both with patient-level "
        "bootstrap confidence intervals. A gap whose interval holds 0 may be chance; of many gaps, some are."
    )
    st.dataframe(table, hide_index=True, column_config=rounded(table))


@st.cache_data(max_entries=100, show_spinner="Measuring every group …")
def _grouped(key: str, by: str, figure: str, finding: str, _system: System) -> tuple[Group, ...]:
    one = decisions(_system).columns((finding,))
    at = operating_points(_system)[[_system.shown.labels.index(finding)]]
    return subgroups(one, at, by, figure, count=resample_count(len(one)))


def group_table(found: Sequence[Group]) -> pd.DataFrame:
    """One row per group: counts, the metric and the gap, each with its interval."""
    rows = []
    for group in found:
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
    """Leaderboard: the systems by each metric, and which is first by it; metrics need not agree."""
    rows = [row(system) for system in systems]
    table = pd.DataFrame(
        [
            {"system": one.title, **{title: getattr(one, name) for name, title in _RANKS.items()}}
            for one in rows
        ]
    )
    st.dataframe(table, hide_index=True, column_config=rounded(table))
    first = ranked(rows)
    st.markdown("**First by** " + " · ".join(f"{title}: {first[name]}" for name, title in _RANKS.items()))
    st.caption(
        "Means over the findings where a metric is defined. Less is better for Hamming loss, the mean share "
        "of wrong answers. **AUROC of decisions** takes decisions (0 or 1) as scores, as in Liz et al. 2022; "
        "the F1 that names present and absent is theirs, too. Which system is best depends on the metric."
    )
    for system in systems:
        if system.ensemble:
            st.caption(f"**{system.title}.** {system.summary}")


def agreement_part(systems: Sequence[System], finding: str) -> None:
    """How far models agree beyond chance, and the cases that split them."""
    models = [system for system in systems if not system.ensemble]
    if len(models) < 2:
        st.info("Choose a second model above: agreement takes two.")
        return
    calls = np.stack([model.calls for model in models])
    table = _kappas(calls, tuple(model.title for model in models), models[0].shown.labels)
    st.dataframe(table, hide_index=True, column_config=rounded(table, "%.2f"))
    st.caption(
        "κ of the calls at each model's own thresholds: 1 is full agreement, 0 what chance gives, below 0 "
        "less than that. Pairs are Cohen's κ, all together is Fleiss'. Empty: all always say the same one "
        "thing. Agreement is no proof: models may be wrong together."
    )
    st.header(f"Cases that split them on {finding}")
    column = models[0].shown.labels.index(finding)
    split = disagreement(calls)[:, column]
    rows = np.flatnonzero(split > 0)
    rows = rows[np.argsort(-split[rows], kind="stable")][: cases.MOST]
    if not len(rows):
        st.info("There is none: on every image they give the same answer.")
        return
    listed = cases.about(models[0], rows, column)
    for model in models:
        listed[model.title] = model.shown.scores[rows, column]
    listed["say yes"] = calls[:, rows, column].sum(0)
    cases.draw(listed, finding, [model.name for model in models], "split")


@st.cache_data(max_entries=64, show_spinner="Comparing calls …")
def _kappas(calls: np.ndarray, titles: tuple[str, ...], findings: tuple[str, ...]) -> pd.DataFrame:
    """One row per finding: κ of all models (M, N, L), and of each pair, which take some milliseconds each."""
    table = pd.DataFrame({"finding": findings, "all together (Fleiss)": fleiss_kappa(calls)})
    for i, j in combinations(range(len(titles)), 2):
        table[f"{titles[i]} and {titles[j]}"] = cohen_kappa(calls[i], calls[j])
    return table
