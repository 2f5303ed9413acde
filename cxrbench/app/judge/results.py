"""The results that the Judge page can show: shipped ones, and the user's own of this session."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from cxrbench import assets
from cxrbench.app.services.uploads import file_uploader
from cxrbench.data.phantom.shipped import shipped_film
from cxrbench.errors import InputError
from cxrbench.explain import METHODS, configured_method
from cxrbench.judge import CRITERIA
from cxrbench.labels import CHEXPERT
from cxrbench.workflows.judged_results import read_judged
from cxrbench.writing import free_name

__all__ = [
    "Results",
    "available_results",
    "is_control",
    "judged_as",
    "method_title",
    "show_problems",
    "uploader",
]

_OWN: Final = "own_results"  # session state: id → Results, oldest first
_PROBLEMS: Final = "own_results_problems"  # session state: one message per file of the last upload
_SEEN: Final = "own_results_seen"  # session state: ids of the files that were read
_MOST: Final = 3  # files that a session keeps: up to a gigabyte each


@dataclass(frozen=True, eq=False)
class Results:
    """Judged maps, as read from one file.

    Args:
        key: identifies the content; a cache key.
        title: name on the page, unique.
        table: as from ``read_judged``.
        own: whether the user opened it.
    """

    key: str
    title: str
    table: pd.DataFrame
    own: bool
    _parts: dict[str, "Results"] = field(default_factory=dict, init=False, repr=False)

    def of_model(self, model: str) -> "Results":
        """The part of one model: it may lack methods, criteria and findings of the others."""
        if model not in self._parts:
            part = self.table[self.table["model"] == model]
            self._parts[model] = replace(self, key=f"{self.key} {model}", table=part)
        return self._parts[model]

    @cached_property
    def models(self) -> tuple[str, ...]:
        """Names of the models, in the order of the file."""
        return tuple(self.table["model"].unique())

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """Keys of the methods, in the order of ``METHODS``: controls come last."""
        return _ordered(self.table["method"].unique(), METHODS)

    @cached_property
    def findings(self) -> tuple[str, ...]:
        """Names of the findings, CheXpert's in its order."""
        return _ordered(self.table["finding"].unique(), CHEXPERT)

    @cached_property
    def criteria(self) -> tuple[str, ...]:
        """Names of the criteria that this version knows, in the order of ``CRITERIA``."""
        present = set(self.table["criterion"].unique())
        return tuple(name for name in CRITERIA if name in present)

    @cached_property
    def unknown(self) -> tuple[str, ...]:
        """Criteria that this version does not know; they are not shown."""
        return tuple(sorted(set(self.table["criterion"].unique()) - set(CRITERIA)))

    @cached_property
    def simulated(self) -> bool:
        """Whether the films are phantoms of the shipped models' data set, judging by the first."""
        try:
            shipped_film(str(self.table["film"].iloc[0]))
        except InputError:
            return False
        return True


def available_results() -> dict[str, Results]:
    """Key → results: the user's own, the latest first, then those that ship with the workbench.

    Unreadable shipped files are left out, with a message.
    """
    found = dict(reversed(_own().items()))
    for path in sorted(assets.judged().glob("*.parquet")):
        stat = path.stat()
        try:
            results = _shipped(str(path), stat.st_mtime_ns, stat.st_size)
        except InputError as error:
            st.error(str(error))
            continue
        found[results.key] = results
    return found


def uploader() -> None:
    """Draw the pop-over with the uploader; a file that was opened stays until the session ends."""
    with st.popover("Your own results", icon=":material/upload:"):
        file_uploader(
            "Parquet files of judged maps",
            type="parquet",
            accept_multiple_files=True,
            key="results_files",
            on_change=_take,
            max_upload_size=200,
            help="The judged.parquet that `cxrbench judge --out DIR` writes: one row per model, film, "
            "method, finding and criterion, with the columns model, film, patient, method, finding, "
            "criterion, value and best.",
        )
        st.caption(
            "Files stay in the memory of the server until the session ends, also when another page is "
            "opened. Two files of the same name are two results."
        )


def show_problems() -> None:
    """Show the problems of the last upload."""
    for problem in st.session_state.get(_PROBLEMS, ()):
        st.error(problem)


def method_title(key: str) -> str:
    """Title of a method; its key if this version has no such method."""
    try:
        return configured_method(key).title
    except InputError:
        return key


def judged_as(control: str, methods: Iterable[str]) -> str:
    """The key under which a control was judged, which may state parameters; its own if it was not judged."""
    keys = [key for key in methods if key.partition("(")[0] == control]
    return control if control in keys or not keys else keys[0]


def is_control(key: str) -> bool:
    """Whether a method is a control, which does not look at the model."""
    record = METHODS.get(key.partition("(")[0])
    return record is not None and record.family == "control"


@st.cache_resource(max_entries=4, show_spinner="Reading judged maps …")
def _shipped(path: str, changed: int, size: int) -> Results:
    file = Path(path)
    return Results(f"{path} {changed} {size}", file.stem, read_judged(file, file.name), own=False)


def _own() -> dict[str, Results]:
    own: dict[str, Results] = st.session_state.setdefault(_OWN, {})
    return own


def _take() -> None:
    """Read the files that were uploaded since the last time."""
    seen: set[str] = st.session_state.setdefault(_SEEN, set())
    files = [file for file in st.session_state.get("results_files") or () if file.file_id not in seen]
    if not files:  # a file was removed from the uploader: its results stay
        return
    seen.update(file.file_id for file in files)
    problems: list[str] = []
    st.session_state[_PROBLEMS] = problems
    for file in files:
        data = file.getvalue()
        try:
            table = read_judged(data, file.name[:80])
        except InputError as error:
            problems.append(str(error))
            continue
        key = hashlib.sha256(data).hexdigest()
        _keep(Results(key, file.name[:80].removesuffix(".parquet"), table, own=True), problems)


def _keep(results: Results, problems: list[str]) -> None:
    own = _own()
    own.pop(results.key, None)
    titles = {other.title for other in own.values()}
    own[results.key] = replace(results, title=free_name(results.title, titles))
    st.session_state["results_key"] = results.key
    while len(own) > _MOST:
        oldest = own.pop(next(iter(own)))
        problems.append(
            f"{oldest.title} was removed: a session keeps at most {_MOST} results. Upload it again to see it."
        )


def _ordered(names: Iterable[str], known: Mapping[str, object] | tuple[str, ...]) -> tuple[str, ...]:
    """Names in the order of the known ones, by what stands before a parenthesis; unknown ones last."""
    place = {name: index for index, name in enumerate(known)}
    return tuple(sorted(names, key=lambda name: (place.get(name.partition("(")[0], len(place)), name)))
