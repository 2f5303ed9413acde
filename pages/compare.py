"""One radiograph, explained by several models and methods side by side."""

import streamlit as st

from cxrbench.app import compare_page as page

page.links.read()
case, models, methods, findings, doors = st.columns([3, 2.4, 4, 2.6, 2.4], vertical_alignment="bottom")
with doors.container(horizontal=True, gap="xsmall", wrap=False):
    with st.popover("Open", icon=":material/upload:", help="A radiograph of your own, or a saved bundle"):
        page.uploaders()
    with st.popover("", icon=":material/tune:", help="Feature map, baseline, steps"):
        settings = page.pick_settings()

source = page.pick_source(case)
if source is None:
    page.show_problems()
    st.info("No gallery case is installed here. Open a radiograph of your own with “Open” above.")
    st.stop()
choice = page.choose((models, methods, findings), source, page.catalogue(source), settings)
page.show_problems()
if choice is not None:
    page.board(choice)
