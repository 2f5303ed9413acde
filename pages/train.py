"""How does a model learn? Start a recipe, watch it, stop it, go on; its model appears on the bench."""

import streamlit as st

from cxrbench.app import run_view

st.caption(run_view.ABOUT)
controls, course = st.columns([1, 2.3], gap="large")
with controls:
    run_view.choose()
with course:
    run = run_view.pick()
    if run:
        run_view.follow(run)
    else:
        st.info(
            "Nothing has been trained here yet. The recipe `smoke` is the shortest: it draws 20 phantoms, "
            "trains on them and judges. A good way to see that all is there; its model knows nothing."
        )
run_view.watch()
