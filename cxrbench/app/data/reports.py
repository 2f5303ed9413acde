"""The report of an inspection on the Data page: counts, faults and examples."""

from typing import Final

import streamlit as st

from cxrbench.app.services.folder_access import without_folders
from cxrbench.data.datasets import Report

__all__ = ["draw_report"]

_EXAMPLES: Final = 5  # of each kind of fault

# Kind of fault → what it means for a user of the data set.
_MEANING: Final = {
    "missing": "listed in a table, but there is no such file; left out wherever images are read.",
    "unreadable": "no usable picture; left out wherever images are read.",
    "duplicated": "the same bytes under another name; counted twice in every figure.",
    "duplicated across splits": "the same picture in two splits; figures are too good.",
    "patients in more than one split": "a model may recognise the patient; figures are too good.",
}


def draw_report(name: str, report: Report) -> None:
    """Draw what an inspection of the data set of this name found."""
    parts = ", ".join(f"{count:,} {split}" for split, count in report.images.items())
    total = sum(report.images.values())
    inspected = "" if report.complete else f" Stopped after {report.inspected:,} of {total:,} images."
    nothing = " No faults." if report.complete and not report.faults else ""
    st.markdown(f"{total:,} images ({parts}), {report.patients:,} patients.{inspected}{nothing}")
    if not report.faults:
        return
    st.markdown(
        "\n".join(f"- **{kind}: {issue.count:,}**; {_MEANING[kind]}" for kind, issue in report.faults.items())
    )
    with st.expander("Examples", key=f"examples_{name}"):
        for kind, issue in report.faults.items():
            examples = issue.examples[:_EXAMPLES]
            first = f", the first {len(examples)} of {issue.count:,}" if issue.count > len(examples) else ""
            st.markdown(f"**{kind}**{first}")
            st.code(
                "\n".join(without_folders(example) for example in examples), language=None, wrap_lines=True
            )
        st.caption(f"`cxrbench data check {name}` lists all unusable images.")
