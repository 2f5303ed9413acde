"""What the bench is."""

import streamlit as st

st.title("About")
