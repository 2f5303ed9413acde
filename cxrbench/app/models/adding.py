"""Adding models on the Models page: offered ones with one click, folders, and repositories of the Hub."""

from pathlib import Path
from typing import Final

import streamlit as st

from cxrbench import assets
from cxrbench.app.services import own_model_work as work
from cxrbench.app.services.background_tasks import Task
from cxrbench.app.services.folder_access import check_folder, is_local, may_name_folders, without_folders
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.progress import in_words
from cxrbench.errors import InputError
from cxrbench.models import catalog, own
from cxrbench.models.offered import OFFERED, OfferedModel

__all__ = ["form", "offered"]

_SECONDS: Final = 1.0  # between two looks at a download
_NAMED: Final = "model_named"  # session state: what was named in the form last
_ERROR: Final = "model_error"  # session state: why it was refused


def offered() -> None:
    """Draw every model that can be added by name; again every second while one is being added."""
    if not may_name_folders():
        st.info(
            "This workbench is open to a network, so a visitor cannot add models to its machine. Its owner "
            "adds one there with `cxrbench models add NAME`."
        )
    busy = work.running(_known())

    @st.fragment(run_every=_SECONDS if busy else None)
    @terms.part
    def refreshed() -> None:
        present = catalog.available()
        for model in OFFERED.values():
            with st.container(border=True, key=f"offered_{model.name}"):
                _offered(model, present=model.name in present)
        if (named := st.session_state.get(_NAMED)) and named not in OFFERED:
            _state(named)
        if work.running(_known()) != busy:  # also what is on the bench has changed
            st.rerun()

    refreshed()
    terms.caption(
        "A model is downloaded from the Hugging Face Hub, its SHA-256 is compared, and it is stored in "
        f"{_place()}. Without a network: run `cxrbench models add NAME` on a machine that has one, bring the "
        "folder NAME of its `.cxrbench/models` here, and name it below."
    )


def form() -> None:
    """Draw the form that adds a folder or a repository."""
    if not may_name_folders():
        st.caption("Only the owner of the machine can add models to it.")
        return
    with st.form("add_model", border=True), st.container(horizontal=True, vertical_alignment="bottom"):
        what = st.text_input(
            "Folder of a saved model, or repository on the Hugging Face Hub",
            key="model_what",
            placeholder="/home/me/my-model, or owner/name@COMMIT",
            width="stretch",
            help="A folder is copied. A repository must hold a model that cxrbench saved, and a commit (40 "
            "hex digits) pins it.",
        )
        added = st.form_submit_button("Add", type="primary", icon=":material/create_new_folder:")
    if added:
        _add_named(what.strip())
    if message := st.session_state.get(_ERROR):
        st.error(message)


def _known() -> tuple[str, ...]:
    """The models whose tasks this page shows."""
    return tuple(dict.fromkeys((*OFFERED, st.session_state.get(_NAMED, ""))))


def _place() -> str:
    return f"`{assets.own_models()}`" if is_local() else "the folder of models of this machine"


def _add_named(what: str) -> None:
    st.session_state[_ERROR] = ""
    try:
        if not what:
            raise InputError("Name a folder, such as /home/me/my-model, or a repository owner/name@COMMIT.")
        folder = Path(what).expanduser()
        named = folder.is_absolute() or what.startswith(".")
        if named or folder.is_dir():
            check_folder(folder)
        if named and not folder.is_dir():
            raise InputError(f"There is no folder {folder}; name the folder of a saved model.")
    except InputError as error:
        st.session_state[_ERROR] = without_folders(str(error))
        return
    st.session_state[_NAMED] = what
    _add(what)
    st.rerun()


def _add(what: str) -> None:
    if not work.add(what):
        st.toast(f"{what} is being added already; its progress is shown below.")


def _offered(model: OfferedModel, *, present: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        terms.markdown(
            f"**{model.title}** · `{model.name}` · {model.findings} finding{'s' * (model.findings > 1)}  \n"
            f"Learned from {model.learned_from}. Licence: {model.licence}. {model.size / 1e6:.0f} MB from "
            f"[{model.repository}](https://huggingface.co/{model.repository}).",
            width="stretch",
        )
        if present:
            st.markdown(":material/check: on the bench", width="content")
        elif may_name_folders() and not work.running((model.name,)):
            _button(model)
    if not present:
        _state(model.name)


def _button(model: OfferedModel) -> None:
    task, kept = work.task_of(model.name), own.received(model.name)
    failed = task is not None and bool(task.error)
    st.button(
        "Continue" if kept else "Try again" if failed else "Add",
        icon=":material/download:",
        key=f"add_{model.name}",
        on_click=_add,
        args=(model.name,),
        help=f"{kept / 1e6:.1f} MB are here already; the download goes on from there." if kept else None,
    )


def _state(what: str) -> None:
    """How far the adding of a model is, or why it failed."""
    task = work.task_of(what)
    if task is None:
        return
    if not task.ended:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _progress(what, task)
            if may_name_folders():
                st.button(
                    "Stop",
                    icon=":material/stop:",
                    key=f"stop_{what}",
                    on_click=work.stop,
                    args=(what,),
                    help="What was received is kept: it can be continued later.",
                )
    elif task.error:
        st.error(without_folders(task.error))
    elif what not in OFFERED and not task.stop.is_set():
        st.success(f"{what} was added.")


def _progress(what: str, task: Task) -> None:
    if not task.total:
        st.progress(0.0, text=f"Asking for {what} …")
    elif task.done < task.total:
        left = task.seconds_left
        rest = "" if left is None else f", {in_words(left)} left"
        done, total = task.done / 1e6, task.total / 1e6
        text = f"{done:.1f} of {total:.1f} MB received{rest}. You can leave the page."
        st.progress(task.done / task.total, text=text)
    else:
        st.progress(1.0, text="Received; it is being checked and stored …")
