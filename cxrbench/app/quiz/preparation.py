"""The films of a quiz, prepared one after the other: rendered in the session, explained in the job queue."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

import streamlit as st

from cxrbench.app.quiz.controls import MAP_METHODS, Setup
from cxrbench.app.quiz.film_data import film_data, with_map
from cxrbench.app.quiz.player.schema import FilmData
from cxrbench.app.services import map_jobs, model_registry, shipped_films
from cxrbench.app.services.radiographs import Source
from cxrbench.compare import Settings
from cxrbench.teaching.quiz import Quiz, QuizItem

__all__ = ["Prepared", "prepared"]

_AHEAD: Final = 3  # films whose maps are waited for at a time
_SECONDS: Final = 0.4  # of rendering per run, after which the page is shown what there is


@dataclass
class Prepared:
    """What is prepared of a quiz, in one session.

    Args:
        items: the first films of the quiz; the last of them may still lack their maps.
        retest: the first films of the retest.
    """

    items: list[FilmData] = field(default_factory=list)
    retest: list[FilmData] = field(default_factory=list)

    @property
    def ready(self) -> int:
        """Number of films of the quiz whose map is there, or will not come."""
        return sum(film["ai"] is not None and film["ai"]["ready"] for film in self.items)

    def complete(self, quiz: Quiz) -> bool:
        """Whether nothing is left to prepare."""
        return self.ready == len(quiz.items) and len(self.retest) == len(quiz.retest)

    def advance(self, setup: Setup, quiz: Quiz) -> None:
        """Render further films for a moment, at least one, and take the maps that are there."""
        until = time.monotonic() + _SECONDS
        self._render(setup, quiz.items, self.items, until, limit=self.ready + _AHEAD)
        if len(self.items) == len(quiz.items):
            self._render(setup, quiz.retest, self.retest, until)
        self._collect_maps(setup, quiz)

    def _render(
        self,
        setup: Setup,
        items: Sequence[QuizItem],
        films: list[FilmData],
        until: float,
        limit: int | None = None,
    ) -> None:
        finding, model = setup.settings.finding, setup.model.name
        for number, item in enumerate(items[len(films) : limit]):
            if number and time.monotonic() > until:
                return
            source = _film(item.film, finding)
            films.append(film_data(item, source, finding, model=model, with_ai=films is self.items))

    def _collect_maps(self, setup: Setup, quiz: Quiz) -> None:
        """Ask for the maps that are missing; models are loaded in the background first."""
        model_registry.start()
        if not model_registry.ready():
            return
        for place, (item, film) in enumerate(zip(quiz.items, self.items, strict=False)):
            if film["ai"] is not None and not film["ai"]["ready"]:
                self.items[place] = _explained(film, item, setup)


def prepared(setup: Setup) -> Prepared:
    """What this session has prepared of the quiz; a new set-up replaces the one before."""
    held: tuple[str, Prepared] = st.session_state.get("quiz_prepared", ("", Prepared()))
    name, found = held
    if name != setup.id:
        found = Prepared()
        st.session_state["quiz_prepared"] = (setup.id, found)
    return found


@lru_cache(maxsize=64)  # about 1 MB each
def _film(path: str, finding: str) -> Source:
    """A film of the quiz with the mask of one finding, and without its twins, which take more memory."""
    source = shipped_films.radiograph(path)
    masks = {name: mask for name, mask in source.masks.items() if name == finding}
    return replace(source, twins=None, masks=masks)


def _explained(film: FilmData, item: QuizItem, setup: Setup) -> FilmData:
    """The film with the AI's map, if it is there by now."""
    finding, model = setup.settings.finding, setup.model.name
    source = _film(item.film, finding)
    cell = (model, MAP_METHODS[setup.method].key)
    settings = Settings((cell[0],), (cell[1],))
    snapshot = map_jobs.gather(source, settings, {}, [finding], others=False)
    heat = snapshot.shown[finding].heat_maps.get(cell)
    if heat is not None and heat.progress >= 1:
        return with_map(film, heat, finding, source.image.shape)
    missing = not snapshot.pending
    return with_map(film, None, finding, source.image.shape) if snapshot.failed or missing else film
