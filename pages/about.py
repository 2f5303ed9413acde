"""What the bench is, and what each method does."""

import streamlit as st

from cxrbench.app.engine import engine
from cxrbench.compare import DISCLAIMER

st.title("Compare what models see in a chest radiograph")
st.markdown(
    f"""
cxrbench puts classifiers of chest radiographs and methods that explain them side by side, on one picture, with the truth
where it is known. It is a bench for teaching and research. **It is not for clinical use.** {DISCLAIMER}

1. **Choose a case** whose truth is known, or open a radiograph of your own.
2. **Choose models, methods and findings.** All findings are computed at once.
3. **Compare**: opacity, colours, scale and zoom change in your browser at once. Copy the link, save the picture, or
   save a bundle with the raw numbers.

The gallery's radiographs are drawn by a program, the digital chest phantom: nobody's picture, and every finding's place
is known. What you open yourself stays in this computer's memory and is forgotten when you leave.
"""
)
st.header("Methods")
with st.spinner("Loading …"):
    methods = engine().methods.values()
st.table(
    [
        {
            "Method": method.title,
            "What it costs": method.cost,
            "Keep in mind": method.caveat,
            "Reference": method.reference,
        }
        for method in methods
    ]
)
st.header("Models")
for problem in engine().problems:
    st.warning(problem)
st.table(
    [
        {"Model": name, "Title": title, "Findings": ", ".join(engine().labels(name))}
        for name, title in engine().titles().items()
    ]
)
