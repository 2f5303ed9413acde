"""How does a model learn? Start a recipe, watch it, stop it, go on; its model appears on the bench."""

import streamlit as st

from cxrbench.app import run_view, runs

st.title("Train")
st.caption(run_view.ABOUT)
controls, course = st.columns([1, 2.3], gap="large")
with controls:
    run_view.choose()
found = runs.runs()
names = [run.name for run in found]
wanted = st.session_state.get("followed")
if wanted and wanted not in names:
    names.insert(0, wanted)
with course:
    if names:
        start = names.index(wanted) if wanted in names else 0
        chosen = st.selectbox("Run", names, index=start, help="The one at work first, then the latest.")
        st.session_state["followed"] = chosen
        run_view.follow(chosen)
    else:
        st.info(
            "Nothing has been trained here yet. The recipe `smoke` takes about a minute, on a phantom that "
            "it draws first: a good way to see that all is there. Its model knows nothing."
        )
