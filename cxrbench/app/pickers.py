"""The widgets of the Compare page and what they were set to, checked again before anything is done with it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from cxrbench.app import engine as engine_room
from cxrbench.app.opened import OWN, opened
from cxrbench.app.sources import Source, from_case
from cxrbench.compare import Settings, gallery

__all__ = ["BASELINES", "STAGES", "Catalogue", "Choice", "catalogue", "choose", "pick_source"]

STAGES: Final = {0: "Last", 1: "One before", 2: "Two before", 3: "Three before"}
BASELINES: Final = {"black": "Black", "mean": "Mean grey", "blur": "Blurred image"}
STEPS: Final = (10, 20, 50, 100, 200)
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
    """What was chosen."""

    source: Source
    settings: Settings
    findings: tuple[str, ...]
    catalogue: Catalogue

    def link(self, case: str) -> list[tuple[str, str]] | None:
        """Query parameters that bring this back; None where nothing can."""
        if not self.source.linkable:
            return None
        settings = self.settings
        several = [("model", settings.models), ("method", settings.methods), ("finding", self.findings)]
        pairs = [("case", case), *((key, value) for key, values in several for value in values)]
        return [*pairs, ("stage", str(settings.stage)), ("baseline", settings.baseline), ("steps", str(settings.steps))]


def catalogue(source: Source | None = None) -> Catalogue:
    """Models and methods to choose from: the gallery's at once, the rest as soon as torch is there."""
    models, methods = gallery.models(), gallery.methods()
    asked = {*st.query_params.get_all("model"), *st.query_params.get_all("method")}
    if engine_room.ready() or not models or asked - {*models, *methods}:
        with st.spinner("Loading the networks …"):
            machine = engine_room.engine()
        models |= machine.titles()
        methods |= {name: method.title for name, method in machine.methods.items()}
    if source is not None:
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
    complain("case", options)
    chosen = place.selectbox(
        "Case",
        list(options),
        format_func=lambda name: options.get(name, name),
        key="case",
        bind="query-params",
        on_change=_case_changed,
        help="Radiographs whose truth is known, with maps that were computed beforehand.",
    )
    if chosen == OWN and own is not None:
        return own
    return from_case(chosen if chosen in cases else next(iter(cases)))


def choose(places: Sequence[Any], source: Source, known: Catalogue, settings: Settings) -> Choice | None:
    """Models, methods and findings; None, with a sentence in the page, where one of them is missing."""
    models = _several(
        places[0], "Models", "model", known.models, default=list(known.models)[:1], help_="Up to four, one below the other."
    )
    methods = _several(
        places[1],
        "Methods",
        "method",
        known.methods,
        default=_first_methods(known.methods),
        help_="How a score is traced back to the picture. About tells what each method does.",
    )
    labels = _labels(models, source)
    findings = _several(
        places[2],
        "Findings",
        "finding",
        {label: label for label in labels},
        default=_first_finding(source, labels),
        help_="What the maps explain. Every finding is computed at once, so changing it costs nothing.",
    )
    for what, values in (("model", models), ("method", methods), ("finding", findings)):
        if not values:
            st.info(f"Choose at least one {what} above to see its maps.", icon=":material/arrow_upward:")
            return None
    asked = Settings(models, methods, settings.stage, settings.baseline, settings.steps)
    return Choice(source, asked, findings, known)


def pick_settings() -> Settings:
    """Stage, baseline and steps, as the widgets of a popover."""
    for key, options in (("stage", STAGES), ("baseline", BASELINES), ("steps", STEPS)):
        complain(key, [str(option) for option in options])
    stage = st.segmented_control(
        "Feature map that CAMs read",
        list(STAGES),
        format_func=lambda stage: STAGES.get(stage, str(stage)),
        default=0,
        required=True,
        key="stage",
        bind="query-params",
        help="The last map knows most about findings but is coarse (often 7 × 7). Earlier ones are finer and noisier.",
    )
    baseline = st.segmented_control(
        "Integrated gradients: baseline",
        list(BASELINES),
        format_func=lambda name: BASELINES.get(name, name),
        default="black",
        required=True,
        key="baseline",
        bind="query-params",
        help="The picture without information that the radiograph is compared with. What equals it gets no relevance.",
    )
    steps = st.select_slider(
        "Integrated gradients: steps",
        STEPS,
        value=50,
        key="steps",
        bind="query-params",
        help="Points on the way from the baseline to the radiograph. More steps: a smaller error, a longer wait.",
    )
    return Settings(
        (),
        (),
        stage=stage if stage in STAGES else 0,
        baseline=baseline if baseline in BASELINES else "black",
        steps=steps if steps in STEPS else 50,
    )


def complain(key: str, known: Collection[Any]) -> None:
    """Say which parts of the link that opened this page mean nothing here; Streamlit then drops them."""
    said: dict[str, str] = st.session_state.setdefault("link problems", {})
    if key in said:
        return
    strangers = [value for value in st.query_params.get_all(key) if value not in known]
    said[key] = ""
    if strangers:
        names = ", ".join(repr(value[:60]) for value in strangers[:3])
        own = " An uploaded image cannot be linked." if key == "case" and OWN in strangers else ""
        said[key] = f"The link asked for the {key} {names}, which is not known here; it was left out.{own}"


def _several(
    place: Any, label: str, key: str, options: Mapping[str, str], *, default: Sequence[str], help_: str
) -> tuple[str, ...]:
    complain(key, options)
    chosen = place.multiselect(
        label,
        list(options),
        default=list(default),
        format_func=lambda name: options.get(name, name),
        key=key,
        bind="query-params",
        max_selections=_MOST.get(key),
        help=help_,
    )
    # The browser is not trusted: what it sends may be no option at all.
    return tuple(name for name in chosen if name in options)[: _MOST.get(key)]


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
