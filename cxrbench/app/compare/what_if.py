"""“What if?”: the same patient without one finding, which only a phantom can show."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.compare import controls
from cxrbench.app.services import model_registry, own_radiographs
from cxrbench.app.services.map_jobs import RESULTS
from cxrbench.app.services.map_keys import score_key
from cxrbench.app.services.radiographs import Source
from cxrbench.app.widgets.versions import current_key
from cxrbench.compare import Prediction
from cxrbench.data.phantom import FilmsWithout, Twin

__all__ = ["change_table", "draw", "without"]

_VISIBLE: Final = 0.05  # a score that changes by less is left out, unless it is of what was taken away


def draw(radiograph: Source, predictions: Mapping[str, Prediction], titles: Mapping[str, str]) -> None:
    """Draw the choice of a finding to take away; then both films, their difference, and the scores of both.

    Args:
        radiograph: that is shown; nothing is drawn unless it is a phantom with a finding.
        predictions: model → its prediction for this radiograph.
        titles: model → title on the page.
    """
    if not radiograph.twins:
        return
    st.markdown(
        "**What if the patient did not have it?**",
        help="This radiograph is simulated, so the same patient can be rendered again, with the same "
        "anatomy, position, noise, exposure and grey levels, without one finding. What changes in the score "
        "is the true effect of the finding, which a good heat map should show.",
    )
    picked = st.pills(
        "Take away",
        list(radiograph.twins),
        key=current_key("pick_away"),
        help="Pick it again to put it back.",
    )
    if picked is None:
        return
    with st.spinner(f"Rendering the patient without {picked} …"):
        pair = radiograph.twins.pair(picked)
        film = without(radiograph, picked, pair)
    _draw_films(radiograph, film, pair)
    _draw_scores(predictions, film, picked, pair, titles)
    st.button(
        f"Explain the film without {picked}",
        icon=":material/compare:",
        on_click=_open,
        args=(film,),
        help="Opens it as a radiograph of its own, with the same models and methods: does the map change?",
    )


def without(radiograph: Source, finding: str, pair: Twin) -> Source:
    """The twin as a radiograph of its own: it has further twins, and no stored maps."""
    assert radiograph.twins is not None
    image = radiograph.twins[finding]
    truth, masks = pair.phantom.truth, pair.phantom.masks
    return Source(
        title=f"{radiograph.title}, without {finding}",
        description=f"The same patient as in “{radiograph.title}”, rendered without {_listed(pair.changed)}. "
        f"Present: {_listed([name for name, value in truth.items() if value])}.",
        image=image,
        sha256=hashlib.sha256(image.tobytes()).hexdigest(),
        truth=truth,
        masks=masks,
        view=radiograph.view,
        findings=(finding,),
        twins=FilmsWithout(lambda: pair.phantom, truth, image),
    )


def change_table(
    before: Mapping[str, Prediction],
    after: Mapping[str, Prediction],
    absent: Sequence[str],
    titles: Mapping[str, str],
) -> pd.DataFrame:
    """Scores of both films: one row per finding, those taken away first, one column per model.

    Args:
        before: model → its prediction for the radiograph.
        after: the same without the finding.
        absent: findings that are true of the first film only; always listed.
        titles: model → title of its column.
    """
    rows: dict[str, dict[str, str]] = {name: {} for name in absent}
    for model in (name for name in before if name in after):
        scores = [dict(zip(each.labels, each.scores, strict=True)) for each in (before[model], after[model])]
        for name, score in scores[0].items():
            change = float(scores[1][name] - score)
            if name in absent or abs(change) >= _VISIBLE:
                text = f"{score:.2f} → {scores[1][name]:.2f}  ({change:+.2f})"
                rows.setdefault(name, {})[titles.get(model, model)] = text
    table = pd.DataFrame.from_dict(rows, orient="index").fillna("–")
    return table.rename_axis("Finding")


def _draw_films(radiograph: Source, film: Source, pair: Twin) -> None:
    columns = st.columns(3)
    difference = np.abs(radiograph.image - film.image)
    inside = (
        f"; {pair.concentration:.0f} × as strong in its outline" if np.isfinite(pair.concentration) else ""
    )
    for column, image, caption in zip(
        columns,
        (radiograph.image, film.image, np.clip(4 * difference, 0, 1)),
        ("With it", f"Without {_listed(pair.changed)}", f"Difference, four times as bright{inside}"),
        strict=True,
    ):
        column.image(image, caption=caption, width="stretch", clamp=True)


def _draw_scores(
    predictions: Mapping[str, Prediction],
    film: Source,
    picked: str,
    pair: Twin,
    titles: Mapping[str, str],
) -> None:
    also = [name for name in pair.absent if name != picked]
    if also:
        st.caption(f"Absent with it, since nothing else implies it: {_listed(also)}.")
    with st.spinner("Scoring the film without it …"):
        after = _predictions(film, list(predictions))
    if not after:
        st.caption("No installed model can score it; About says how to add one.")
        return
    st.table(change_table(predictions, after, pair.absent, titles))
    st.caption(
        f"Scores with → without. Others that change by less than {_VISIBLE:g} are left out. A score that "
        "stays although its finding is gone does not rest on the finding alone."
    )


def _predictions(film: Source, names: Sequence[str]) -> dict[str, Prediction]:
    """Model → its prediction for a film, cached like those of the page."""
    from cxrbench.compare.run import prediction

    found = {}
    for name in names:
        model = model_registry.loaded().models.get(name)
        if model is None:
            continue
        key = score_key(film.sha256, model)
        cached = RESULTS.prediction(key)
        if cached is None:
            cached = prediction(name, model, film.image)
            RESULTS.put(key, cached)
        found[name] = cached
    return found


def _open(film: Source) -> None:
    controls.show_own(own_radiographs.keep(film))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"
