"""The widgets of the Compare page and what they were set to, checked again before anything is done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import streamlit as st

from cxrbench.app import engine as engine_room
from cxrbench.app import links
from cxrbench.app.opened import OWN, opened
from cxrbench.app.sources import Source, from_case
from cxrbench.compare import Settings, gallery

__all__ = [
    "BASELINES",
    "STAGES",
    "STEPS",
    "Catalogue",
    "Choice",
    "catalogue",
    "choose",
    "pick_settings",
    "pick_source",
]

STAGES: Final = {0: "Last", 1: "One before", 2: "Two before", 3: "Three before"}
BASELINES: Final = {"black": "Black", "mean": "Mean grey", "blur": "Blurred image"}
STEPS: Final = (10, 20, 50, 100, 200)
_PLAIN: Final = Settings((), ())
_UNLINKABLE: Final = "The link shows an image that someone had opened; such an image cannot be linked."
_MOST: Final = {"model": 4, "finding": 4}


@dataclass(frozen=True)
class Catalogue:
    """What can be chosen: name → title."""

    models: Mapping[str, str]
    methods: Mapping[str, str]

    @property
    def titles(self) -> dict[str, str]:
        """Of models and methods alike."""
        return {**self.models, **self.methods}


@dataclass(frozen=True)
class Choice:
    """What was chosen.

    Args:
        source: the radiograph.
        settings: models, methods and how to compute.
        findings: shown.
        catalogue: what there was to choose from.
        link: query parameters that bring this back; empty for what no link can bring back.
    """

    source: Source
    settings: Settings
    findings: tuple[str, ...]
    catalogue: Catalogue
    link: Mapping[str, Sequence[str]] = field(default_factory=dict)


def catalogue(source: Source) -> Catalogue:
    """Models and methods to choose from: the gallery's at once, the rest as soon as torch is there."""
    models, methods = gallery.models(), gallery.methods()
    asked = {*st.query_params.get_all("model"), *st.query_params.get_all("method")}
    if engine_room.ready() or not source.linkable or asked - {*models, *methods}:
        with st.spinner("Loading the networks …"):
            machine = engine_room.engine()
        models |= machine.titles()
        methods |= {name: method.title for name, method in machine.methods.items()}
    for (model, method), heat in source.comparison.heat_maps.items():
        models.setdefault(model, model)
        methods.setdefault(method, heat.title or method)
    return Catalogue(models, methods)


def pick_source(place: Any) -> Source | None:
    """A gallery case, or what was opened; None where there is neither."""
    cases = {case.id: case.title for case in gallery.cases()}
    own = opened()
    options = {**cases, **({OWN: own.title} if own is not None else {})}
    if not options:
        return None
    links.apply("case", {name: name for name in options}, next(iter(options)), explained={OWN: _UNLINKABLE})
    chosen = place.selectbox(
        "Case",
        list(options),
        format_func=lambda name: options.get(name, name),
        key="case",
        persist_state="session",
        on_change=_case_changed,
        help="Radiographs whose truth is known, with maps that were computed beforehand.",
    )
    if own is not None and (chosen == OWN or not cases):
        return own
    return from_case(chosen if chosen in cases else next(iter(cases)))


def choose(places: Sequence[Any], source: Source, known: Catalogue, settings: Settings) -> Choice | None:
    """Models, methods and findings; None, with a sentence in the page, where one of them is missing."""
    first = {"model": list(known.models)[:1], "method": _first_methods(known.methods)}
    models = _several(
        places[0], "Models", "model", known.models, first["model"], "Up to four, one below the other."
    )
    methods = _several(
        places[1],
        "Methods",
        "method",
        known.methods,
        first["method"],
        "How a score is traced back to the picture. The page About tells what each method does.",
    )
    labels = _labels(models, source)
    first["finding"] = _first_finding(source, labels)
    findings = _several(
        places[2],
        "Findings",
        "finding",
        {label: label for label in labels},
        first["finding"],
        "What the maps explain. All findings are computed at once, so changing this costs nothing.",
    )
    for what, values in (("model", models), ("method", methods), ("finding", findings)):
        if not values:
            st.info(f"Choose at least one {what} above to see its maps.", icon=":material/arrow_upward:")
            return None
    asked = Settings(models, methods, settings.stage, settings.baseline, settings.steps)
    link = _link(source, asked, findings, first)
    return Choice(source, asked, findings, known, link)


def pick_settings() -> Settings:
    """Stage, baseline and steps, as the widgets of a popover."""
    for key, options in (("stage", STAGES), ("baseline", BASELINES), ("steps", STEPS)):
        links.apply(key, {str(option): option for option in options}, getattr(_PLAIN, key))
    stage = st.segmented_control(
        "Feature map that CAMs read",
        list(STAGES),
        format_func=lambda stage: STAGES.get(stage, str(stage)),
        default=_PLAIN.stage,
        required=True,
        key="stage",
        persist_state="session",
        help="The last map knows most about findings but is coarse, often 7 × 7. Earlier ones are finer and noisier.",
    )
    baseline = st.segmented_control(
        "Baseline of integrated gradients",
        list(BASELINES),
        format_func=lambda name: BASELINES.get(name, name),
        default=_PLAIN.baseline,
        required=True,
        key="baseline",
        persist_state="session",
        help="The picture without information that the radiograph is compared with. What equals it gets no relevance.",
    )
    steps = st.select_slider(
        "Steps of integrated gradients",
        STEPS,
        value=_PLAIN.steps,
        key="steps",
        persist_state="session",
        help="Points on the way from the baseline to the radiograph. More steps: a smaller error, a longer wait.",
    )
    return Settings(
        (),
        (),
        stage=stage if stage in STAGES else _PLAIN.stage,
        baseline=baseline if baseline in BASELINES else _PLAIN.baseline,
        steps=steps if steps in STEPS else _PLAIN.steps,
    )


def _several(
    place: Any, label: str, key: str, options: Mapping[str, str], default: list[str], explained: str
) -> tuple[str, ...]:
    links.apply(key, {name: name for name in options}, default)
    # Options may have gone since the last run, with a model that does not know the finding, say.
    if key in st.session_state:
        st.session_state[key] = [name for name in st.session_state[key] if name in options]
    chosen = place.multiselect(
        label,
        list(options),
        default=default,
        format_func=lambda name: options.get(name, name),
        key=key,
        persist_state="session",
        max_selections=_MOST.get(key),
        help=explained,
    )
    # The browser is not trusted: what it sends may be no option at all.
    return tuple(name for name in chosen if name in options)[: _MOST.get(key)]


def _link(
    source: Source, settings: Settings, findings: Sequence[str], first: Mapping[str, Sequence[str]]
) -> dict[str, Sequence[str]]:
    """Write the address; return the parameters of a link that spells everything out."""
    case = str(st.session_state.get("case", OWN)) if source.linkable else OWN
    values: dict[str, Sequence[str]] = {
        "case": [case],
        "model": settings.models,
        "method": settings.methods,
        "finding": findings,
        "stage": [str(settings.stage)],
        "baseline": [settings.baseline],
        "steps": [str(settings.steps)],
    }
    plain = {key: [str(getattr(_PLAIN, key))] for key in ("stage", "baseline", "steps")}
    links.write(values, {"case": [entry.id for entry in gallery.cases()][:1], **first, **plain})
    return values if source.linkable else {}


def _first_methods(methods: Mapping[str, str]) -> list[str]:
    """Three that differ, so that with the radiograph four panels stand side by side."""
    wanted = [name for name in ("grad_cam", "grad_cam_plus_plus", "integrated_gradients") if name in methods]
    return wanted or list(methods)[:3]


def _labels(models: Sequence[str], source: Source) -> tuple[str, ...]:
    labels: dict[str, None] = {}
    for model in models:
        prediction = source.comparison.predictions.get(model)
        own = prediction.labels if prediction is not None else engine_room.engine().labels(model)
        labels |= dict.fromkeys(own)
    return tuple(labels)


def _first_finding(source: Source, labels: Sequence[str]) -> list[str]:
    if source.finding in labels:
        return [source.finding]
    rest = [label for label in labels if label != "No Finding"]
    return (rest or list(labels))[:1]


def _case_changed() -> None:
    """Look at what the new case is about."""
    case = st.session_state.get("case")
    own = opened()
    if case == OWN and own is not None:
        finding = own.finding
    else:
        known = {entry.id: entry for entry in gallery.cases()}
        finding = next(iter(known[case].findings), None) if case in known else None
    if finding is not None:
        st.session_state["finding"] = [finding]
