"""The Performance page's controls: whose predictions, of which images, cut where."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import streamlit as st

from cxrbench.app.links import follow_widgets, keep_widgets
from cxrbench.app.pills import some
from cxrbench.app.scored import FIT, Question, System, own_predictions, predictions, stored, systems
from cxrbench.errors import InputError
from cxrbench.evaluation import Predictions
from cxrbench.inference import ENSEMBLES, THRESHOLDS

__all__ = ["Asked", "pick"]


# Query parameter → key of the control that it sets.
_LINK: Final = {
    "models": "judge_models",
    "ensembles": "judge_ensembles",
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


def pick() -> Asked | None:
    """Draw the controls; None, with a sentence, where nothing can be shown."""
    asked = follow_widgets(_LINK, lists=("models", "ensembles"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="judge"):
        place = st.container(horizontal=True, vertical_alignment="bottom")
        given = _given()
        if not given:
            return None
        with place:
            question = _question(given)
            try:
                found = systems(given, question)
            except InputError as error:
                st.error(str(error))
                return None
            finding = _finding(found[0].shown.labels)
    chosen = {"models": question.models, "ensembles": question.ensembles, "finding": [finding]}
    keep_widgets(chosen | {"images": [question.split], "thresholds": [question.rule]}, asked)
    _say(found, finding)
    return Asked(found, finding, question)


def _given() -> dict[str, Predictions]:
    """The reader's own predictions if there are any, else the stored ones; by name."""
    with st.popover("Your own predictions", icon=":material/upload:", on_change="rerun"):
        files = st.file_uploader(
            "CSV files, one a model",
            accept_multiple_files=True,
            key="own_predictions",
            max_upload_size=200,
            help="A row an image. For each finding a column with the truth (Edema: 1, 0 or nothing) and one "
            "with the score (score Edema: 0 to 1). Of path, patient, split, sex, age, view and projection "
            "any may be missing.",
        )
        st.caption(
            "They stay in the memory of this machine. Files of several models are matched by the column "
            "path. Remove them here to go back to the stored predictions."
        )
    found: dict[str, Predictions] = {}
    try:
        for file in files or ():
            found[file.name[:80]] = own_predictions(file.getvalue(), file.name[:80])
        if not found:
            found = {name: predictions(entry) for name, entry in stored().items()}
    except InputError as error:
        st.error(str(error))
        return {}
    if not found:
        st.info(
            "There are no predictions here yet: `cxrbench evaluate` and the training recipe write "
            "predictions.csv beside a model; or open a file of your own."
        )
    return found


def _question(given: Mapping[str, Predictions]) -> Question:
    titles = {name: one.name or name for name, one in given.items()}
    models = some("Models", titles, list(titles)[:2], "judge_models")
    ensembles: tuple[str, ...] = ()
    if len(models) > 1:
        records = {name: record.title for name, record in ENSEMBLES.items()}
        ensembles = some("Ensembles", records, ["ctp_mean"], "judge_ensembles", needed=False)
    splits = list(given[models[0]].splits)
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
        help=" ".join(f"**{record.title}**: {record.says}" for record in THRESHOLDS.values()),
    )
    return Question(models, ensembles, split, rule)


def _finding(labels: tuple[str, ...]) -> str:
    _known("judge_finding", labels, next((name for name in labels if name != "No Finding"), labels[0]))
    picked: str = st.selectbox("Finding", list(labels), key="judge_finding", width=230)
    return picked


def _known(key: str, options: Collection[str], start: str) -> None:
    """See to it that a select box holds one of its options.

    Told anew at every run: a browser too busy to draw the first one would show the first of the list.
    """
    now = st.session_state.get(key)
    st.session_state[key] = now if now in options else start


def _say(found: list[System], finding: str) -> None:
    """What is shown, in numbers; and whether thresholds were chosen fairly."""
    shown = found[0].shown
    column = shown.labels.index(finding)
    truth = shown.targets[:, column]
    patients = len(set(shown.patients))
    words = f"{len(shown):,} images of {patients:,} patients. {finding}: {(truth == 1).sum():,} present, "
    words += f"{(truth == 0).sum():,} absent"
    unknown = len(truth) - int((truth == 1).sum()) - int((truth == 0).sum())
    st.caption(words + (f", {unknown:,} not known and left out." if unknown else "."))
    if found[0].fitted is found[0].shown or len(found[0].fitted) == 0:
        st.caption(
            ":material/warning: Thresholds are chosen on the very images that are shown, since there are "
            f"none of the split “{FIT}”: figures at a threshold look better than they are. AUROC and average "
            "precision do not depend on it."
        )
