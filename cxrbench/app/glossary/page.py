"""The Glossary page: the words of the workbench."""

import streamlit as st

from cxrbench.app.widgets import terms
from cxrbench.teaching.glossary import GLOSSARY


def draw() -> None:
    """Draw the words by topic, those that match a search if there is one."""
    with st.container(width=960):
        sought = st.text_input("Search", key="search", bind="query-params", placeholder="such as baseline")
        sought = sought.strip().lower()
        found = {
            word: term
            for word, term in GLOSSARY.items()
            if sought in " ".join((word, term.meaning, *term.forms)).lower()
        }
        terms.define(found)
        for topic in dict.fromkeys(term.topic for term in found.values()):
            st.header(topic, anchor=False)
            lines = [
                f"<dfn>**{word}**</dfn> — {terms.with_meanings(term.meaning)}"
                for word, term in found.items()
                if term.topic == topic
            ]
            st.markdown("\n\n".join(lines), unsafe_allow_html=True)
        if not found:
            st.info(f"No word or meaning contains “{sought}”. Empty the search to see all {len(GLOSSARY)}.")


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
