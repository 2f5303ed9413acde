"""``Bench``: films, models, scores and maps as lessons name them; each is opened or computed once."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from cxrbench.compare import HeatMaps, Prediction, Settings, Surroundings, gallery
from cxrbench.compare.run import compare, prediction
from cxrbench.data.phantom import Edit, EditedFilm, FilmsWithout
from cxrbench.data.phantom.shipped import SIZE, shipped_film
from cxrbench.errors import InputError, look_up
from cxrbench.judge.sanity import randomised_models
from cxrbench.models import Classifier, catalog, hub
from cxrbench.teaching.lessons.lesson import State

__all__ = ["Bench", "Film"]

_CACHED = 64  # films of 320 × 320 pixels, or maps


@dataclass(frozen=True, eq=False)
class Film:
    """A film with what is known of it.

    Args:
        image: (H, W) in [0, 1].
        masks: finding or planted marker → (H, W) bool.
        truth: label → 0 or 1.
        films: the films that it turns into.
    """

    image: np.ndarray
    masks: dict[str, np.ndarray]
    truth: dict[str, int]
    films: FilmsWithout

    def extent(self, part: str) -> np.ndarray:
        """Where a part is visible, (H, W) bool.

        Raises:
            InputError: the film does not have the part.
        """
        if part in self.masks:
            return self.masks[part]
        return self.films.edited([self.removal(part)]).mask

    def removal(self, part: str) -> Edit:
        """The edit that takes a part away.

        Raises:
            InputError: the film does not have the part.
        """
        if part not in self.films.removable:
            raise InputError(
                f"The film has no {part!r} to take away; choose from: {', '.join(self.films.removable)}."
            )
        return Edit(part)


@dataclass(frozen=True, eq=False)
class Bench:
    """Opens films and computes scores and maps, each once.

    Args:
        loaded: name → model, for models that are already loaded.
    """

    loaded: dict[str, Classifier] = field(default_factory=dict)
    _known: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def model(self, name: str) -> Classifier:
        """A model of the catalogue.

        Raises:
            InputError: there is no such model.
        """
        if name not in self.loaded:
            self.loaded[name] = hub.load(look_up("model", name, catalog.available()))
        return self.loaded[name]

    def film(self, state: State) -> Film:
        """The film of a state, after its edits.

        Raises:
            InputError: the state names no film, or an edit that the film does not allow.
        """
        whole = _case(state.case) if state.case else _shipped(state.film)
        if not state.edits:
            return whole
        return _edited(whole.films.edited([whole.films.read_edit(text) for text in state.edits]))

    def prediction(self, state: State, model: str) -> Prediction:
        """The prediction of a model for the film of a state."""
        key = ("prediction", _place(state), model)
        if key not in self._known:
            if state.case and not state.edits and model in gallery.models():
                stored = gallery.load(state.case, models=[model], methods=())
                self._known[key] = stored.predictions[model]
            else:
                self._known[key] = prediction(model, self.model(model), self.film(state).image)
        found: Prediction = self._known[key]
        return found

    def heat(self, state: State, model: str, method: str) -> HeatMaps:
        """The map of a method for the finding of a state.

        Raises:
            InputError: an unknown method, or one that does not apply to the model.
        """
        key = ("heat", _place(state), model, method, state.finding)
        if key not in self._known:
            self._known[key] = self._stored_heat(state, model, method) or self._computed(
                state, model, method, self.model(model)
            )
        return self._checked(self._known[key], state, model, method)

    def randomised_heat(self, state: State, model: str, method: str) -> HeatMaps:
        """The map of a method by the same network with random weights.

        Raises:
            InputError: an unknown method, or one that does not apply to the model.
        """
        key = ("randomised heat", _place(state), model, method, state.finding)
        if key not in self._known:
            trained = self.model(model)
            example = trained.spec.preprocessing(self.film(state).image)[None]
            *_, (_, randomised) = randomised_models(trained, example.to(next(trained.parameters()).dtype))
            self._known[key] = self._computed(state, model, method, randomised)
        return self._checked(self._known[key], state, model, method)

    def _checked(self, heat: HeatMaps, state: State, model: str, method: str) -> HeatMaps:
        if heat.map_of(state.finding) is None:
            raise InputError(f"{method} has no map of {state.finding} by {model}: {heat.problem}.")
        return heat

    def _computed(self, state: State, name: str, method: str, model: Classifier) -> HeatMaps:
        """The map of a method by a model that is called ``name``, which need not be a shipped one."""
        film = self.film(state)
        heats = [
            event
            for event in compare(
                film.image,
                Settings((name,), (method,)),
                models={name: model},
                findings=[state.finding],
                with_predictions=False,
                surroundings=Surroundings(film.films),
            )
            if isinstance(event, HeatMaps)
        ]
        if not heats:
            raise InputError(f"The model {name!r} does not predict {state.finding}; choose another finding.")
        return heats[-1]

    def _stored_heat(self, state: State, model: str, method: str) -> HeatMaps | None:
        known = gallery.methods() | gallery.variants()
        if not state.case or state.edits or model not in gallery.models() or method not in known:
            return None
        heat = gallery.load(state.case, models=[model], methods=[method]).heat_maps.get((model, method))
        return heat if heat is not None and heat.map_of(state.finding) is not None else None


def _place(state: State) -> State:
    """The state as far as its film goes."""
    return replace(state, models=(), methods=(), finding="")


@lru_cache(maxsize=_CACHED)
def _case(case_id: str) -> Film:
    comparison = gallery.load(case_id, models=(), methods=())
    films = gallery.twins(comparison)
    if films is None:
        raise InputError(f"The case {case_id!r} is no phantom, so its truth is not known; choose another.")
    return Film(comparison.image, dict(comparison.masks), dict(comparison.truth), films)


@lru_cache(maxsize=_CACHED)
def _shipped(path: str) -> Film:
    study, film = shipped_film(path)
    phantom = study.render(film, SIZE)
    films = FilmsWithout(phantom.scenario, phantom.truth, phantom.image, original=phantom)
    return Film(phantom.image, {**phantom.masks, **phantom.shortcuts}, dict(phantom.truth), films)


def _edited(film: EditedFilm) -> Film:
    return Film(film.image, dict(film.masks), dict(film.truth), film.films)
