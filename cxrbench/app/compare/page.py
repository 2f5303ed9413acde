"""The Compare page: scores and heat maps of one radiograph, for several models and methods."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from cxrbench.app.compare import case_list, controls, notices, progress, sharing, training_films, url, what_if
from cxrbench.app.compare.canvas import canvas
from cxrbench.app.compare.options import configured_titles, method_titles, model_titles
from cxrbench.app.compare.scene import scene
from cxrbench.app.compare.score_bars import score_list, score_table
from cxrbench.app.compare.selection import Choice
from cxrbench.app.services import map_jobs, own_radiographs
from cxrbench.app.services.known_truth import add_known_truth
from cxrbench.app.services.map_snapshot import Snapshot
from cxrbench.app.services.radiographs import Source
from cxrbench.app.widgets import presenter, terms
from cxrbench.compare import Comparison, bundle
from cxrbench.compare.saved_settings import SavedSettings, settings_json
from cxrbench.compare.snippets import command_snippet, python_snippet


def bundle_bytes(comparison: Comparison) -> bytes:
    """Return the comparison as a bundle (ZIP)."""
    file = io.BytesIO()
    bundle.save(comparison, file)
    return file.getvalue()


def report_bytes(comparison: Comparison, title: str, film_link: Sequence[tuple[str, str]]) -> bytes:
    """Return the report of the comparison's findings (HTML); arguments as of ``comparison_report``."""
    from cxrbench.figures.comparison_report import comparison_report  # needs torch, to look up the methods

    report = comparison_report(comparison, comparison.findings, title=title, film_link=film_link)
    return report.encode("utf-8")


def settings_bytes(comparison: Comparison, title: str, film_link: Sequence[tuple[str, str]]) -> bytes:
    """Return the settings (JSON); arguments as of ``SavedSettings``."""
    saved = SavedSettings.of(comparison, comparison.findings, film=title, film_link=film_link)
    return settings_json(saved).encode("utf-8")


def show_problems() -> None:
    """Show the problems of the link and of the upload."""
    for problem in st.session_state.pop("link_problems", ()):
        st.warning(problem)
    own_radiographs.show_problems(controls.UPLOAD)


def draw() -> None:
    """Apply the URL, then draw the page."""
    url.follow_link()
    _draw()


@st.fragment
@terms.part
def _draw() -> None:
    """Draw controls, panels and scores, as one fragment, so that quick clicks are handled together."""
    url.follow_settings()
    source = controls.source()
    show_problems()
    if source is None:
        controls.show_empty()
        return
    case_list.draw_bar(source)
    choice, beside = controls.draw_controls(source)
    terms.caption(source.description)
    training_films.draw(source, choice.models)
    titles = model_titles(source) | method_titles(source) | configured_titles(choice.methods)
    snapshot = map_jobs.gather(source, choice.settings, progress.stopped(), choice.findings)
    snapshot, known = add_known_truth(snapshot, source, choice.findings)
    scores_shown = notices.draw(source, snapshot.comparison.predictions, titles)
    progress.show(snapshot, titles)
    link = url.keep_link(choice, source)
    file = f"cxrbench-{choice.case or source.sha256[:8]}"
    data = scene(
        snapshot.shown if scores_shown else without_scores(snapshot.shown),
        cells=snapshot.cells,
        titles=titles,
        link=link,
        file=file,
        known=known,
        presenter=presenter.presenting(),
        asked=sharing.is_open(),
    )
    view = canvas(data, key="canvas")
    with beside, st.popover("Save", icon=":material/download:", key="open_save", width="content"):
        film_link = url.film_parameters(choice, source)
        shown = replace(snapshot.comparison, findings=choice.findings, view=source.view)
        _draw_saves(shown, file, source.title, film_link)
        _draw_code(choice, source)
    if link is not None:  # None: an image that no link restores
        with beside:
            sharing.draw(link, view, choice, source)
    if scores_shown:
        show_scores(source, choice.findings, snapshot, titles)
    else:
        terms.caption("The scores are folded; the notice above says why, and opens them.")
    snapshot = what_if.draw(source, snapshot, choice, known, titles)
    progress.follow(snapshot)


def _draw_saves(comparison: Comparison, file: str, title: str, film_link: Sequence[tuple[str, str]]) -> None:
    """Draw what can be saved; files are made when they are asked for.

    Args:
        comparison: what is on screen.
        file: name of the files, without suffix.
        title: of the radiograph.
        film_link: query parameters that restore it; empty if none do.
    """
    st.download_button(
        "Save bundle",
        partial(bundle_bytes, comparison),
        f"{file}.zip",
        "application/zip",
        on_click="ignore",
        icon=":material/folder_zip:",
        width="stretch",
        help="Settings, scores, raw maps and the radiograph in one ZIP file; upload it to open it again.",
    )
    st.download_button(
        "Save report",
        partial(report_bytes, comparison, title, film_link),
        f"{file}.html",
        "text/html",
        on_click="ignore",
        icon=":material/description:",
        width="stretch",
        disabled=not comparison.predictions,
        help="One HTML file that opens without a network: panels, scores, notes, references of methods, "
        "settings and versions. Uploaded here, it restores the settings.",
    )
    st.download_button(
        "Save settings",
        partial(settings_bytes, comparison, title, film_link),
        f"{file}.json",
        "application/json",
        on_click="ignore",
        icon=":material/settings_backup_restore:",
        width="stretch",
        help="Radiograph, models, methods, findings and parameters as a small text; upload it to restore "
        "them. Of a radiograph of your own it holds only the name of the file.",
    )


def _draw_code(choice: Choice, source: Source) -> None:
    """Draw what is on screen as a script and as a command."""
    st.markdown("**The same in Python**")
    st.code(python_snippet(choice.settings, choice.findings, source.link), language="python")
    st.markdown("**On the command line**")
    st.code(command_snippet(choice.settings, choice.findings, source.link), language="bash")
    if source.link is None or source.link[0] != "case":
        st.caption("film.png is the radiograph: your own file, or a picture that the Phantom page saved.")


def without_scores(comparisons: Mapping[str, Comparison]) -> dict[str, Comparison]:
    """The same comparisons without predictions, so that the panels show maps and no scores."""
    return {finding: replace(comparison, predictions={}) for finding, comparison in comparisons.items()}


def show_scores(
    source: Source, findings: tuple[str, ...], snapshot: Snapshot, titles: dict[str, str]
) -> None:
    """Draw the scores of the models with their operating points: a list for one, a table for several."""
    predictions = snapshot.comparison.predictions
    about = (
        "Scores from 0 to 1 are not probabilities of disease. The threshold of a finding is its operating "
        "point; "
    )
    if len(predictions) > 1:
        st.markdown("**Scores**", help=f"{about}scores at or above it are underlined in orange and bold.")
        st.html(score_table(predictions, source.truth, findings, titles))
        return
    for name, prediction in predictions.items():
        st.markdown(
            f"**Scores of {titles.get(name, name)}**",
            help=f"{about}the tick marks it; scores at or above it are orange and bold. A line at the left "
            "marks the findings shown above.",
        )
        st.html(score_list(prediction, source.truth, findings))


if __name__ == "__main__":  # Streamlit runs the page that the address names as a script
    draw()
