"""Imbalance page: the effect of policies, resampling and class weights on a label table."""

from collections.abc import Mapping
from typing import Final

import pandas as pd
import streamlit as st

from cxrbench.app.imbalance.counts import by_frequency
from cxrbench.app.widgets import charts, terms
from cxrbench.app.widgets.tables import table_expander
from cxrbench.data.label_tables import LabelTable
from cxrbench.figures.charts import dots, stacked
from cxrbench.targets import POLICIES, imbalance, resampling
from cxrbench.targets.effects import policy_effect
from cxrbench.targets.policies import Blank

__all__ = ["policies_part", "resampling_part", "weights_part"]


SEEN: Final[Mapping[str, str]] = {
    "present": "#D55E00",
    "in between": "#E69F00",
    "a class of its own": "#CC79A7",
    "absent": "#56B4E9",
    "left out": "#b9c0c7",
}
_BLANKS: Final[Mapping[Blank, str]] = {"zero": "absent", "mask": "left out of the loss"}
_KEPT: Final = "as they are"


def policies_part(label_table: LabelTable) -> None:
    """Draw the training targets under each uncertainty policy."""
    blank = _blank("policies_blank")
    order = by_frequency(label_table)
    table = effects_table(label_table, blank)
    st.html(charts.legend(SEEN))
    for start in range(0, len(POLICIES), 3):
        for column, policy in zip(st.columns(3), list(POLICIES.values())[start : start + 3], strict=False):
            with column:
                terms.markdown(f"**{policy.name}**: {policy.summary}", help=policy.reference)
                own = table[table["policy"] == policy.name]
                chart = stacked(own, order, SEEN, share=True, compact=True)
                shares = "; ".join(
                    f"{row.finding} {row.share:.1%}" for row in own[own["state"] == "present"].itertuples()
                )
                charts.show(chart, alt_text=f"Policy {policy.name}; share of images with target 1: {shares}.")
    terms.caption(
        "**Present** and **absent**: targets of 1 and 0. **In between**: soft targets, drawn at random by "
        "the policy, or the scores of a teacher model. **A class of its own**: uncertain as a third class, "
        "which needs a three-class loss. **Left out**: ignored by the loss."
    )
    wide = table.pivot(index="finding", columns=["policy", "state"], values="images").loc[order]
    wide = wide[[(policy, state) for policy in POLICIES for state in SEEN]]
    wide.columns = [": ".join(names) for names in wide.columns]
    table_expander(wide.reset_index(), f"policies-{label_table.title}-{blank}")


def resampling_part(label_table: LabelTable) -> None:
    """Draw the positives per finding under oversampling, undersampling and weighted sampling."""
    share = st.slider(
        "Share of images added or removed",
        0.05,
        1.0,
        0.25,
        0.05,
        key="resampling_share",
        width=320,
        help="ML-ROS copies this share of the images; ML-RUS removes it, at most all images without a rare "
        "finding. Charte et al. used 0.10, 0.20 and 0.25.",
    )
    table, totals = resampled(label_table, share)
    names = list(totals["how"])
    chart = dots(table, by_frequency(label_table), names, value="images", title="Positive images", log=True)
    charts.show(chart, alt_text="Positive images of each finding by resampling method.")
    st.dataframe(
        totals,
        hide_index=True,
        column_config={
            "how": "Resampling",
            "images": st.column_config.NumberColumn("Images", format="localized"),
            "MeanIR": st.column_config.NumberColumn(format="%.1f"),
            "CVIR": st.column_config.NumberColumn(format="%.2f"),
            "rarest": st.column_config.NumberColumn("Positives of the rarest finding", format="localized"),
        },
    )
    terms.caption(
        "**ML-ROS** copies images with rare findings, **ML-RUS** removes images without any (Charte et "
        "al. 2015, [doi:10.1016/j.neucom.2014.08.091](https://doi.org/10.1016/j.neucom.2014.08.091)). "
        "**Drawn evenly** samples images with weights: first a finding is drawn uniformly, then one of its "
        "images (Kang et al. 2020, [arXiv:1910.09217](https://arxiv.org/abs/1910.09217)); the counts are "
        "expected values for one epoch. A drawn image counts for all its findings, so frequent ones rise too."
    )
    wide = table.pivot(index="finding", columns="name", values="images")[names].loc[by_frequency(label_table)]
    table_expander(wide.reset_index(), f"resampling-{label_table.title}-{share:.2f}")


def weights_part(label_table: LabelTable) -> None:
    """Draw the class weights that the losses compute from these labels."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        policy = st.selectbox(
            "Policy",
            [name for name, policy in POLICIES.items() if not policy.needs],
            key="weights_policy",
            width=220,
        )
        blank = _blank("weights_blank")
    table = weights_table(label_table, policy, blank)
    names = list(dict.fromkeys(table["name"]))
    chart = dots(table, by_frequency(label_table), names, value="value", title="Weight", log=True, form=".2f")
    charts.show(chart, alt_text="Weights of each finding's positives and negatives, by loss.")
    terms.caption(
        "**Weighted BCE** multiplies the term of the positives by negatives ÷ positives, at most 20, so "
        "that a few positives do not dominate the gradient. **Class-balanced** weights are the inverse of "
        "the effective number of images, (1 − βⁿ) ÷ (1 − β), with β = 0.9999; they sum to 2 per finding "
        "(Cui et al. 2019, [arXiv:1901.05555](https://arxiv.org/abs/1901.05555)). Weights raise the scores "
        "of rare findings: these are no longer probabilities, and thresholds must be fitted again."
    )
    wide = table.pivot(index="finding", columns="name", values="value")[names].loc[by_frequency(label_table)]
    table_expander(wide.reset_index(), f"weights-{label_table.title}-{policy}-{blank}")


def effects_table(label_table: LabelTable, blank: Blank) -> pd.DataFrame:
    """Columns ``policy``, ``finding``, ``state``, ``images`` and ``share``."""
    counts, parts = imbalance.counts(label_table.targets), []
    for policy in POLICIES.values():
        effect = policy_effect(counts, label_table.labels, policy, blank=blank)
        for state, images in zip(
            SEEN, (effect.present, effect.soft, effect.kept, effect.absent, effect.left_out), strict=True
        ):
            parts.append(
                pd.DataFrame(
                    {"policy": policy.name, "finding": label_table.labels, "state": state, "images": images}
                )
            )
    table = pd.concat(parts, ignore_index=True)
    return table.assign(share=table["images"] / max(1, len(label_table.targets)))


def resampled(label_table: LabelTable, share: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Positives by finding and resampling method; and MeanIR, CVIR and sizes by resampling method."""
    return _resampled(label_table.key, share, label_table)


@st.cache_data(max_entries=64, show_spinner="Resampling …")
def _resampled(key: str, share: float, _label_table: LabelTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    targets, labels = _label_table.targets, _label_table.labels
    present, parts, totals = imbalance.positives(targets), [], []
    under = min(share, 0.95)
    drawn = {
        _KEPT: targets,
        f"ML-ROS, +{share:.0%}": targets[resampling.ml_ros(targets, share)],
        f"ML-RUS, −{under:.0%}": targets[resampling.ml_rus(targets, under)],
    }
    expected = {name: imbalance.positives(kept).sum(0).astype(float) for name, kept in drawn.items()}
    sizes = {name: len(kept) for name, kept in drawn.items()}
    for name, power in (("drawn evenly", 0.0), ("drawn by √frequency", 0.5)):
        expected[name] = len(targets) * (resampling.sampling_weights(targets, power=power) @ present)
        sizes[name] = len(targets)
    for name, values in expected.items():
        known = values[values > 0]
        mean, variation = imbalance.ratio_summary(values)
        parts.append(pd.DataFrame({"finding": labels, "name": name, "images": values}))
        totals.append(
            {
                "how": name,
                "images": sizes[name],
                "MeanIR": mean,
                "CVIR": variation,
                "rarest": round(float(known.min())) if len(known) else 0,
            }
        )
    return pd.concat(parts, ignore_index=True), pd.DataFrame(totals)


def weights_table(label_table: LabelTable, policy: str, blank: Blank) -> pd.DataFrame:
    """Columns ``finding``, ``name`` (a loss and its term) and ``value``."""
    return _weights(label_table.key, policy, blank, label_table)


@st.cache_data(max_entries=64, show_spinner="Computing class weights …")
def _weights(key: str, policy: str, blank: Blank, _label_table: LabelTable) -> pd.DataFrame:
    # Imported here: only this tab needs torch.
    import torch

    from cxrbench.training.objective.losses import class_balance, positive_weights

    training_targets = torch.from_numpy(
        POLICIES[policy](_label_table.targets, _label_table.labels, blank=blank)
    )
    positive, negative = class_balance(training_targets)
    columns = {
        "weighted BCE, positives": positive_weights(training_targets),
        "class-balanced, positives": positive,
        "class-balanced, negatives": negative,
    }
    return pd.concat(
        [
            pd.DataFrame({"finding": _label_table.labels, "name": name, "value": values.double().numpy()})
            for name, values in columns.items()
        ],
        ignore_index=True,
    )


def _blank(key: str) -> Blank:
    picked = st.segmented_control(
        "Blank labels count as",
        list(_BLANKS),
        format_func=lambda name: _BLANKS[name],
        default="zero",
        required=True,
        key=key,
        help="“Absent” is usual for CheXpert. Left out of the loss: only findings that a report mentions "
        "are trained on.",
    )
    return picked or "zero"
