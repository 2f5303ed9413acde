"""One radiograph: what do these models answer, and which pixels do these methods say they look at?"""

import io
from dataclasses import replace
from functools import partial

import streamlit as st

from cxrbench.app.compare import controls, progress, url
from cxrbench.app.compare.canvas import canvas
from cxrbench.app.compare.options import method_titles, model_titles
from cxrbench.app.compare.scene import scene
from cxrbench.app.compare.score_bars import bars
from cxrbench.app.services import map_jobs, own_radiographs
from cxrbench.app.services.radiographs import Source
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
    own_radiographs.say_problems(controls.UPLOAD)


def draw() -> None:
    """What the address asks for, or what was chosen since."""
    url.follow_link()
    _draw()


@st.fragment
def _draw() -> None:
    """Controls, pictures, scores: one fragment, so that quick clicks are taken together."""
    source = controls.source()
    say_problems()
    if source is None:
        controls.empty()
        return
    choice = controls.pick(source)
    st.caption(source.words)
    view = map_jobs.gather(source, choice.settings, progress.stopped())
    progress.show(view, choice.findings[0])
    titles = model_titles(source) | method_titles(source)
    file = f"cxrbench-{choice.case or source.sha256[:8]}"
    data = scene(
        view.comparison,
        choice.findings,
        cells=view.cells,
        titles=titles,
        link=url.keep_link(choice, source),
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


def show_scores(
    source: Source, findings: tuple[str, ...], view: map_jobs.View, titles: dict[str, str]
) -> None:
    """All scores of every model, with thresholds."""
    for name, prediction in view.comparison.predictions.items():
        st.markdown(
            f"**Scores of {titles.get(name, name)}**",
            help="A score from 0 to 1 is no probability of disease. The tick is its operating threshold; "
            "bars beyond it are orange and bold. A line at the left marks what is shown.",
        )
        st.html(bars(prediction, source.truth, findings))


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
