"""Sections of the Imbalance page, one function per question about a label table."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.widgets import charts
from cxrbench.app.widgets.tables import numbers
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


def summary(sheet: LabelTable) -> None:
    """The table in one line of figures."""
    tally = imbalance.counts(sheet.targets)
    shown = sheet.findings
    present = imbalance.positives(sheet.targets[:, shown])
    with st.container(horizontal=True, gap="medium"):
        st.metric("Images", f"{len(sheet.targets):,}", width="content")
        if sheet.patients:
            st.metric("Patients", f"{sheet.patients:,}", width="content")
        st.metric("Findings", len(sheet.labels), width="content")
        st.metric(
            "Findings per image",
            f"{present.sum(1).mean():.2f}",
            width="content",
            help="Label cardinality: how many findings are positive in an image, on average; "
            "“No Finding” is not counted.",
        )
        st.metric(
            "Uncertain",
            f"{tally.uncertain.sum() / sheet.targets.size:.1%}",
            width="content",
            help="Of all entries of the table: one per image and finding.",
        )
        st.metric(
            "Blank", f"{tally.blank.sum() / sheet.targets.size:.1%}", width="content", help="Not mentioned."
        )


def counts_part(sheet: LabelTable) -> None:
    """How often each finding is positive, uncertain, negative or not mentioned."""
    log = st.toggle(
        "Logarithmic axis", key="counts_log", help="Rare findings are then seen beside frequent ones."
    )
    table = counts_table(sheet)
    order = by_frequency(sheet)
    alt_text = "; ".join(
        f"{row.finding}: {row.images:,} positive" for row in table[table["state"] == "positive"].itertuples()
    )
    if log:
        named = table.rename(columns={"state": "name"})
        chart = dots(named, order, STATES, value="images", title="Images", log=True)
    else:
        chart = stacked(table, order, STATES)
    charts.show(chart, alt_text=f"Labels of {sheet.title}. {alt_text}.")
    st.caption(
        "From the most to the least frequent finding. **Blank** is not negative: the report does not say. "
        "What a loss makes of blank and uncertain is a choice, see “Policies”."
    )
    wide = (
        table.pivot(index="finding", columns="state", values="images")[list(STATES)].loc[order].reset_index()
    )
    wide["positive share"] = wide["positive"] / len(sheet.targets)
    numbers(
        wide, f"labels-{sheet.title}", {"positive share": st.column_config.NumberColumn(format="percent")}
    )


def ratios_part(sheet: LabelTable) -> None:
    """IRLbl, MeanIR, CVIR and SCUMBLE, each in words."""
    ratios, mean = imbalance.irlbl(sheet.targets), imbalance.mean_ir(sheet.targets)
    spread, (_, mixed) = imbalance.cvir(sheet.targets), imbalance.scumble(sheet.targets)
    most = sheet.labels[int(np.nanargmin(ratios))] if np.isfinite(ratios).any() else "none"
    with st.container(horizontal=True, gap="medium"):
        st.metric("MeanIR", figure(mean), width="content")
        st.metric("CVIR", figure(spread), width="content")
        st.metric("SCUMBLE", figure(mixed, 3), width="content")
    order = by_frequency(sheet)
    ordered = [float(ratios[sheet.labels.index(finding)]) for finding in order]
    chart = ratio_bars(order, ordered, [figure(value) for value in ordered], mean)
    charts.show(chart, alt_text="IRLbl of every finding.")
    st.markdown(
        f"""
- **IRLbl** of a finding: how many positives {most}, the most frequent one, has for each of its own. At 1 it
  is as frequent, at 100 a hundred times rarer.
- **MeanIR** {figure(mean)} (dashed line) is the mean of these. Resampling calls a finding rare above it.
- **CVIR** {figure(spread)} is their spread over their mean: near 0, all findings are about as rare as each
  other; above 1, a few are far rarer than the rest.
- **SCUMBLE** {figure(mixed, 3)} says how much rare and frequent findings share images, from 0 to 1.
  {_mixed(mixed)}

Charte et al. 2015, [doi:10.1016/j.neucom.2014.08.091](https://doi.org/10.1016/j.neucom.2014.08.091);
SCUMBLE: Charte et al. 2014, [doi:10.1007/978-3-319-07617-1_10](https://doi.org/10.1007/978-3-319-07617-1_10).
"""
    )


def groups_part(sheet: LabelTable) -> None:
    """How often a finding is positive among women and men, by age and by view."""
    if not sheet.groups:
        st.info("This table names neither sex, age nor view, so that nothing can be compared by them.")
        return
    way = st.segmented_control(
        "By", list(sheet.groups), default=next(iter(sheet.groups)), required=True, key="group_way"
    )
    members = group_masks(sheet, way or next(iter(sheet.groups)))
    if len(members) < 2:
        st.info("There are not two groups of fifty images or more to compare.")
        return
    rows = [
        {"finding": label, "name": f"{name} ({held.sum():,})", "value": float(share)}
        for name, held in members.items()
        for label, share in zip(sheet.labels, imbalance.positives(sheet.targets[held]).mean(0), strict=True)
    ]
    table = pd.DataFrame(rows)
    names = list(dict.fromkeys(table["name"]))
    chart = dots(
        table, by_frequency(sheet), names, value="value", title="Share of the group's images", form=".1%"
    )
    charts.show(chart, alt_text=f"Share of positive images by {way}.")
    st.caption(
        "Positive images over all images of the group, which has its number of images in brackets. Groups "
        "differ in more than their name: bedside AP films are of sicker patients, and a network can learn "
        "the view instead of the finding."
    )
    numbers(
        table.pivot(index="finding", columns="name", values="value")[names].reset_index(), f"groups-{way}"
    )


def counts_table(sheet: LabelTable) -> pd.DataFrame:
    """Columns ``finding``, ``state``, ``images`` and ``share``, one row per finding and state."""
    tally = imbalance.counts(sheet.targets)
    parts = [
        pd.DataFrame({"finding": sheet.labels, "state": state, "images": getattr(tally, state)})
        for state in STATES
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(share=table["images"] / max(1, len(sheet.targets)))


def by_frequency(sheet: LabelTable) -> list[str]:
    """Findings, the most frequent first."""
    present = imbalance.positives(sheet.targets).sum(0)
    return [sheet.labels[index] for index in np.argsort(-present, kind="stable")]


def figure(value: float, digits: int = 1) -> str:
    """A number as people read it; a dash where it is undefined."""
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"


def _mixed(value: float) -> str:
    if math.isnan(value):
        return "No image has a finding, so that there is nothing to share."
    if value > 0.1:
        return "Here it is above 0.1: copying images with a rare finding copies frequent ones with it."
    return "Here it is at most 0.1: resampling by images can even findings out."
