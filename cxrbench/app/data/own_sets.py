"""The user's own data sets on the Data page: adding, progress, reports and removal."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pandas as pd
import streamlit as st

from cxrbench.app.services.folder_access import ROOTS, check_folder, is_local, may_name_folders, roots
from cxrbench.app.services.inspections import Inspection, inspections
from cxrbench.app.services.label_table_titles import OWN, label_tables
from cxrbench.app.widgets.page_links import page_link
from cxrbench.data import datasets
from cxrbench.data.datasets import FORMS, OwnDataSet, Report
from cxrbench.errors import InputError

__all__ = ["add_form", "listing"]

_SECONDS: Final = 1.0  # between two looks at an inspection
_RECOGNISE: Final = "recognise it from its files"

# Kind of fault → what it means for a user of the data set.
_MEANING: Final = {
    "missing": "listed in a table, but there is no such file: left out wherever images are read",
    "unreadable": "no usable picture: left out wherever images are read",
    "duplicated": "the same bytes under two names: counted twice in every figure",
    "duplicated across splits": "the same picture in two splits: figures are too good",
    "patients in more than one split": "a model may recognise the patient: figures are too good",
}


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
    busy = inspections().busy()

    @st.fragment(run_every=_SECONDS if busy else None)
    def refreshed() -> None:
        for entry in datasets.scan():
            with st.container(border=True, key=f"data_set_{entry.name}"):
                _card(entry)
        if busy and not inspections().busy():
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
    inspections().start(entry)


def _card(entry: OwnDataSet) -> None:
    report, inspection = entry.report, inspections().get(entry.name)
    running = inspection is not None and not inspection.ended
    with st.container(horizontal=True, vertical_alignment="center"):
        place = f" · `{entry.folder}`" if is_local() else ""
        st.markdown(f"**{entry.name}** · {FORMS[entry.form].title}{place}", width="stretch")
        if running:
            _stop_button(entry)
        else:
            _buttons(entry, report)
    if inspection and running:
        _progress(inspection)
    elif inspection and inspection.error:
        st.error(inspection.error)
    elif change := entry.change():
        st.warning(change)
    if report and not running:
        _report(entry.name, report)
    st.caption(f"Terms: {FORMS[entry.form].terms}")


def _stop_button(entry: OwnDataSet) -> None:
    st.button(
        "Stop",
        icon=":material/stop:",
        key=f"stop_{entry.name}",
        on_click=inspections().stop,
        args=(entry.name,),
        help="What was read is kept: it can be continued later.",
    )


def _buttons(entry: OwnDataSet, report: Report | None) -> None:
    page_link(
        "imbalance",
        "Open on Imbalance",
        icon=":material/balance:",
        query_params={"table": label_tables()[f"{OWN}{entry.name}"]},
    )
    if not may_name_folders():
        return
    st.button(
        "Check" if report is None else "Check again" if report.complete else "Continue",
        icon=":material/fact_check:",
        key=f"check_{entry.name}",
        on_click=inspections().start,
        args=(entry,),
        help="Reads the tables again, and the images that are new or have changed.",
    )
    with st.popover("Remove", icon=":material/delete:", key=f"ask_{entry.name}"):
        st.markdown(f"Forget **{entry.name}** and its report? The folder stays as it is.")
        st.button(
            "Forget it", type="primary", key=f"remove_{entry.name}", on_click=_remove, args=(entry.name,)
        )


def _remove(name: str) -> None:
    inspections().stop(name)
    try:
        datasets.remove(name)
    except InputError as error:  # removed by another session meanwhile
        st.toast(str(error))


def _progress(inspection: Inspection) -> None:
    if not inspection.total:
        st.progress(0.0, text="Reading the label tables …")
        return
    left = inspection.seconds_left
    rest = "" if left is None else f", about {_duration(left)} left"
    st.progress(
        inspection.done / inspection.total,
        text=f"{inspection.done:,} of {inspection.total:,} images read{rest}. You can leave the page.",
    )


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return "a minute"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _report(name: str, report: Report) -> None:
    parts = ", ".join(f"{count:,} {split}" for split, count in report.images.items())
    total = sum(report.images.values())
    inspected = "" if report.complete else f" Stopped after {report.inspected:,} of {total:,} images."
    st.markdown(
        f"{total:,} images ({parts}), {report.patients:,} patients.{inspected}"
        + (" No faults." if report.complete and not report.faults else "")
    )
    if not report.faults:
        return
    rows = [(kind, issue.count, _MEANING[kind]) for kind, issue in report.faults.items()]
    st.dataframe(
        pd.DataFrame(rows, columns=["fault", "number", "what it means"]),
        hide_index=True,
        column_config={"number": st.column_config.NumberColumn(format="localized")},
    )
    _examples(name, [(kind, issue.count, issue.examples) for kind, issue in report.faults.items()])


def _examples(name: str, faults: Sequence[tuple[str, int, Sequence[str]]]) -> None:
    with st.expander("Examples", key=f"examples_{name}"):
        for kind, count, examples in faults:
            first = f", the first {len(examples)} of {count:,}" if count > len(examples) else ""
            st.markdown(f"**{kind}**{first}")
            st.code("\n".join(_shown(example) for example in examples), language=None, wrap_lines=True)
        st.caption(f"`cxrbench data check {name}` lists all unusable images.")


def _shown(example: str) -> str:
    """An example; to visitors from elsewhere without the folders of this machine."""
    return example if is_local() else " ".join(word.rpartition("/")[2] for word in example.split(" "))
