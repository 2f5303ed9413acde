"""One radiograph, explained by several models and methods side by side."""

import streamlit as st

from cxrbench.app import compare_page as page

case, models, methods, findings, doors = st.columns([3, 2.4, 4, 2.6, 2.2], vertical_alignment="bottom")
heading = st.container()
with doors.container(horizontal=True):
    with st.popover("Open …", icon=":material/upload:"):
        page.uploaders()
    with st.popover("", icon=":material/tune:", help="Stage, baseline, steps"):
        settings = page.pick_settings()

page.show_problem()
source = page.pick_source(case)
if source is None:
    st.info("There is no gallery here. Open a radiograph of your own with “Open …”.")
    st.stop()
heading.markdown(f"# {source.title}\n{source.about}")
choice = page.choose((models, methods, findings), source, page.catalogue(source), settings)
page.show_link_problems()
if choice is not None:
    page.board(choice)
