"""“Edit and watch”: a phantom's film edited, with scores and maps before and after."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import pandas as pd
import streamlit as st

from cxrbench.app.compare import controls, progress
from cxrbench.app.compare.canvas import canvas
from cxrbench.app.compare.edit_controls import draw_edit_controls, edit_words
from cxrbench.app.compare.edited_scene import Side, edited_scene
from cxrbench.app.compare.selection import Choice
from cxrbench.app.services import map_jobs, model_registry, own_radiographs
from cxrbench.app.services.known_truth import location_priors
from cxrbench.app.services.map_keys import score_key
from cxrbench.app.services.map_snapshot import Snapshot
from cxrbench.app.services.radiographs import Source
from cxrbench.app.widgets import presenter
from cxrbench.compare import Prediction
from cxrbench.compare.against_truth import KnownTruth
from cxrbench.data.phantom import EditedFilm
from cxrbench.errors import InputError

__all__ = ["change_table", "draw", "edited_source"]

_VISIBLE: Final = 0.05  # a score that changes by less is left out, unless it is of what was taken away


def draw(
    radiograph: Source, snapshot: Snapshot, choice: Choice, known: KnownTruth, titles: Mapping[str, str]
) -> Snapshot:
    """Draw the controls of the edits; then films, maps and scores before and after them.

    Args:
        radiograph: that is shown; nothing is drawn unless it is a phantom with something to edit.
        snapshot: of the page: scores and maps before the edits.
        choice: with the edits, and the finding, models and methods in view.
        known: what is known of the findings in view besides their masks.
        titles: model or method → title on the page.

    Returns:
        The snapshot with the jobs of the maps after the edits.
    """
    films = radiograph.twins
    if films is None or not films.removable:
        return snapshot
    st.markdown(
        "**Edit and watch**",
        help="This radiograph is simulated, so the same patient can be rendered again, with the same "
        "anatomy, position, noise, exposure and grey levels, and one thing changed. What changes in the "
        "score is the true effect of that thing, which a good heat map should show.",
    )
    finding = choice.findings[0] if choice.findings else ""
    edited = _edited(radiograph, choice)
    draw_edit_controls(films, edited, finding)
    if edited is None or finding not in snapshot.shown:
        return snapshot
    if also := _also_absent(choice, edited):
        st.caption(f"Absent with it: {', '.join(also)}.")
    film = edited_source(radiograph, choice, edited)
    with st.spinner("Scoring the edited film …"):
        predictions = _predictions(film, choice.models)
    after = map_jobs.gather(film, choice.settings, progress.stopped(), (finding,), others=False)
    progress.show(after, titles, name="edited")
    shown = replace(after.shown[finding], predictions=predictions)
    scene = edited_scene(
        Side(snapshot.shown[finding], snapshot.cells, known, "Before"),
        Side(shown, after.cells, location_priors(film, [finding]), "After"),
        finding,
        titles=titles,
        concentration=edited.concentration,
        file=f"cxrbench-{choice.case or radiograph.sha256[:8]}-edited",
    )
    canvas({**scene, "presenter": presenter.presenting()}, key="edited_canvas")
    _draw_scores(snapshot.comparison.predictions, predictions, finding, edited, titles)
    st.button(
        "Open the edited film",
        icon=":material/open_in_new:",
        on_click=_open,
        args=(film,),
        help="As a radiograph of its own, with the same models and methods, that can be edited further.",
    )
    return snapshot.with_jobs(after.jobs, after.state)


def edited_source(radiograph: Source, choice: Choice, edited: EditedFilm) -> Source:
    """The edited film as a radiograph of its own: it can be edited further, and has no stored maps.

    Args:
        radiograph: before the edits.
        choice: with the edits.
        edited: the film after them.
    """
    words = ", ".join(dict.fromkeys(edit_words(edit) for edit in choice.edits))
    present = [name for name, value in edited.truth.items() if value]
    return Source(
        title=f"{radiograph.title}, {words}",
        description=f"The same patient as in “{radiograph.title}”, rendered again: {words}. "
        f"Present: {', '.join(present) or 'nothing'}.",
        image=edited.image,
        sha256=hashlib.sha256(edited.image.tobytes()).hexdigest(),
        truth=edited.truth,
        masks=edited.masks,
        view=radiograph.view,
        findings=choice.findings,
        twins=edited.films,
    )


def change_table(
    before: Mapping[str, Prediction],
    after: Mapping[str, Prediction],
    always: Sequence[str],
    titles: Mapping[str, str],
) -> pd.DataFrame:
    """Scores of both films: one row per finding, one column per model.

    Args:
        before: model → its prediction for the radiograph.
        after: the same after the edits.
        always: findings that come first and are listed however little their scores change.
        titles: model → title of its column.
    """
    rows: dict[str, dict[str, str]] = {name: {} for name in always}
    for model in (name for name in before if name in after):
        scores = [dict(zip(each.labels, each.scores, strict=True)) for each in (before[model], after[model])]
        for name, score in scores[0].items():
            change = float(scores[1][name] - score)
            if name in always or abs(change) >= _VISIBLE:
                text = f"{score:.2f} → {scores[1][name]:.2f}  ({change:+.2f})"
                rows.setdefault(name, {})[titles.get(model, model)] = text
    table = pd.DataFrame.from_dict(rows, orient="index").fillna("–")
    return table.rename_axis("Finding")


def _edited(radiograph: Source, choice: Choice) -> EditedFilm | None:
    """The film after the edits; None if there are none, or not all of them are possible on this film."""
    if not choice.edits or radiograph.twins is None:
        return None
    with st.spinner("Rendering the edited film …"):
        try:
            return radiograph.twins.edited(choice.edits)
        except InputError as error:
            st.error(str(error))
            return None


def _draw_scores(
    before: Mapping[str, Prediction],
    after: Mapping[str, Prediction],
    finding: str,
    edited: EditedFilm,
    titles: Mapping[str, str],
) -> None:
    if not after:
        st.caption("No installed model can score it; About says how to add one.")
        return
    st.markdown(
        "**Scores before → after**",
        help=f"Others that change by less than {_VISIBLE:g} are left out. A score that stays although its "
        "finding is gone does not rest on the finding alone.",
    )
    always = tuple(dict.fromkeys(name for name in (finding, *edited.absent) if name))
    st.table(change_table(before, after, always, titles))


def _also_absent(choice: Choice, edited: EditedFilm) -> list[str]:
    """Findings that are absent besides those taken away: their children, and parents that they implied."""
    taken = {edit.part for edit in choice.edits}
    return [name for name in edited.absent if name not in taken]


def _predictions(film: Source, names: Sequence[str]) -> dict[str, Prediction]:
    """Model → its prediction for a film: at once, not in the queue, where slow maps may be before it."""
    from cxrbench.compare.run import prediction

    found = {}
    for name in names:
        model = model_registry.loaded().models.get(name)
        if model is None:
            continue
        key = score_key(film.sha256, model)
        cached = map_jobs.RESULTS.prediction(key)
        if cached is None:
            cached = prediction(name, model, film.image)
            map_jobs.RESULTS.put(key, cached)
        found[name] = cached
    return found


def _open(film: Source) -> None:
    controls.show_own(own_radiographs.keep(film))
