"""Imbalance page: the effect of policies, resampling and class weights on a label table."""

from collections.abc import Mapping
from typing import Final, Literal

import pandas as pd
import streamlit as st

from cxrbench.app.imbalance.counts import by_frequency
from cxrbench.app.widgets import charts
from cxrbench.app.widgets.tables import numbers
from cxrbench.data.label_tables import LabelTable
from cxrbench.figures.charts import dots, stacked
from cxrbench.targets import POLICIES, imbalance, resampling
from cxrbench.targets.effects import policy_effect

__all__ = ["policies_part", "resampling_part", "weights_part"]

Blank = Literal["zero", "mask"]

SEEN: Final[Mapping[str, str]] = {
    "present": "#D55E00",
    "in between": "#E69F00",
    "a class of its own": "#CC79A7",
    "absent": "#56B4E9",
    "left out": "#b9c0c7",
}
_BLANKS: Final[Mapping[Blank, str]] = {"zero": "absent", "mask": "left out of the loss"}
_KEPT: Final = "as they are"


def policies_part(sheet: LabelTable) -> None:
    """What each uncertainty policy leaves for the loss, side by side."""
    blank = _blank("policies_blank")
    order = by_frequency(sheet)
    table = effects_table(sheet, blank)
    st.html(charts.key(SEEN))
    for start in range(0, len(POLICIES), 3):
        for place, policy in zip(st.columns(3), list(POLICIES.values())[start : start + 3], strict=False):
            with place:
                st.markdown(f"**{policy.name}**: {policy.summary}", help=policy.reference)
                own = table[table["policy"] == policy.name]
                chart = stacked(own, order, SEEN, share=True, compact=True)
                said = "; ".join(
                    f"{row.finding} {row.share:.1%}" for row in own[own["state"] == "present"].itertuples()
                )
                charts.show(chart, alt_text=f"Policy {policy.name}; share of images called present: {said}.")
    st.caption(
        "**Present** and **absent** are targets of 1 and 0. **In between** are soft ones: drawn by the "
        "policy, or the scores of a model trained before. **A class of its own** needs a loss of three "
        "classes. **Left out** is masked out of the loss."
    )
    wide = table.pivot(index="finding", columns=["policy", "state"], values="images").loc[order]
    wide = wide[[(policy, state) for policy in POLICIES for state in SEEN]]
    wide.columns = [": ".join(column) for column in wide.columns]
    numbers(wide.reset_index(), f"policies-{sheet.title}-{blank}")


def resampling_part(sheet: LabelTable) -> None:
    """What over-sampling, under-sampling and weighted drawing make of the counts, side by side."""
    share = st.slider(
        "Share of images copied or left out",
        0.05,
        1.0,
        0.25,
        0.05,
        key="resampling_share",
        width=320,
        help="Charte et al. tried 0.10, 0.20 and 0.25. ML-ROS copies so many images, ML-RUS leaves out so "
        "many (at most those without a rare finding).",
    )
    table, totals = resampled(sheet, share)
    names = list(totals["how"])
    chart = dots(table, by_frequency(sheet), names, value="images", title="Positive images", log=True)
    charts.show(chart, alt_text="Positive images of each finding under each way of resampling.")
    st.dataframe(
        totals,
        hide_index=True,
        column_config={
            "how": "Images",
            "images": st.column_config.NumberColumn("How many", format="localized"),
            "MeanIR": st.column_config.NumberColumn(format="%.1f"),
            "CVIR": st.column_config.NumberColumn(format="%.2f"),
            "rarest": st.column_config.NumberColumn("Positives of the rarest", format="localized"),
        },
    )
    st.caption(
        "**ML-ROS** copies images with rare findings, **ML-RUS** leaves out images without any (Charte et "
        "al. 2015, [doi:10.1016/j.neucom.2014.08.091](https://doi.org/10.1016/j.neucom.2014.08.091)). "
        "**Drawn evenly** gives every image a weight: a finding is drawn first, then one of its images (Kang "
        "et al. 2020, [arXiv:1910.09217](https://arxiv.org/abs/1910.09217)); its counts are what an epoch of "
        "as many draws expects. An image brings all its findings along, so that frequent ones rise too."
    )
    wide = table.pivot(index="finding", columns="name", values="images")[names].loc[by_frequency(sheet)]
    numbers(wide.reset_index(), f"resampling-{sheet.title}-{share:.2f}")


def weights_part(sheet: LabelTable) -> None:
    """The class weights that losses would take from these labels."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        policy = st.selectbox(
            "Policy",
            [name for name, policy in POLICIES.items() if not policy.needs],
            key="weights_policy",
            width=220,
        )
        blank = _blank("weights_blank")
    table = weights_table(sheet, policy, blank)
    names = list(dict.fromkeys(table["name"]))
    chart = dots(table, by_frequency(sheet), names, value="value", title="Weight", log=True, form=".2f")
    charts.show(chart, alt_text="Weights of each finding's positives and negatives, by loss.")
    st.caption(
        "**Weighted BCE** multiplies the positives' term by negatives ÷ positives, at most 20, so that a "
        "handful of positives does not dominate the gradient. **Class-balanced** weights come from the "
        "effective number of images, (1 − βⁿ) ÷ (1 − β), with β = 0.9999: they sum to 2 for a finding (Cui "
        "et al. 2019, [arXiv:1901.05555](https://arxiv.org/abs/1901.05555)). Weighing raises the scores of "
        "rare findings; they are no probabilities afterwards, so that thresholds must be fitted anew."
    )
    wide = table.pivot(index="finding", columns="name", values="value")[names].loc[by_frequency(sheet)]
    numbers(wide.reset_index(), f"weights-{sheet.title}-{policy}-{blank}")


def effects_table(sheet: LabelTable, blank: Blank) -> pd.DataFrame:
    """Columns ``policy``, ``finding``, ``state``, ``images`` and ``share``."""
    tally, parts = imbalance.counts(sheet.targets), []
    for policy in POLICIES.values():
        found = policy_effect(tally, sheet.labels, policy, blank=blank)
        for state, images in zip(
            SEEN, (found.present, found.soft, found.kept, found.absent, found.left_out), strict=True
        ):
            parts.append(
                pd.DataFrame(
                    {"policy": policy.name, "finding": sheet.labels, "state": state, "images": images}
                )
            )
    table = pd.concat(parts, ignore_index=True)
    return table.assign(share=table["images"] / max(1, len(sheet.targets)))


def resampled(sheet: LabelTable, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Positives by finding and way of resampling, and what the ways come to."""
    return _resampled(sheet.key, share, sheet)


@st.cache_data(max_entries=64, show_spinner="Resampling …")
def _resampled(key: str, share: float, _sheet: LabelTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    targets, labels = _sheet.targets, _sheet.labels
    present, parts, totals = imbalance.positives(targets), [], []
    under = min(share, 0.95)
    drawn = {
        _KEPT: targets,
        f"ML-ROS, +{share:.0%}": targets[resampling.ml_ros(targets, share)],
        f"ML-RUS, −{under:.0%}": targets[resampling.ml_rus(targets, under)],
    }
    expected = {name: imbalance.positives(kept).sum(0).astype(float) for name, kept in drawn.items()}
    many = {name: len(kept) for name, kept in drawn.items()}
    for name, power in (("drawn evenly", 0.0), ("drawn by √frequency", 0.5)):
        expected[name] = len(targets) * (resampling.sampling_weights(targets, power=power) @ present)
        many[name] = len(targets)
    for name, values in expected.items():
        known = values[values > 0]
        mean, variation = imbalance.ratio_summary(values)
        parts.append(pd.DataFrame({"finding": labels, "name": name, "images": values}))
        totals.append(
            {
                "how": name,
                "images": many[name],
                "MeanIR": mean,
                "CVIR": variation,
                "rarest": round(float(known.min())) if len(known) else 0,
            }
        )
    return pd.concat(parts, ignore_index=True), pd.DataFrame(totals)


def weights_table(sheet: LabelTable, policy: str, blank: Blank) -> pd.DataFrame:
    """Columns ``finding``, ``name`` (a loss and its term) and ``value``."""
    return _weights(sheet.key, policy, blank, sheet)


@st.cache_data(max_entries=64, show_spinner="Weighing …")
def _weights(key: str, policy: str, blank: Blank, _sheet: LabelTable) -> pd.DataFrame:
    # Only whoever opens this part waits for torch.
    import torch

    from cxrbench.training.objective.losses import class_balance, positive_weights

    seen = torch.from_numpy(POLICIES[policy](_sheet.targets, _sheet.labels, blank=blank))
    positive, negative = class_balance(seen)
    columns = {
        "weighted BCE, positives": positive_weights(seen),
        "class-balanced, positives": positive,
        "class-balanced, negatives": negative,
    }
    return pd.concat(
        [
            pd.DataFrame({"finding": _sheet.labels, "name": name, "value": values.double().numpy()})
            for name, values in columns.items()
        ],
        ignore_index=True,
    )


def _blank(key: str) -> Blank:
    picked = st.segmented_control(
        "A blank counts as",
        list(_BLANKS),
        format_func=lambda name: _BLANKS[name],
        default="zero",
        required=True,
        key=key,
        help="“Absent” is usual for CheXpert; leaving blanks out trains on mentioned findings only.",
    )
    return picked or "zero"
