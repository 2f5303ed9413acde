"""The options of the Compare page: those of the gallery, and further models once they are loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cxrbench.app.compare.presets import AUTOMATIC, FIXED, as_default
from cxrbench.app.compare.selection import LISTS, Choice, parse_edits, parse_link
from cxrbench.app.services import model_registry
from cxrbench.app.services.radiographs import Source, case
from cxrbench.compare import Prediction, Settings, gallery
from cxrbench.errors import InputError
from cxrbench.labels import canonical
from cxrbench.models import catalog

if TYPE_CHECKING:
    from cxrbench.explain import ConfiguredMethod

__all__ = [
    "choice_for_case",
    "choice_for_own",
    "choice_for_same",
    "choice_from_link",
    "configured_titles",
    "default_choice",
    "finding_names",
    "method_labels",
    "method_titles",
    "model_titles",
]

_DEFAULT_METHODS: Final = ("grad_cam", "grad_cam_plus_plus", "integrated_gradients")


def default_choice(case_id: str | None = None) -> Choice:
    """Return the choice for a gallery case as it is stored.

    Args:
        case_id: id of a gallery case; default: the first.
    """
    cases = {entry.id: entry for entry in gallery.cases()}
    entry = cases.get(case_id or next(iter(cases), ""))
    models, methods = model_titles(None), method_titles(None)
    shown = entry or gallery.Case("", "", "", "", ())
    # With the settings of the stored maps, so that nothing has to be computed.
    stored = case(entry.id).precomputed if entry else None
    settings = stored.settings if stored is not None else Settings((), ())
    return Choice(
        case=entry.id if entry else None,
        models=_available(shown.models, models) or tuple(models)[:1],
        methods=_available(shown.methods, methods)
        or _available(_DEFAULT_METHODS, methods)
        or tuple(methods)[:3],
        findings=(shown.finding,) if shown.finding else (),
        stage=settings.stage,
        baseline=settings.baseline,
        steps=settings.steps,
    )


def choice_for_case(case_id: str, current: Choice, film: Source | None = None) -> Choice:
    """Return the choice for another case; models, methods and settings that the user changed are kept.

    Args:
        case_id: id of the case.
        current: the present choice.
        film: the user's own film that is shown; None if a case is shown.
    """
    before, after = default_choice(current.case), default_choice(case_id)
    if film is not None:
        before = choice_for_own(film, before)
    changed = {
        name: getattr(current, name)
        for name in ("models", "models_chosen", "methods", "stage", "baseline", "steps")
        if _as_chosen(getattr(current, name)) != _as_chosen(getattr(before, name))
    }
    if "methods" in changed:
        changed["methods"] = _as_stored(changed["methods"])
    return replace(after, **changed)


def choice_for_same(film: Source, current: Choice) -> Choice:
    """Return the choice for another film that is shown like the present one; only edits are left out.

    Args:
        film: a gallery case, or a film that is computed.
        current: the present choice.
    """
    if film.precomputed is None or film.link is None:
        return replace(choice_for_own(film, current), findings=current.findings)
    models = _available(current.models, model_titles(None)) or default_choice(film.link[1]).models
    return replace(current, case=film.link[1], models=models, methods=_as_stored(current.methods), edits=())


def _as_stored(methods: Sequence[str]) -> tuple[str, ...]:
    """The methods for a gallery case, whose maps are stored with a fixed number of steps."""
    return tuple(FIXED if key == AUTOMATIC else key for key in methods)


def _as_chosen(value: object) -> object:
    """A value to compare by what was chosen: a menu may list the same names in another order."""
    return frozenset(value) if isinstance(value, tuple) else value


def choice_for_own(film: Source, current: Choice) -> Choice:
    """Return the choice for the user's own film: a bundle as saved, others with the present models.

    Models of the gallery that are not installed cannot compute its maps: an installed one replaces them. A
    real film is shown with a model that learned from such, unless the models were chosen.
    """
    if film.precomputed is None:
        models = _models_for_own(film, current)
        fixed = current.steps != default_choice(current.case).steps  # a number that the user has chosen
        methods = current.methods if fixed else as_default(current.methods, film)
        findings = film.findings or current.findings
        return replace(current, case=None, models=models, methods=methods, findings=findings, edits=())
    saved = film.precomputed.settings
    return Choice(None, saved.models, saved.methods, film.findings, saved.stage, saved.baseline, saved.steps)


def _models_for_own(film: Source, current: Choice) -> tuple[str, ...]:
    installed = [entry.spec for entry in catalog.scan() if entry.spec is not None]
    names = [spec.name for spec in installed]
    preferred = tuple(spec.name for spec in installed if spec.learned_from_real_films)[:1]
    models = tuple(name for name in current.models if name in names)
    if preferred and not current.models_chosen:
        if film.real:
            models = preferred
        elif models == preferred:  # as they were at first for the real film before
            models = tuple(name for name in default_choice(current.case).models if name in names)
    return models or tuple(names)[:1] or current.models


def model_titles(source: Source | None) -> dict[str, str]:
    """Name → title of the models that are available for a radiograph."""
    if source is not None and not source.computes and source.precomputed is not None:
        return {
            name: _title(name, source.precomputed.predictions.get(name))
            for name in source.precomputed.settings.models
        }
    titles = gallery.models()
    if model_registry.ready() or not titles:
        titles |= model_registry.loaded().titles
    return titles


def method_titles(source: Source | None) -> dict[str, str]:
    """Key → title of the methods that are available for a radiograph."""
    if source is not None and not source.computes and source.precomputed is not None:
        titles = {heat.method: heat.title for heat in source.precomputed.heat_maps.values()}
        return {name: titles.get(name) or name for name in source.precomputed.settings.methods}
    titles = gallery.methods()
    if model_registry.ready() or not titles:
        from cxrbench.explain import METHODS

        titles |= {name: record.title for name, record in METHODS.items()}
    return titles


def configured_titles(keys: Sequence[str]) -> dict[str, str]:
    """Canonical key → title of the valid keys that no menu lists, such as ``rise(masks=200)``.

    Those whose maps are stored have their titles without torch.
    """
    stored, variants = gallery.methods(), gallery.variants()
    titles: dict[str, str] = {}  # in the order of the keys, which is that of the panels
    for key in keys:
        if key in variants:
            titles[key] = variants[key]
        elif key not in stored and (each := _configured(key)) is not None:
            titles[each.key] = each.title
    return titles


def method_labels(titles: Mapping[str, str]) -> dict[str, str]:
    """Key → what a menu shows: the title, and how long the finding in view takes unless that is fast."""
    if not model_registry.ready():  # the prices would import torch
        return dict(titles)
    labels = {}
    for key, title in titles.items():
        each = _configured(key)
        price = each.record.price(1, each.parameters) if each is not None else "fast"
        labels[key] = title if price == "fast" else f"{title} ({price})"
    return labels


def finding_names(source: Source | None, choice: Choice) -> tuple[str, ...]:
    """Return the findings that the selected models predict, each once, in the first model's order."""
    stored = source.precomputed.predictions if source is not None and source.precomputed is not None else {}
    names: list[str] = []
    for model in choice.models:
        if model in stored:
            names += stored[model].labels
        elif source is None or source.computes:
            classifier = model_registry.loaded().models.get(model)
            names += [canonical(label) for label in classifier.spec.labels if label] if classifier else []
    return tuple(dict.fromkeys(names))


def choice_from_link(
    link: Mapping[str, Sequence[str]], film: Source | None = None
) -> tuple[Choice, list[str]]:
    """Parse a link; return the choice, and one message per value that is not available.

    Args:
        link: query parameter → values.
        film: the user's own film that the link names; None for a gallery case.
    """
    case_id = (link.get("case") or [""])[-1]
    default = default_choice(case_id if any(entry.id == case_id for entry in gallery.cases()) else None)
    methods = [_canonical(key) for key in link.get("methods") or ()]
    computed = methods if film is None or film.computes else ()  # a bundle has the maps that it has
    known = {
        "case": lambda choice: [entry.id for entry in gallery.cases()],
        "models": lambda choice: _all_models(link.get("models") or (), film),
        "methods": lambda choice: [*method_titles(film), *configured_titles(computed)],
        "baseline": lambda choice: _baselines(),
        "findings": lambda choice: finding_names(film or _source(choice), choice),
    }
    assert set(LISTS) <= set(known)
    link = {**link, "methods": methods}
    if film is not None:
        default = choice_for_own(film, default)
        del known["case"]
    choice, problems = parse_link(link, default, known)
    shown = film or _source(choice)
    edits, more = parse_edits(link.get("edit") or (), shown.twins if shown is not None else None)
    chosen = _as_chosen(choice.models) != _as_chosen(default.models)
    return replace(choice, edits=edits, models_chosen=chosen), [*problems, *more]


def _configured(key: str) -> "ConfiguredMethod | None":
    """The method of a key; None where this version has none, or not with these parameters."""
    from cxrbench.explain import configured_method

    try:
        return configured_method(key)
    except InputError:
        return None


def _canonical(key: str) -> str:
    """A method's key with parameters as it is written elsewhere; others, and invalid ones, as they are."""
    each = _configured(key) if "(" in key and key not in gallery.variants() else None
    return key if each is None else each.key


def _available(names: Sequence[str], known: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in known)


def _title(name: str, prediction: Prediction | None) -> str:
    """Return the title of a model of a bundle; bundles of the first format hold no title."""
    return (prediction.title if prediction is not None else "") or model_titles(None).get(name, name)


def _source(choice: Choice) -> Source | None:
    try:
        return case(choice.case) if choice.case else None
    except InputError:
        return None


def _all_models(requested: Sequence[str], film: Source | None) -> list[str]:
    # A name that is not in the gallery may be that of a model that is still loading.
    if any(name not in model_titles(film) for name in requested):
        model_registry.loaded()
    return list(model_titles(film))


def _baselines() -> list[str]:
    from cxrbench.explain import BASELINES

    return list(BASELINES)
