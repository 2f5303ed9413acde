"""One radiograph: what do these models answer, and which pixels do these methods say they look at?"""

import io
from dataclasses import replace
from functools import partial

import streamlit as st

from cxrbench.app import links, live, own_films, pickers, progress
from cxrbench.app.bars import bars
from cxrbench.app.canvas import canvas
from cxrbench.app.known import method_titles, model_titles
from cxrbench.app.panels import scene
from cxrbench.app.sources import Source
from cxrbench.compare import Comparison, bundle


def saved(comparison: Comparison) -> bytes:
    """The comparison as a bundle."""
    file = io.BytesIO()
    bundle.save(comparison, file)
    return file.getvalue()


def say_problems() -> None:
    """Mistakes in the link or the upload, one sentence each."""
    for problem in st.session_state.pop("link_problems", ()):
        st.warning(problem)
    own_films.say_problems(pickers.UPLOAD)


@st.fragment
def bench() -> None:
    """Controls, pictures, scores: one fragment, so that quick clicks are taken together."""
    links.follow_link()
    source = pickers.source()
    say_problems()
    if source is None:
        pickers.empty()
        return
    choice = pickers.pick(source)
    st.caption(source.words)
    view = live.gather(source, choice.settings, progress.stopped())
    progress.show(view, choice.findings[0])
    titles = model_titles(source) | method_titles(source)
    file = f"cxrbench-{choice.case or source.sha256[:8]}"
    data = scene(
        view.comparison,
        choice.findings,
        cells=view.cells,
        titles=titles,
        link=links.keep_link(choice, source),
        file=file,
    )
    canvas(data, key="canvas")
    show_scores(source, choice.findings, view, titles)
    st.download_button(
        "Save as a bundle",
        partial(saved, replace(view.comparison, findings=choice.findings, view=source.view)),
        f"{file}.zip",
        "application/zip",
        on_click="ignore",
        icon=":material/download:",
        help="Settings, scores, raw maps and the radiograph; open it again as your own image.",
    )
    progress.follow(view)


def show_scores(source: Source, findings: tuple[str, ...], view: live.View, titles: dict[str, str]) -> None:
    """All scores of every model, with thresholds."""
    for name, prediction in view.comparison.predictions.items():
        st.markdown(
            f"**Scores of {titles.get(name, name)}**",
            help="A score from 0 to 1 is no probability of disease. The tick is its operating threshold; "
            "bars beyond it are orange and bold. A line at the left marks what is shown.",
        )
        st.html(bars(prediction, source.truth, findings))


bench()
