"""The user's own data sets on the Data page: adding, progress, evaluation and removal."""

from pathlib import Path
from typing import Final

import streamlit as st

from cxrbench.app.data.reports import draw_report
from cxrbench.app.services import own_data_work as work
from cxrbench.app.services.background_tasks import Task, tasks
from cxrbench.app.services.folder_access import (
    ROOTS,
    check_folder,
    is_local,
    may_name_folders,
    roots,
    without_folders,
)
from cxrbench.app.services.label_table_titles import own_title
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.page_links import page_link
from cxrbench.app.widgets.progress import in_words
from cxrbench.data import datasets
from cxrbench.data.datasets import FORMS, OwnDataSet, Report
from cxrbench.errors import InputError
from cxrbench.models import catalog

__all__ = ["add_form", "listing"]

_SECONDS: Final = 1.0  # between two looks at an inspection
_RECOGNISE: Final = "recognise it from its files"


def add_form() -> None:
    """Draw the form that adds a folder, or why there is none."""
    if not may_name_folders():
        st.info(
            "This workbench is open to a network, so a visitor cannot name folders of its machine. Its owner "
            f"adds one there with `cxrbench data add DIR`, or starts the workbench with {ROOTS} set to the "
            "folders below which visitors may add data sets."
        )
        return
    with st.form("add_data_set", border=True), st.container(horizontal=True, vertical_alignment="bottom"):
        folder = st.text_input("Folder", key="data_folder", placeholder=_example(), width="stretch")
        name = st.text_input("Name", key="data_name", placeholder="that of the data set", width=220)
        form = st.selectbox(
            "Data set", [_RECOGNISE, *FORMS], format_func=_title_of, key="data_form", width=260
        )
        added = st.form_submit_button("Add", type="primary", icon=":material/create_new_folder:")
    if added:
        _add(folder.strip(), name.strip(), None if form == _RECOGNISE else form)
    if message := st.session_state.get("data_error"):
        st.error(message)


def listing() -> None:
    """Draw every data set that was added; again every second while one is being inspected."""
    entries = datasets.scan()
    if not entries:
        st.info("No data set was added yet: name the folder of one above.")
        return
    busy = tasks().busy()

    @st.fragment(run_every=_SECONDS if busy else None)
    @terms.part
    def refreshed() -> None:
        for entry in datasets.scan():
            with st.container(border=True, key=f"data_set_{entry.name}"):
                _card(entry)
        if busy != tasks().busy():  # a click here draws the fragment only, which then would not look again
            st.rerun()

    refreshed()


def _example() -> str:
    return str(roots()[0] / "NIH") if roots() and not is_local() else "/home/me/data/NIH"


def _title_of(form: str) -> str:
    return FORMS[form].title if form in FORMS else form


def _add(folder: str, name: str, form: str | None) -> None:
    st.session_state["data_error"] = ""
    try:
        if not folder:
            raise InputError("Name the folder of a data set, for example /home/me/data/NIH.")
        path = Path(folder).expanduser()
        check_folder(path)
        with st.spinner("Reading the label tables …"):
            entry = datasets.add(path, name or None, form)
    except InputError as error:
        # The command's option is the page's menu.
        st.session_state["data_error"] = str(error).replace("(--form ", "(Data set: ")
        return
    work.inspect(entry)


def _card(entry: OwnDataSet) -> None:
    keys = (work.inspection_key(entry.name), work.evaluation_key(entry.name))
    known = {key: task for key in keys if (task := tasks().get(key))}
    running = {key: task for key, task in known.items() if not task.ended}
    # An inspection changes what the report is made of all the time.
    report = None if work.inspection_key(entry.name) in running else _report_of(entry)
    with st.container(horizontal=True, vertical_alignment="center"):
        place = f" · `{entry.folder}`" if is_local() else ""
        st.markdown(f"**{entry.name}** · {FORMS[entry.form].title}{place}", width="stretch")
        if running and may_name_folders():
            _stop_button(entry)
        elif not running:
            _buttons(entry, report)
    for task in running.values():
        _progress(task)
    for task in known.values():
        if task.ended and task.error:
            st.error(without_folders(task.error))
    if not running and (change := entry.change()):
        st.warning(without_folders(change))
    if report:
        draw_report(entry.name, report)
    st.caption(f"Terms: {FORMS[entry.form].terms}")


def _report_of(entry: OwnDataSet) -> Report | None:
    """The report of a data set; read again only after its database has changed."""
    try:
        status = entry.database.stat()
    except OSError:
        return None
    return _read_report(str(entry.database), status.st_mtime_ns, status.st_size)


@st.cache_data(max_entries=32, show_spinner=False)
def _read_report(database: str, modified: int, size: int) -> Report | None:
    return datasets.read_report(Path(database))


def _stop_button(entry: OwnDataSet) -> None:
    st.button(
        "Stop",
        icon=":material/stop:",
        key=f"stop_{entry.name}",
        on_click=work.stop_all,
        args=(entry.name,),
        help="What was read and scored is kept: it can be continued later.",
    )


def _buttons(entry: OwnDataSet, report: Report | None) -> None:
    page_link(
        "imbalance",
        "Open on Imbalance",
        icon=":material/balance:",
        query_params={"table": own_title(entry)},
    )
    if work.evaluations(entry):
        page_link(
            "performance",
            "Open on Performance",
            icon=":material/monitoring:",
            query_params={"data": entry.name},
        )
    if not may_name_folders():
        return
    _evaluate_button(entry)
    st.button(
        "Check" if report is None else "Check again" if report.complete else "Continue",
        icon=":material/fact_check:",
        key=f"check_{entry.name}",
        on_click=work.inspect,
        args=(entry,),
        help="Reads the tables again, and the images that are new or have changed.",
    )
    with st.popover("Remove", icon=":material/delete:", key=f"ask_{entry.name}"):
        st.markdown(f"Forget **{entry.name}**, its report and its evaluations? The folder stays as it is.")
        st.button(
            "Forget it", type="primary", key=f"remove_{entry.name}", on_click=_remove, args=(entry.name,)
        )


def _evaluate_button(entry: OwnDataSet) -> None:
    """Draw the choice of models, and the button that evaluates them on a data set."""
    titles = {found.spec.name: found.spec.title or found.spec.name for found in catalog.scan() if found.spec}
    if not titles:
        return
    with st.popover("Evaluate", icon=":material/monitoring:", key=f"models_of_{entry.name}"):
        chosen = st.pills(
            "Models",
            list(titles),
            selection_mode="multi",
            format_func=lambda name: titles.get(name, name),
            default=list(titles)[:1],
            key=f"models_{entry.name}",
        )
        terms.caption(
            "On the frontal test images, or on all where the data set has no such table; thresholds are "
            "fitted on its validation images. The scores of each image are kept."
        )
        st.button(
            "Evaluate",
            type="primary",
            key=f"evaluate_{entry.name}",
            disabled=not chosen,
            on_click=work.evaluate,
            args=(entry, tuple(chosen)),
        )


def _remove(name: str) -> None:
    work.stop_all(name)
    try:
        datasets.remove(name)
    except InputError as error:  # removed by another session meanwhile
        st.toast(str(error))


def _progress(task: Task) -> None:
    if not task.total:
        st.progress(0.0, text="Waiting, or reading the label tables …")
        return
    left = task.seconds_left
    rest = "" if left is None else f", {in_words(left)} left"
    st.progress(
        task.done / task.total,
        text=f"{task.done:,} of {task.total:,} {task.what}{rest}. You can leave the page.",
    )
