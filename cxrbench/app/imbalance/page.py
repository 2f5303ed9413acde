"""Label imbalance of a data set, and the effect of policies, resampling and class weights on it."""

import streamlit as st

from cxrbench.app.imbalance import cooccurrence, counts, strategies
from cxrbench.app.imbalance.tables import label_tables, open_table, uploaded_table
from cxrbench.app.services.uploads import file_uploader
from cxrbench.app.widgets import terms
from cxrbench.data.label_tables import LabelTable
from cxrbench.errors import InputError

PARTS = {
    "Counts": counts.counts_part,
    "Together": cooccurrence.together_part,
    "Imbalance": counts.ratios_part,
    "Policies": strategies.policies_part,
    "Resampling": strategies.resampling_part,
    "Class weights": strategies.weights_part,
    "Groups": counts.groups_part,
}


def pick() -> LabelTable | None:
    """Draw the choice of a label table; return it, or None with a message if it cannot be read."""
    titles = label_tables()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Label table",
            list(titles),
            format_func=lambda key: titles.get(key, key),
            key="table",
            width=360,
            bind="query-params",
            help="Published tables are part of the installed torchxrayvision package; nothing is downloaded. "
            "Data sets of your own are added on the Data page.",
        )
        with st.popover("Your own CheXpert table", icon=":material/upload:", on_change="rerun"):
            file = file_uploader(
                "A CSV in CheXpert's format, may be gzipped",
                key="own_table",
                max_upload_size=60,
                help="A column Path that contains patientNNNNN, and one column per finding with 1, 0, −1 "
                "or blank.",
            )
            st.caption("Remove the file to return to the tables in the list.")
    try:
        return uploaded_table(file.getvalue(), file.name[:80]) if file else open_table(name)
    except InputError as error:
        st.error(str(error))
        return None


@st.fragment
@terms.part
def draw() -> None:
    """Draw the page; only the open tab is computed."""
    table = pick()
    if table is None:
        return
    terms.caption(f"**{table.title}.** {table.words}")
    counts.summary(table)
    tabs = st.tabs(list(PARTS), key="part", bind="query-params")
    for tab, draw_part in zip(tabs, PARTS.values(), strict=True):
        with tab:
            if tab.open:
                draw_part(table)


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
