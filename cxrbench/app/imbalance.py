"""The Imbalance page's parts: each draws one answer about a label table."""

import math
from collections.abc import Mapping
from typing import Any, Final

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app import charts
from cxrbench.app.sheets import Sheet, grouped
from cxrbench.targets import imbalance

__all__ = ["counts_part", "groups_part", "ratios_part", "summary", "together_part"]

STATES: Final[Mapping[str, str]] = {
    "positive": "#D55E00",
    "uncertain": "#E69F00",
    "negative": "#56B4E9",
    "blank": "#b9c0c7",
}
_NOTHING: Final = "No Finding"


def summary(sheet: Sheet) -> None:
    """The table in one line of figures."""
    tally = imbalance.counts(sheet.targets)
    shown = _findings(sheet)
    present = imbalance.positives(sheet.targets[:, shown])
    with st.container(horizontal=True, gap="medium"):
        st.metric("Images", f"{len(sheet.targets):,}", width="content")
        if sheet.patients:
            st.metric("Patients", f"{sheet.patients:,}", width="content")
        st.metric("Findings", len(sheet.labels), width="content")
        st.metric(
            "Findings an image",
            f"{present.sum(1).mean():.2f}",
            width="content",
            help="Label cardinality: how many findings are positive in an image, on average; "
            "“No Finding” is not counted.",
        )
        st.metric(
            "Uncertain",
            f"{tally.uncertain.sum() / sheet.targets.size:.1%}",
            width="content",
            help="Of all entries of the table, a finding of an image each.",
        )
        st.metric(
            "Blank", f"{tally.blank.sum() / sheet.targets.size:.1%}", width="content", help="Not mentioned."
        )


def counts_part(sheet: Sheet) -> None:
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
        chart = charts.dots(
            table, order, list(STATES), value="images", title="Images", log=True, colours=STATES
        )
    else:
        chart = charts.stacked(table, order, STATES)
    st.altair_chart(chart, alt=f"Labels of {sheet.title}. {alt_text}.")
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


def together_part(sheet: Sheet) -> None:
    """Which findings come together, how many an image has, and where the hierarchy is broken."""
    kind = st.segmented_control(
        "Shown for two findings",
        list(_TOGETHER),
        default="Share",
        required=True,
        key="together_kind",
        help="Images counts them. Share is how many images with the row's finding also have the column's. "
        "Lift is how much more often they meet than if they were independent.",
    )
    labels = [sheet.labels[index] for index in _findings(sheet)]
    chart = _TOGETHER[kind or "Share"](sheet.targets[:, _findings(sheet)], labels)
    st.altair_chart(chart, alt=f"{kind} of images in which two findings of {sheet.title} are both positive.")
    left, right = st.columns(2)
    with left:
        st.subheader("Findings an image")
        many = imbalance.labels_per_image(sheet.targets[:, _findings(sheet)])
        many = many[: int(np.flatnonzero(many).max(initial=0)) + 1]
        rows = pd.DataFrame({"findings": range(len(many)), "images": many})
        bars = alt.Chart(rows).encode(
            x=alt.X("findings:O", title="Positive findings", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("images:Q", title="Images", axis=alt.Axis(format="~s")),
            tooltip=["findings", alt.Tooltip("images", format=",")],
        )
        words = bars.mark_text(dy=-7, color="#7a8794").encode(text=alt.Text("images:Q", format=".3~s"))
        st.altair_chart((bars.mark_bar(color=charts.COLOURS[0]) + words).properties(height=260))
        st.caption("“No Finding” is not counted: an image at 0 is normal, or nothing is said of it.")
    with right:
        st.subheader("Hierarchy violations")
        _violations(sheet)


def ratios_part(sheet: Sheet) -> None:
    """IRLbl, MeanIR, CVIR and SCUMBLE, each in words."""
    ratios, mean = imbalance.irlbl(sheet.targets), imbalance.mean_ir(sheet.targets)
    spread, (_, mixed) = imbalance.cvir(sheet.targets), imbalance.scumble(sheet.targets)
    most = sheet.labels[int(np.nanargmin(ratios))] if np.isfinite(ratios).any() else "none"
    with st.container(horizontal=True, gap="medium"):
        st.metric("MeanIR", figure(mean), width="content")
        st.metric("CVIR", figure(spread), width="content")
        st.metric("SCUMBLE", figure(mixed, 3), width="content")
    order = by_frequency(sheet)
    rows = pd.DataFrame({"finding": sheet.labels, "ratio": ratios})
    rows = rows.assign(text=[figure(value) for value in ratios], rare=rows["ratio"] > mean)
    base = alt.Chart(rows).encode(
        y=alt.Y("finding:N", sort=order, title=None, axis=alt.Axis(labelLimit=190, labelOverlap=False))
    )
    bars = base.mark_bar().encode(
        x=alt.X("ratio:Q", title="IRLbl", scale=alt.Scale(type="log", domainMin=1)),
        x2=alt.datum(1),
        color=alt.Color(
            "rare:N",
            scale=alt.Scale(domain=[False, True], range=[charts.COLOURS[5], charts.COLOURS[1]]),
            legend=charts.legend(labelExpr="datum.label == 'true' ? 'rare: above MeanIR' : 'not rare'"),
        ),
        tooltip=["finding", alt.Tooltip("ratio", format=".1f", title="IRLbl")],
    )
    words = base.mark_text(align="left", dx=4, color="#7a8794").encode(x="ratio:Q", text="text:N")
    rule = (
        alt.Chart(pd.DataFrame({"mean": [mean]}))
        .mark_rule(strokeDash=[6, 4], color="#7a8794")
        .encode(x="mean:Q")
    )
    st.altair_chart(
        (bars + words + rule).properties(height=115 + 25 * len(order)), alt="IRLbl of every finding."
    )
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


def groups_part(sheet: Sheet) -> None:
    """How often a finding is positive among women and men, by age and by view."""
    if not sheet.groups:
        st.info("This table names neither sex, age nor view, so that nothing can be compared by them.")
        return
    way = st.segmented_control(
        "By", list(sheet.groups), default=next(iter(sheet.groups)), required=True, key="group_way"
    )
    members = grouped(sheet, way or next(iter(sheet.groups)))
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
    chart = charts.dots(
        table, by_frequency(sheet), names, value="value", title="Share of the group's images", form=".1%"
    )
    st.altair_chart(chart, alt=f"Share of positive images by {way}.")
    st.caption(
        "Positive images over all images of the group, which has its number of images in brackets. Groups "
        "differ in more than their name: bedside AP films are of sicker patients, and a network can learn "
        "the view instead of the finding."
    )
    numbers(
        table.pivot(index="finding", columns="name", values="value")[names].reset_index(), f"groups-{way}"
    )


def counts_table(sheet: Sheet) -> pd.DataFrame:
    """Columns ``finding``, ``state``, ``images`` and ``share``, a row a finding and state."""
    tally = imbalance.counts(sheet.targets)
    parts = [
        pd.DataFrame({"finding": sheet.labels, "state": state, "images": getattr(tally, state)})
        for state in STATES
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(share=table["images"] / max(1, len(sheet.targets)))


def by_frequency(sheet: Sheet) -> list[str]:
    """Findings, the most frequent first."""
    present = imbalance.positives(sheet.targets).sum(0)
    return [sheet.labels[index] for index in np.argsort(-present, kind="stable")]


def numbers(table: pd.DataFrame, name: str, config: Mapping[str, Any] | None = None) -> None:
    """The numbers behind a chart, closed until they are asked for, and as a file."""
    with st.expander("The numbers", key=f"numbers_{name}", on_change="rerun") as more:
        if more.open:
            st.dataframe(table, hide_index=True, column_config=config)
            st.download_button(
                "CSV",
                table.to_csv(index=False).encode(),
                f"cxrbench-{name}.csv".replace(" ", "-"),
                "text/csv",
                on_click="ignore",
                icon=":material/download:",
                key=f"csv_{name}",
            )


def figure(value: float, digits: int = 1) -> str:
    """A number as people read it; a dash where it is undefined."""
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"


def _findings(sheet: Sheet) -> list[int]:
    """Columns that are findings: all but the one that says there is none."""
    return [index for index, label in enumerate(sheet.labels) if label != _NOTHING]


def _violations(sheet: Sheet) -> None:
    found = imbalance.hierarchy_violations(sheet.targets, sheet.labels)
    if not found:
        st.caption("No two findings of this table stand in CheXpert's hierarchy, so there is none to break.")
        return
    rows = pd.DataFrame(
        {
            "finding": [entry.child for entry in found],
            "implies": [entry.parent for entry in found],
            "positive": [entry.positive for entry in found],
            "parent negative": [entry.negative for entry in found],
            "parent uncertain": [entry.uncertain for entry in found],
            "parent blank": [entry.blank for entry in found],
        }
    )
    st.dataframe(rows, hide_index=True)
    st.caption(
        "A positive finding implies its parent (Irvin et al. 2019). Where the parent is not positive too, a "
        "network is told two things at once; training can close the hierarchy first."
    )


def _mixed(value: float) -> str:
    if math.isnan(value):
        return "No image has a finding, so that there is nothing to share."
    if value > 0.1:
        return "Here it is above 0.1: copying images with a rare finding copies frequent ones with it."
    return "Here it is at most 0.1: resampling by images can even findings out."


def _pairs(values: np.ndarray, labels: list[str]) -> pd.DataFrame:
    rows, columns = np.indices(values.shape)
    return pd.DataFrame(
        {
            "row": np.array(labels)[rows.ravel()],
            "column": np.array(labels)[columns.ravel()],
            "value": values.ravel(),
        }
    )


def _counted(targets: np.ndarray, labels: list[str]) -> alt.LayerChart:
    both = imbalance.cooccurrence(targets)
    table = _pairs(both, labels)
    top = float(both.max(initial=1))
    table["text"] = [short(value) for value in table["value"]]
    table["tip"] = [f"{r.row} and {r.column}: {r.value:,} images" for r in table.itertuples()]
    table["dark"] = np.sqrt(table["value"] / top) < 0.55
    colour = alt.Color(
        "value:Q",
        scale=alt.Scale(scheme="cividis", type="sqrt"),
        legend=charts.legend(title="Images", format="~s"),
    )
    return charts.heat(table, labels, colour=colour, text="Images", tip="That is")


def _shared(targets: np.ndarray, labels: list[str]) -> alt.LayerChart:
    table = _pairs(imbalance.conditional(targets), labels)
    table["text"] = ["" if math.isnan(value) else f"{100 * value:.0f}" for value in table["value"]]
    table["tip"] = [f"of images with {r.row}, {r.value:.1%} have {r.column}" for r in table.itertuples()]
    table["dark"] = ~(table["value"] >= 0.5)
    colour = alt.Color(
        "value:Q",
        scale=alt.Scale(scheme="cividis", domain=[0, 1]),
        legend=charts.legend(title="Share", format="%"),
    )
    return charts.heat(table, labels, colour=colour, text="Per cent", tip="That is")


def _lifted(targets: np.ndarray, labels: list[str]) -> alt.LayerChart:
    table = _pairs(imbalance.lift(targets), labels)
    table = table[(table["row"] != table["column"]) & table["value"].notna()]
    log = np.log2(table["value"].to_numpy(np.float64).clip(min=1 / 8, max=8))
    table = table.assign(log=log, dark=np.abs(log) > 2, text=[f"{value:.1f}" for value in table["value"]])
    table["tip"] = [
        f"{r.row} and {r.column} meet {r.value:.2f} × as often as by chance" for r in table.itertuples()
    ]
    colour = alt.Color(
        "log:Q",
        scale=alt.Scale(
            range=["#1f6fd6", "#9dc3ee", "#eef0f2", "#f1a95e", "#c65a00"], domain=[-3, -1.5, 0, 1.5, 3]
        ),
        legend=charts.legend(title="Lift", values=[-3, 0, 3], labelExpr="pow(2, datum.value) + ' ×'"),
    )
    return charts.heat(table, labels, colour=colour, text="Lift", tip="That is")


_TOGETHER: Final = {"Images": _counted, "Share": _shared, "Lift": _lifted}


def short(value: float) -> str:
    """12,345 as 12k: what fits into a cell."""
    if value < 1000:
        return f"{value:.0f}"
    return f"{value / 1000:.1f}k" if value < 10_000 else f"{value / 1000:.0f}k"
