"""How unequal are the findings of a data set, and what do policies, resampling and weights do about it?"""

import streamlit as st

from cxrbench.app.imbalance import cooccurrence, counts, strategies
from cxrbench.app.imbalance.tables import SHEETS, own_sheet, sheet
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
    """The table chosen, or the reader's own; None where it cannot be read, which is then said."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Label table",
            list(SHEETS),
            format_func=lambda key: SHEETS[key],
            key="table",
            width=360,
            bind="query-params",
            help="Published tables lie inside the installed torchxrayvision package; nothing is downloaded.",
        )
        with st.popover("Your own CheXpert table", icon=":material/upload:", on_change="rerun"):
            file = st.file_uploader(
                "A CSV in CheXpert's form, perhaps packed with gzip",
                key="own_table",
                max_upload_size=60,
                help="A column Path with patientNNNNN in it, and one column per finding: 1, 0, −1, blank.",
            )
            st.caption("Remove it above to go back to the tables of the list.")
    try:
        return own_sheet(file.getvalue(), file.name[:80]) if file else sheet(name)
    except InputError as error:
        st.error(str(error))
        return None


@st.fragment
def draw() -> None:
    """Controls and the open part: hidden parts do no work."""
    table = pick()
    if table is None:
        return
    st.caption(f"**{table.title}.** {table.words}")
    counts.summary(table)
    tabs = st.tabs(list(PARTS), key="part", bind="query-params")
    for tab, section in zip(tabs, PARTS.values(), strict=True):
        with tab:
            if tab.open:
                section(table)


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
