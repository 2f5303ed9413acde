"""Opens films of the user's data sets on Compare: by label, or those that a model got wrong most clearly."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.services import own_radiographs, own_set_films
from cxrbench.app.services.own_data_work import evaluations
from cxrbench.app.services.own_set_films import ListedFilms, films_of
from cxrbench.data import datasets
from cxrbench.data.datasets import OwnDataSet
from cxrbench.errors import InputError
from cxrbench.evaluation import read_predictions
from cxrbench.labels import canonical, finding_columns, finding_key
from cxrbench.models.folder import EVALUATION

__all__ = ["draw", "listed_paths", "wrong_and_confident"]

_MOST: Final = 200  # images in the list
_VALUES: Final[Mapping[str, float]] = {"present": 1, "absent": 0, "uncertain": -1}
_WRONG: Final = "wrong and confident: "  # before a model's name
_IMAGE: Final = "own_set_image"  # key of the list of images


def draw(on_pick: Callable[[str], None]) -> None:
    """Draw a pop-over with the choice of data set, label and image; nothing where no data set was added.

    Args:
        on_pick: called with the id of the film that was picked, before the page is drawn.
    """
    entries = {entry.name: entry for entry in datasets.scan()}
    if not entries:
        return
    with st.popover(
        "Your data sets", icon=":material/database:", key="open_own_sets", on_change="rerun"
    ) as more:
        if more.open:
            entry = entries[st.selectbox("Data set", list(entries), key="own_set_name")]
            try:
                _pick(entry, films_of(entry), on_pick)
            except InputError as error:
                st.error(str(error))


def listed_paths(entry: OwnDataSet, films: ListedFilms, label: str, kind: str) -> Sequence[str]:
    """Paths of the images of one kind, below the data set's folder.

    Args:
        entry: the data set.
        films: its images.
        label: one of its labels.
        kind: "present", "absent" or "uncertain"; or "wrong and confident: MODEL" for the images on the wrong
            side of the threshold of a model that was evaluated on it, the clearest errors first.
    """
    if kind in _VALUES:
        return list(films.paths[films.having(label, _VALUES[kind])])
    return wrong_and_confident(evaluations(entry)[kind.removeprefix(_WRONG)], label)


def wrong_and_confident(predictions: Path, label: str) -> list[str]:
    """Paths of the images that a model got wrong, the farthest from the threshold first.

    Args:
        predictions: file of an evaluation; its thresholds are in the evaluation.json beside it.
        label: a finding in any spelling; one that the model does not predict has no images.

    Raises:
        InputError: the predictions cannot be read.
    """
    found = read_predictions(predictions)
    column = finding_columns(found.labels).get(finding_key(label))
    threshold = _threshold(predictions, label)
    if column is None or threshold is None:
        return []
    truth, scores = found.targets[:, column], found.scores[:, column].astype(np.float64)
    wrong = np.flatnonzero(((truth == 1) & (scores < threshold)) | ((truth == 0) & (scores >= threshold)))
    order = np.argsort(-np.abs(scores[wrong] - threshold), kind="stable")
    return [str(path) for path in found.table["path"].to_numpy()[wrong[order]]]


def _threshold(predictions: Path, label: str) -> float | None:
    try:
        evaluation = json.loads((predictions.parent / EVALUATION).read_text(encoding="utf-8"))
        by_key = {finding_key(name): value for name, value in evaluation["threshold"].items()}
        return float(by_key[finding_key(label)])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _pick(entry: OwnDataSet, films: ListedFilms, on_pick: Callable[[str], None]) -> None:
    label = st.selectbox("Label", films.studies.labels, key="own_set_label")
    kinds = [*_VALUES, *(f"{_WRONG}{model}" for model in evaluations(entry))]
    kind = st.selectbox("Images", kinds, key="own_set_kind")
    paths = listed_paths(entry, films, label, kind)
    if not paths:
        st.caption("There is no such image: choose another label, or other images of it.")
        return
    st.selectbox(
        "Image",
        paths[:_MOST],
        index=None,
        placeholder="choose one",
        key=_IMAGE,
        on_change=_take,
        args=(entry.name, label, on_pick),
    )
    first = f", the first {_MOST} are listed" if len(paths) > _MOST else ""
    st.caption(f"{len(paths):,} images{first}. Labels of a data set can be wrong.")


def _take(name: str, label: str, on_pick: Callable[[str], None]) -> None:
    path = st.session_state.get(_IMAGE)
    if path is None:
        return
    try:
        film = own_set_films.radiograph(f"{name}/{path}", (canonical(label),))
    except InputError as error:
        st.session_state["link_problems"] = [str(error)]
        return
    on_pick(own_radiographs.keep(film))
