"""Files of one's own: a radiograph to explain, or a bundle that was saved."""

from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from cxrbench.app.sources import Source, from_bundle, from_upload
from cxrbench.errors import InputError

__all__ = ["OWN", "opened", "show_problem", "uploaders"]

OWN: Final = "own"  # the case that stands for the opened file; no link brings it back


def opened() -> Source | None:
    """What this visitor has opened."""
    return st.session_state.get("opened")


def uploaders() -> None:
    """The two doors: for a radiograph, for a bundle."""
    st.file_uploader(
        "A radiograph",
        type=["png", "jpg", "jpeg", "tif", "tiff", "dcm", "dicom"],
        key="radiograph",
        on_change=_open,
        args=("radiograph", from_upload),
        help="PNG, JPEG, TIFF or DICOM, frontal. It is kept in memory while this page is open, then forgotten; "
        "tags that name a patient are never read.",
    )
    st.file_uploader(
        "A saved bundle",
        type=["zip"],
        key="bundle",
        on_change=_open,
        args=("bundle", from_bundle),
        help="A comparison saved with “Save bundle”: settings, scores and raw maps.",
    )
    st.caption("Never upload pictures of patients you may not share with this computer.")


def show_problem() -> None:
    """The one sentence on a file that could not be opened."""
    problem = st.session_state.get("open problem")
    if problem:
        st.error(problem, icon=":material/error:")


def _open(key: str, read: Callable[[bytes, str], Source]) -> None:
    file: Any = st.session_state.get(key)
    st.session_state["open problem"] = ""
    if file is None:
        return
    try:
        source = read(file.getvalue(), file.name)
    except InputError as error:
        st.session_state["open problem"] = str(error)
        return
    st.session_state["opened"] = source
    st.session_state["case"] = OWN
    _adopt(source)


def _adopt(source: Source) -> None:
    """Show a bundle as it was saved."""
    settings = source.comparison.settings
    if not settings.models:
        return
    state = st.session_state
    state["model"], state["method"] = list(settings.models), list(settings.methods)
    state["stage"], state["baseline"], state["steps"] = settings.stage, settings.baseline, settings.steps
    if source.finding is not None:
        state["finding"] = [source.finding]
