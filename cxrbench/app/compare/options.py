"""The options of the Compare page: gallery entries at once, further models as soon as they are loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from cxrbench.app.compare.selection import LISTS, Choice, read
from cxrbench.app.services import model_registry
from cxrbench.app.services.radiographs import Source, case
from cxrbench.compare import Prediction, Settings, gallery
from cxrbench.errors import InputError
from cxrbench.labels import canonical
from cxrbench.models import catalog

__all__ = ["finding_names", "from_link", "method_titles", "model_titles", "start", "turn_to", "turn_to_own"]

_FIRST: Final = ("grad_cam", "grad_cam_plus_plus", "integrated_gradients")  # three maps beside the radiograph


def start(case_id: str | None = None) -> Choice:
    """What is shown before anything is chosen: a case as it is stored.

    Args:
        case_id: of a gallery case; default: the first.
    """
    cases = {entry.id: entry for entry in gallery.cases()}
    entry = cases.get(case_id or next(iter(cases), ""))
    models, methods = model_titles(None), method_titles(None)
    about = entry or gallery.Case("", "", "", "", ())
    # With the settings that the gallery's maps were made with, so that nothing has to be computed.
    given = case(entry.id).given if entry else None
    made = given.settings if given is not None else Settings((), ())
    return Choice(
        case=entry.id if entry else None,
        models=_some(about.models, models) or tuple(models)[:1],
        methods=_some(about.methods, methods) or _some(_FIRST, methods) or tuple(methods)[:3],
        findings=(about.finding,) if about.finding else (),
        stage=made.stage,
        baseline=made.baseline,
        steps=made.steps,
    )


def turn_to(case_id: str, now: Choice, film: Source | None = None) -> Choice:
    """Another case as it is stored; models, methods and settings that were chosen by hand stay.

    Args:
        case_id: of the case to turn to.
        now: what is chosen.
        film: the reader's own film that is shown; None where a case is.
    """
    had, new = start(now.case), start(case_id)
    if film is not None:
        had = turn_to_own(film, had)
    by_hand = {
        name: getattr(now, name)
        for name in ("models", "methods", "stage", "baseline", "steps")
        if getattr(now, name) != getattr(had, name)
    }
    return replace(new, **by_hand)


def turn_to_own(film: Source, now: Choice) -> Choice:
    """The user's own film: a bundle as it was saved, any other with the current models and methods.

    Models of the gallery that are not installed cannot compute its maps: an installed one takes their place.
    """
    if film.given is None:
        installed = catalog.available()
        models = tuple(name for name in now.models if name in installed) or tuple(installed)[:1] or now.models
        return replace(now, case=None, models=models, findings=film.findings or now.findings)
    saved = film.given.settings
    return Choice(None, saved.models, saved.methods, film.findings, saved.stage, saved.baseline, saved.steps)


def model_titles(source: Source | None) -> dict[str, str]:
    """Name → title of the models that can be chosen for a radiograph."""
    if source is not None and not source.computes and source.given is not None:
        return {
            name: _title(name, source.given.predictions.get(name)) for name in source.given.settings.models
        }
    titles = gallery.models()
    if model_registry.ready() or not titles:
        titles |= model_registry.stock().titles
    return titles


def method_titles(source: Source | None) -> dict[str, str]:
    """Key → title of the methods that can be chosen for a radiograph."""
    if source is not None and not source.computes and source.given is not None:
        titles = {heat.method: heat.title for heat in source.given.heat_maps.values()}
        return {name: titles.get(name) or name for name in source.given.settings.methods}
    titles = gallery.methods()
    if model_registry.ready() or not titles:
        from cxrbench.explain import METHODS

        titles |= {name: record.title for name, record in METHODS.items()}
    return titles


def finding_names(source: Source | None, choice: Choice) -> tuple[str, ...]:
    """The findings that the chosen models can be asked for, each once, in the first model's order."""
    given = source.given.predictions if source is not None and source.given is not None else {}
    names: list[str] = []
    for model in choice.models:
        if model in given:
            names += given[model].labels
        elif source is None or source.computes:
            loaded = model_registry.stock().models.get(model)
            names += [canonical(label) for label in loaded.spec.labels if label] if loaded else []
    return tuple(dict.fromkeys(names))


def from_link(link: Mapping[str, Sequence[str]], film: Source | None = None) -> tuple[Choice, list[str]]:
    """A link → what it asks for, and sentences about what in it cannot be had.

    Args:
        link: query parameters, each with all its values.
        film: the reader's own film that the link is about; None for a gallery case.
    """
    asked = (link.get("case") or [""])[-1]
    base = start(asked if any(entry.id == asked for entry in gallery.cases()) else None)
    known = {
        "case": lambda choice: [entry.id for entry in gallery.cases()],
        "models": lambda choice: _all_models(link.get("models") or (), film),
        "methods": lambda choice: list(method_titles(film)),
        "baseline": lambda choice: _baselines(),
        "findings": lambda choice: finding_names(film or _source(choice), choice),
    }
    assert set(LISTS) <= set(known)
    if film is not None:
        base = turn_to_own(film, base)
        del known["case"]
    return read(link, base, known)


def _some(names: Sequence[str], known: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in known)


def _title(name: str, said: Prediction | None) -> str:
    """How a model of a bundle is called; bundles of the first format hold no title."""
    return (said.title if said is not None else "") or model_titles(None).get(name, name)


def _source(choice: Choice) -> Source | None:
    try:
        return case(choice.case) if choice.case else None
    except InputError:
        return None


def _all_models(asked: Sequence[str], film: Source | None) -> list[str]:
    # A name that the gallery does not know may be a model's that is still loading.
    if any(name not in model_titles(film) for name in asked):
        model_registry.stock()
    return list(model_titles(film))


def _baselines() -> list[str]:
    from cxrbench.explain import BASELINES

    return list(BASELINES)
