"""Controls of the Performance page: predictions, images and thresholds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import streamlit as st

from cxrbench.app.performance.available import Given, given_predictions, show_new
from cxrbench.app.performance.first_finding import teaching_finding
from cxrbench.app.performance.predictions import FIT, Question, systems
from cxrbench.app.widgets.multi_select import some
from cxrbench.app.widgets.url import NOTHING, follow, keep
from cxrbench.errors import InputError
from cxrbench.evaluation import System
from cxrbench.inference import ENSEMBLES, THRESHOLDS

__all__ = ["Asked", "follow_link", "pick"]


# Query parameter → key of the control that it sets.
_LINK: Final = {
    "models": "judge_models",
    "ensembles": "judge_ensembles",
    "members": "judge_members",
    "finding": "judge_finding",
    "images": "judge_split",
    "thresholds": "judge_rule",
}


@dataclass(frozen=True)
class Asked:
    """What is to be shown.

    Args:
        systems: at least one, on the same images.
        finding: a label of theirs.
        question: as it was asked.
    """

    systems: list[System]
    finding: str
    question: Question


def follow_link() -> None:
    """Set the controls to what the address asks for; to be called outside of fragments."""
    if follow(_LINK, lists=("models", "ensembles", "members")):
        st.session_state.pop("judge_offered", None)


def pick() -> Asked | None:
    """Draw the controls; None, with a sentence, where nothing can be shown."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="judge"):
        controls = st.container(horizontal=True, vertical_alignment="bottom")
        given = given_predictions()
    for problem in given.problems:
        st.error(problem)
    if not given.predictions:
        st.info(
            "There are no predictions here yet: `cxrbench evaluate` and the training recipe write "
            "predictions.csv beside a model; or open a file of your own."
        )
        return None
    show_new(given)
    with controls:
        question = _question(given)
        try:
            found = systems(given.predictions, question)
        except InputError as error:
            st.error(str(error))
            return None
        finding = _finding(found[0])
    keep(_link_of(question, finding, given))
    _say(found, finding, _say_members(found, question, given))
    for note in given.notes:
        st.caption(f":material/info: {note}")
    return Asked(found, finding, question)


def _question(given: Given) -> Question:
    titles = {name: one.name or name for name, one in given.predictions.items()}
    models = some("Models", titles, list(titles)[:2], "judge_models")
    ensembles: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    if len(models) > 1:
        records = {name: record.title for name, record in ENSEMBLES.items()}
        ensembles = some("Ensembles", records, ["ctp_mean"], "judge_ensembles", needed=False)
        if ensembles:
            members = _members(models, titles, given.shortcuts)
    splits = list(given.predictions[models[0]].splits)
    split = splits[0]
    if len(splits) > 1:
        _known("judge_split", splits, "test" if "test" in splits else split)
        split = st.selectbox("Images", splits, key="judge_split", width=120)
    _known("judge_rule", THRESHOLDS, "youden")
    rule = st.selectbox(
        "Thresholds",
        list(THRESHOLDS),
        format_func=lambda name: THRESHOLDS[name].title,
        key="judge_rule",
        width=190,
        help=" ".join(f"**{record.title}**: {record.summary}" for record in THRESHOLDS.values()),
    )
    return Question(models, ensembles, split, rule, members)


def _members(
    models: tuple[str, ...], titles: Mapping[str, str], shortcuts: Collection[str]
) -> tuple[str, ...]:
    """Which of the models are in the ensembles: all but those trained on a shortcut, unless chosen."""
    start = _start_members(models, shortcuts)
    offered = st.session_state.get("judge_offered", models)  # those that the reader could put in or leave out
    st.session_state["judge_offered"] = models
    if "judge_members" in st.session_state:
        added = [name for name in start if name not in offered]
        st.session_state["judge_members"] = [*(st.session_state["judge_members"] or ()), *added]
    return some(
        "Ensemble of",
        {name: titles[name] for name in models},
        start,
        "judge_members",
        needed=False,
        about="A model that was trained on a planted shortcut is left out unless you choose it.",
    )


def _start_members(models: Collection[str], shortcuts: Collection[str]) -> list[str]:
    return [name for name in models if name not in shortcuts]


def _finding(system: System) -> str:
    labels = list(system.shown.labels)
    if st.session_state.get("judge_finding") not in labels:
        st.session_state["judge_finding"] = teaching_finding(system)
    else:
        _known("judge_finding", labels, labels[0])
    picked: str = st.selectbox(
        "Finding",
        labels,
        key="judge_finding",
        width=230,
        help="The page opens with the finding whose AUROC is the median of the first model's findings: "
        "neither the easiest nor the hardest.",
    )
    return picked


def _known(key: str, options: Collection[str], start: str) -> None:
    """See to it that a select box holds one of its options.

    Told anew at every run: a browser too busy to draw the first one would show the first of the list.
    """
    now = st.session_state.get(key)
    st.session_state[key] = now if now in options else start


def _link_of(question: Question, finding: str, given: Given) -> dict[str, list[str]]:
    """Query parameter → its values; the reader's own files are in no link."""
    several = len(question.models) > 1
    members = list(question.members or ())
    usual = _start_members(question.models, given.shortcuts)
    return {
        "models": [name for name in question.models if name not in given.own],
        "ensembles": list(question.ensembles) or ([NOTHING] if several else []),
        "members": [] if not question.ensembles or members == usual else members or [NOTHING],
        "finding": [finding],
        "images": [question.split],
        "thresholds": [question.rule],
    }


def _say(found: list[System], finding: str, members: str) -> None:
    """What is shown, in numbers; which models the ensembles are of; whether thresholds were chosen fairly."""
    shown = found[0].shown
    column = shown.labels.index(finding)
    truth = shown.targets[:, column]
    patients = len(set(shown.patients))
    words = f"{len(shown):,} images of {patients:,} patients. {finding}: {(truth == 1).sum():,} present, "
    words += f"{(truth == 0).sum():,} absent"
    unknown = len(truth) - int((truth == 1).sum()) - int((truth == 0).sum())
    words += f", {unknown:,} not known and left out." if unknown else "."
    st.caption(f"{words} {members}")
    if found[0].fitted is found[0].shown or len(found[0].fitted) == 0:
        st.caption(
            ":material/warning: Thresholds are chosen on the very images that are shown, since there are "
            f"none of the split “{FIT}”: metrics at a threshold are optimistic. AUROC and average "
            "precision do not depend on it."
        )


def _say_members(found: list[System], question: Question, given: Given) -> str:
    """Which models are in the ensembles, which are not, and why there may be none."""
    if not question.ensembles:
        return ""
    members = question.members or ()
    titles = {system.name: system.title for system in found}
    left_out = [name for name in question.models if name not in members]
    words = f"Ensemble of {', '.join(titles[name] for name in members)}."
    if len(members) < 2:
        words = "There is no ensemble: it takes two models, chosen under “Ensemble of”."
    if left_out:
        words += f" Left out: {', '.join(titles[name] for name in left_out)}"
        words += ", trained on a planted shortcut." if set(left_out) <= set(given.shortcuts) else "."
    return words
