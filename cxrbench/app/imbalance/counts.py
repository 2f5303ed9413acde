"""Imbalance page: label counts, imbalance ratios and subgroups of a label table."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.widgets import charts, terms
from cxrbench.app.widgets.tables import table_expander
from cxrbench.data.label_tables import LabelTable, group_masks
from cxrbench.figures.charts import dots, stacked
from cxrbench.figures.imbalance import ratio_bars
from cxrbench.targets import imbalance

__all__ = ["counts_part", "groups_part", "ratios_part", "summary"]

STATES: Final[Mapping[str, str]] = {
    "positive": "#D55E00",
    "uncertain": "#E69F00",
    "negative": "#56B4E9",
    "blank": "#b9c0c7",
}


def summary(label_table: LabelTable) -> None:
    """Draw the size of the table and its shares of uncertain and blank labels."""
    counts = imbalance.counts(label_table.targets)
    shown = label_table.findings
    present = imbalance.positives(label_table.targets[:, shown])
    with st.container(horizontal=True, gap="medium"):
        st.metric("Images", f"{len(label_table.targets):,}", width="content")
        if label_table.patients:
            st.metric("Patients", f"{label_table.patients:,}", width="content")
        st.metric("Findings", len(label_table.labels), width="content")
        st.metric(
            "Findings per image",
            f"{present.sum(1).mean():.2f}",
            width="content",
            help="Label cardinality: the mean number of positive findings per image; "
            "“No Finding” is not counted.",
        )
        st.metric(
            "Uncertain",
            f"{counts.uncertain.sum() / label_table.targets.size:.1%}",
            width="content",
            help="Share of all labels of the table, one per image and finding.",
        )
        st.metric(
            "Blank",
            f"{counts.blank.sum() / label_table.targets.size:.1%}",
            width="content",
            help="Share of labels that are not mentioned.",
        )


def counts_part(label_table: LabelTable) -> None:
    """Draw how often each finding is positive, uncertain, negative or blank."""
    log = st.toggle(
        "Logarithmic axis", key="counts_log", help="Makes rare findings visible beside frequent ones."
    )
    table = counts_table(label_table)
    order = by_frequency(label_table)
    alt_text = "; ".join(
        f"{row.finding}: {row.images:,} positive" for row in table[table["state"] == "positive"].itertuples()
    )
    if log:
        named = table.rename(columns={"state": "name"})
        chart = dots(named, order, STATES, value="images", title="Images", log=True)
    else:
        chart = stacked(table, order, STATES)
    charts.show(chart, alt_text=f"Labels of {label_table.title}. {alt_text}.")
    terms.caption(
        "Findings by decreasing frequency. **Blank** is not negative: the report does not mention the "
        "finding. How training treats blank and uncertain labels is a choice, see “Policies”."
    )
    wide = (
        table.pivot(index="finding", columns="state", values="images")[list(STATES)].loc[order].reset_index()
    )
    wide["positive share"] = wide["positive"] / len(label_table.targets)
    table_expander(
        wide,
        f"labels-{label_table.title}",
        {"positive share": st.column_config.NumberColumn(format="percent")},
    )


def ratios_part(label_table: LabelTable) -> None:
    """Draw IRLbl, MeanIR, CVIR and SCUMBLE, with explanations."""
    ratios, mean = imbalance.irlbl(label_table.targets), imbalance.mean_ir(label_table.targets)
    spread, (_, mixed) = imbalance.cvir(label_table.targets), imbalance.scumble(label_table.targets)
    most = label_table.labels[int(np.nanargmin(ratios))] if np.isfinite(ratios).any() else "none"
    with st.container(horizontal=True, gap="medium"):
        st.metric("MeanIR", figure(mean), width="content")
        st.metric("CVIR", figure(spread), width="content")
        st.metric("SCUMBLE", figure(mixed, 3), width="content")
    order = by_frequency(label_table)
    ordered = [float(ratios[label_table.labels.index(finding)]) for finding in order]
    chart = ratio_bars(order, ordered, [figure(value) for value in ordered], mean)
    charts.show(chart, alt_text="IRLbl of every finding.")
    terms.markdown(
        f"""
- **IRLbl** of a finding: the number of positives of {most}, the most frequent finding, divided by its own. At
  1 it is as frequent, at 100 a hundred times rarer.
- **MeanIR** {figure(mean)} (dashed line) is the mean IRLbl. Resampling treats findings above it as rare.
- **CVIR** {figure(spread)} is the coefficient of variation of IRLbl: near 0, all findings are about equally
  frequent; above 1, a few are much rarer than the rest.
- **SCUMBLE** {figure(mixed, 3)} measures, from 0 to 1, how much rare and frequent findings occur in the same
  images. {_about_scumble(mixed)}

Charte et al. 2015, [doi:10.1016/j.neucom.2014.08.091](https://doi.org/10.1016/j.neucom.2014.08.091);
SCUMBLE: Charte et al. 2014, [doi:10.1007/978-3-319-07617-1_10](https://doi.org/10.1007/978-3-319-07617-1_10).
"""
    )


def groups_part(label_table: LabelTable) -> None:
    """Draw the share of positive images by sex, age group or view."""
    if not label_table.groups:
        st.info(
            "This table contains neither sex, age nor view, so subgroups cannot be compared; choose another."
        )
        return
    attribute = st.segmented_control(
        "By", list(label_table.groups), default=next(iter(label_table.groups)), required=True, key="group_way"
    )
    members = group_masks(label_table, attribute or next(iter(label_table.groups)))
    if len(members) < 2:
        st.info("There are fewer than two groups of at least 50 images; choose another attribute or table.")
        return
    rows = [
        {"finding": label, "name": f"{name} ({mask.sum():,})", "value": float(share)}
        for name, mask in members.items()
        for label, share in zip(
            label_table.labels, imbalance.positives(label_table.targets[mask]).mean(0), strict=True
        )
    ]
    table = pd.DataFrame(rows)
    names = list(dict.fromkeys(table["name"]))
    chart = dots(
        table,
        by_frequency(label_table),
        names,
        value="value",
        title="Share of the group's images",
        form=".1%",
    )
    charts.show(chart, alt_text=f"Share of positive images by {attribute}.")
    terms.caption(
        "Positive images divided by all images of the group; the number of images is in brackets. Groups "
        "differ in more than the attribute: AP radiographs, taken at the bedside, are of sicker patients, "
        "and a network can learn the projection instead of the finding."
    )
    table_expander(
        table.pivot(index="finding", columns="name", values="value")[names].reset_index(),
        f"groups-{attribute}",
    )


def counts_table(label_table: LabelTable) -> pd.DataFrame:
    """Columns ``finding``, ``state``, ``images`` and ``share``, one row per finding and state."""
    counts = imbalance.counts(label_table.targets)
    parts = [
        pd.DataFrame({"finding": label_table.labels, "state": state, "images": getattr(counts, state)})
        for state in STATES
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(share=table["images"] / max(1, len(label_table.targets)))


def by_frequency(label_table: LabelTable) -> list[str]:
    """Findings by decreasing frequency."""
    present = imbalance.positives(label_table.targets).sum(0)
    return [label_table.labels[index] for index in np.argsort(-present, kind="stable")]


def figure(value: float, digits: int = 1) -> str:
    """A formatted number; a dash if it is NaN."""
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"


def _about_scumble(value: float) -> str:
    if math.isnan(value):
        return "It is undefined, as no image has a finding."
    if value > 0.1:
        return "Here it is above 0.1: copying images with a rare finding also copies frequent findings."
    return "Here it is at most 0.1: resampling images can reduce the imbalance."
