"""What this is."""

import streamlit as st

st.title("About")
