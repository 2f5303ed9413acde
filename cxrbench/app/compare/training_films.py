"""What is said of the films that the models learned from, where a real film is shown."""

from collections.abc import Sequence

from cxrbench.app.navigation import open_pages
from cxrbench.app.services.radiographs import Source
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.page_links import page_link
from cxrbench.models import ModelSpec, catalog
from cxrbench.models.spec import PHANTOMS

__all__ = ["draw"]


def draw(source: Source, models: Sequence[str]) -> None:
    """Say which data sets the models learned from, and where to get one that learned from real films.

    Of simulated films nothing is said.

    Args:
        source: the radiograph that is shown.
        models: names of the models that are shown.
    """
    if not source.real:
        return
    installed = {entry.spec.name: entry.spec for entry in catalog.scan() if entry.spec is not None}
    shown = [installed[name] for name in models if name in installed]
    stated = [spec for spec in shown if spec.learned_from_real_films]
    if stated:
        terms.caption(" ".join(f"{_title(spec)} learned from {spec.learned_from}." for spec in stated))
    if not any(spec.learned_from == PHANTOMS for spec in shown):
        return
    which = "The others" if stated else "The models shown"
    remedy = ""
    if real := [_title(spec) for spec in installed.values() if spec.learned_from_real_films and not stated]:
        remedy = f" {real[0]} learned from real films: choose it in the list Models above."
    terms.caption(f"{which} learned from phantoms: what they say of a real film means little.{remedy}")
    if not (real or stated) and "models" in open_pages():
        page_link("models", "Add a model that learned from real films")


def _title(spec: ModelSpec) -> str:
    return spec.title or spec.name
