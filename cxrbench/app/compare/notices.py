"""What is said of the user's own film before its scores, which stay folded until the reader opens them."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from cxrbench.app.services import model_registry
from cxrbench.app.services.radiographs import Source
from cxrbench.app.widgets import terms
from cxrbench.compare import Prediction
from cxrbench.inference import Notice, film_notices, measure_film, without_distance

__all__ = ["draw"]

_HEADING: Final = "Before you look at the scores"


def draw(source: Source, predictions: Mapping[str, Prediction], titles: Mapping[str, str]) -> bool:
    """Draw what was noticed of the user's own film, and the switch that opens its scores.

    Of gallery cases and phantoms, whose truth is known, nothing is drawn.

    Args:
        source: the radiograph that is shown.
        predictions: model → prediction, as far as they are computed.
        titles: model → title on the page.

    Returns:
        Whether the scores are to be shown.
    """
    if not source.unknown:
        return True
    distances = {titles.get(name, name): each.distance for name, each in predictions.items()}
    notices = film_notices(measure_film(source.image, note=source.note), distances)
    shown = not notices or _switch(source, notices)
    if lacking := without_distance(_without_statistics(predictions, titles)):
        terms.caption(lacking)
    return shown


def _switch(source: Source, notices: Sequence[Notice]) -> bool:
    """The notices, and whether the reader has opened the scores of this film."""
    lines = "\n".join(f"- **{notice.title}.** {notice.text}" for notice in notices)
    st.warning(f"**{_HEADING}**\n\n{lines}", icon=":material/warning:")
    return st.toggle(
        "Show the scores all the same",
        key=f"open_scores_{source.sha256[:16]}",
        help="Heat maps are shown in any case: they show how the methods behave. A film that is mirrored "
        "is not recognised.",
    )


def _without_statistics(predictions: Mapping[str, Prediction], titles: Mapping[str, str]) -> list[str]:
    """Titles of the models whose training films were not measured; of a bundle's models that is not known."""
    if not model_registry.ready():
        return []
    models = model_registry.loaded().models
    return [
        titles.get(name, name)
        for name in predictions
        if name in models and models[name].feature_statistics is None
    ]
