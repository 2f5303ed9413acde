"""Controls of the Performance page: models, ensembles, split, operating points and finding."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import streamlit as st

from cxrbench.app.performance import clicked_cell
from cxrbench.app.performance.available import AvailablePredictions, available_predictions, select_new_files
from cxrbench.app.performance.first_finding import median_auroc_finding
from cxrbench.app.performance.predictions import VALIDATION, SystemSelection, systems
from cxrbench.app.services.own_data_work import evaluated_sets
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.multi_select import multi_select
from cxrbench.app.widgets.url import NOTHING, follow, keep
from cxrbench.errors import InputError
from cxrbench.evaluation import System
from cxrbench.inference import ENSEMBLES, THRESHOLDS

__all__ = ["SelectedSystems", "follow_link", "pick"]


# Query parameter → key of the control that it sets.
_LINK: Final = {
    "data": "performance_data",
    "models": "judge_models",
    "ensembles": "judge_ensembles",
    "members": "judge_members",
    "finding": "judge_finding",
    "images": "judge_split",
    "thresholds": "judge_rule",
    "cell": clicked_cell.CELL,
}


@dataclass(frozen=True)
class SelectedSystems:
    """The systems and the finding to show.

    Args:
        systems: at least one, on the same images.
        finding: one of their labels.
        selection: the selection that they result from.
    """

    systems: list[System]
    finding: str
    selection: SystemSelection


def follow_link() -> None:
    """Set the controls to the URL's query parameters; to be called outside of fragments."""
    if follow(_LINK, lists=("models", "ensembles", "members", "cell")):
        st.session_state.pop("judge_offered", None)


def pick() -> SelectedSystems | None:
    """Draw the controls; return None, with a message, if nothing can be shown."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="judge"):
        controls = st.container(horizontal=True, vertical_alignment="bottom")
        with controls:
            data_set = _data_set()
        available = available_predictions(data_set)
    for problem in available.problems:
        st.error(problem)
    if not available.predictions:
        st.info(
            "There are no predictions yet. `cxrbench evaluate` and training write predictions.csv into the "
            "model's folder; or upload a file of your own."
        )
        return None
    select_new_files(available)
    with controls:
        selection = _selection(available)
        try:
            shown = systems(available.predictions, selection)
        except InputError as error:
            st.error(str(error))
            return None
        finding = _finding(shown[0])
    link = _link_of(selection, finding, available) | {"data": [data_set] if data_set else []}
    keep(link | {"cell": clicked_cell.parameter(shown, available.own)})
    _show_counts(shown, finding, _members_text(shown, selection, available))
    for note in available.notes:
        terms.caption(f":material/info: {note}")
    return SelectedSystems(shown, finding, selection)


def _data_set() -> str:
    """Draw the choice of a data set, if models were evaluated on one of the user's; "" for none of them."""
    names = ["", *evaluated_sets()]
    if len(names) == 1:
        st.session_state.pop("performance_data", None)  # of a data set that was removed
        return ""
    _ensure_option("performance_data", names, "")
    chosen: str = st.selectbox(
        "Data set",
        names,
        format_func=lambda name: name or "stored with the models",
        key="performance_data",
        width=200,
        help="Models are evaluated on data sets of your own on the Data page.",
    )
    return chosen


def _selection(available: AvailablePredictions) -> SystemSelection:
    titles = {name: entry.name or name for name, entry in available.predictions.items()}
    models = multi_select("Models", titles, list(titles)[:2], "judge_models")
    ensembles: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    if len(models) > 1:
        records = {name: record.title for name, record in ENSEMBLES.items()}
        ensembles = multi_select("Ensembles", records, ["ctp_mean"], "judge_ensembles", needed=False)
        if ensembles:
            members = _members(models, titles, available.shortcuts)
    splits = list(available.predictions[models[0]].splits)
    split = splits[0]
    if len(splits) > 1:
        _ensure_option("judge_split", splits, "test" if "test" in splits else split)
        split = st.selectbox("Images", splits, key="judge_split", width=120)
    _ensure_option("judge_rule", THRESHOLDS, "youden")
    rule = st.selectbox(
        "Operating points",
        list(THRESHOLDS),
        format_func=lambda name: THRESHOLDS[name].title,
        key="judge_rule",
        width=190,
        help="Per-finding thresholds, fitted on the validation images. "
        + " ".join(f"**{record.title}**: {record.summary}" for record in THRESHOLDS.values()),
    )
    return SystemSelection(models, ensembles, split, rule, members)


def _members(
    models: tuple[str, ...], titles: Mapping[str, str], shortcuts: Collection[str]
) -> tuple[str, ...]:
    """Return the models in the ensembles: all, without those trained on a shortcut unless selected."""
    start = _default_members(models, shortcuts)
    offered = st.session_state.get("judge_offered", models)  # the options at the last run
    st.session_state["judge_offered"] = models
    if "judge_members" in st.session_state:
        added = [name for name in start if name not in offered]
        st.session_state["judge_members"] = [*(st.session_state["judge_members"] or ()), *added]
    return multi_select(
        "Ensemble of",
        {name: titles[name] for name in models},
        start,
        "judge_members",
        needed=False,
        about="A model that was trained on a planted shortcut is excluded unless you select it.",
    )


def _default_members(models: Collection[str], shortcuts: Collection[str]) -> list[str]:
    return [name for name in models if name not in shortcuts]


def _finding(system: System) -> str:
    labels = list(system.shown.labels)
    if st.session_state.get("judge_finding") not in labels:
        st.session_state["judge_finding"] = median_auroc_finding(system)
    else:
        _ensure_option("judge_finding", labels, labels[0])
    finding: str = st.selectbox(
        "Finding",
        labels,
        key="judge_finding",
        width=230,
        help="Initially the finding of the first model's median AUROC: neither the easiest nor the hardest.",
    )
    return finding


def _ensure_option(key: str, options: Collection[str], start: str) -> None:
    """Make sure that the value of a select box is one of its options.

    Set at every run: a browser that was too busy to draw the first run would show the first option.
    """
    value = st.session_state.get(key)
    st.session_state[key] = value if value in options else start


def _link_of(
    selection: SystemSelection, finding: str, available: AvailablePredictions
) -> dict[str, list[str]]:
    """Return query parameter → values; uploaded files are left out."""
    several = len(selection.models) > 1
    members = list(selection.members or ())
    default_members = _default_members(selection.models, available.shortcuts)
    return {
        "models": [name for name in selection.models if name not in available.own],
        "ensembles": list(selection.ensembles) or ([NOTHING] if several else []),
        "members": [] if not selection.ensembles or members == default_members else members or [NOTHING],
        "finding": [finding],
        "images": [selection.split],
        "thresholds": [selection.rule],
    }


def _show_counts(systems_shown: list[System], finding: str, members: str) -> None:
    """Show numbers of images and patients, the ensembles' members, and a warning on optimistic metrics."""
    first = systems_shown[0]
    truth = first.shown.targets[:, first.shown.labels.index(finding)]
    patients = len(set(first.shown.patients))
    text = (
        f"{len(first.shown):,} images of {patients:,} patients. {finding}: {(truth == 1).sum():,} present, "
    )
    text += f"{(truth == 0).sum():,} absent"
    unknown = len(truth) - int((truth == 1).sum()) - int((truth == 0).sum())
    text += f", {unknown:,} without a label and ignored." if unknown else "."
    terms.caption(f"{text} {members}")
    if first.fitted is first.shown or len(first.fitted) == 0:
        terms.caption(
            ":material/warning: There are no images of the split “"
            + VALIDATION
            + "”, so thresholds are fitted "
            "on the evaluated images: metrics at a threshold are optimistic. AUROC and average precision do "
            "not depend on thresholds."
        )


def _members_text(
    systems_shown: list[System], selection: SystemSelection, available: AvailablePredictions
) -> str:
    """Say which models are in the ensembles, which are not, and why there may be no ensemble."""
    if not selection.ensembles:
        return ""
    members = selection.members or ()
    titles = {system.name: system.title for system in systems_shown}
    excluded = [name for name in selection.models if name not in members]
    text = f"Ensemble of {', '.join(titles[name] for name in members)}."
    if len(members) < 2:
        text = "No ensemble: select at least two models under “Ensemble of”."
    if excluded:
        text += f" Excluded: {', '.join(titles[name] for name in excluded)}"
        text += ", trained on a planted shortcut." if set(excluded) <= set(available.shortcuts) else "."
    return text
