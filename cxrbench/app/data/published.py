"""The Data page's lists: what comes with the installation, and how to get the published data sets."""

from typing import Final

import streamlit as st

from cxrbench.app.services.label_table_titles import LABEL_TABLES, PHANTOMS
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.page_links import page_link
from cxrbench.data.datasets import FORMS
from cxrbench.data.published import PUBLISHED

__all__ = ["sources", "tables"]

_LINKS: Final = {"arXiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}


def tables() -> None:
    """Draw the label tables that come with the installation, without images, and the phantoms."""
    terms.caption(
        "Label tables without images, part of the installed package torchxrayvision; and simulated films in "
        "any number, with the exact truth."
    )
    with st.container(horizontal=True):
        for name, entry in PUBLISHED.items():
            page_link(
                "imbalance",
                entry.summary,
                icon=":material/balance:",
                query_params={"table": LABEL_TABLES[name]},
            )
        page_link(
            "imbalance",
            f"Phantoms: labels of {PHANTOMS:,} patients",
            icon=":material/balance:",
            query_params={"table": LABEL_TABLES["phantom"]},
        )
        page_link("phantom", "Phantoms: films", icon=":material/body_system:")


def sources() -> None:
    """Draw one entry per data set that is recognised: images, files, where to get it and under what terms."""
    lines = []
    for form in FORMS.values():
        paper = f" ([paper]({_address(form.reference)}))" if form.reference else ""
        lines.append(
            f"- **[{form.title}]({form.source})**{paper}: {form.images:,} images. {form.terms} "
            f"Files that are looked for: {form.files}."
        )
    st.markdown("\n".join(lines), width=960)
    terms.caption(
        "The terms are summarised; those on the data set's own page apply. Download and unpack a data set "
        "yourself: most ask for a registration, and this workbench downloads none."
    )


def _address(reference: str) -> str:
    kind, _, number = reference.partition(":")
    return f"{_LINKS[kind]}{number}"
