"""``Situation``: one value of a lesson with the bench that computes it; what `QUANTITIES` read."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from cxrbench.compare import HeatMaps, Prediction
from cxrbench.compare.stored_maps import halved
from cxrbench.data.phantom.shipped import held_out_studies
from cxrbench.errors import InputError
from cxrbench.explain import METHODS
from cxrbench.judge.correlation import spearman
from cxrbench.judge.localisation import hit, relevance_mass
from cxrbench.judge.reachability import reachable
from cxrbench.judge.shortcuts import confounder_sensitivity
from cxrbench.teaching.lessons.bench import Bench, Film
from cxrbench.teaching.lessons.data_set import LabelTable, TestFilms
from cxrbench.teaching.lessons.lesson import Value

__all__ = ["Situation"]

_MAX_FILMS: Final = 100


@dataclass(frozen=True, eq=False)
class Situation:
    """A value of a lesson, and the bench on which it is computed.

    Args:
        value: what is asked for.
        bench: opens films and models.
    """

    value: Value
    bench: Bench

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.value.state.models[0]

    @property
    def method(self) -> str:
        """Key of the method."""
        return self.value.state.methods[0]

    @property
    def finding(self) -> str:
        """Name of the finding."""
        return self.value.state.finding

    @cached_property
    def film(self) -> Film:
        """The film after its edits."""
        return self.bench.film(self.value.state)

    @cached_property
    def test(self) -> TestFilms:
        """The stored evaluation of the model on its test films."""
        return TestFilms(self.model, self.finding)

    @cached_property
    def labels(self) -> LabelTable:
        """The label table on which the shipped models were trained."""
        return LabelTable(self.finding)

    def text(self, name: str) -> str:
        """A parameter."""
        return str(self.value.parameters[name])

    def number(self, name: str) -> float | None:
        """A parameter; None where it is missing."""
        value = self.value.parameters.get(name)
        return None if value is None else float(value)

    def without(self) -> "Situation":
        """The same on the film without the part that the value names, or without the finding."""
        part = str(self.value.parameters.get("part", self.finding))
        return self._with_edits((*self.value.state.edits, self.film.removal(part).text))

    def unedited(self) -> "Situation":
        """The same on the film before its edits."""
        return self._with_edits(())

    def score(self) -> float:
        """Of the finding."""
        prediction, index = self._predicted(self.model)
        return float(prediction.scores[index])

    def logit(self) -> float:
        """Of the finding."""
        prediction, index = self._predicted(self.model)
        return float(prediction.logits[index])

    def threshold(self) -> float:
        """Of the finding."""
        prediction, index = self._predicted(self.model)
        return float(prediction.thresholds[index])

    def present(self) -> bool:
        """Whether the finding is present."""
        return bool(self.film.truth.get(self.finding, 0))

    @cached_property
    def heat(self) -> HeatMaps:
        """The maps of the method."""
        return self.bench.heat(self.value.state, self.model, self.method)

    @cached_property
    def map(self) -> np.ndarray:
        """The map, (h, w)."""
        found = self.heat.map_of(self.finding)
        assert found is not None
        return found

    @cached_property
    def relevance(self) -> np.ndarray:
        """The map on the film, (H, W); nothing is outside the network's input."""
        shape = self.film.image.shape
        on_film = self.heat.on_film(self.map[None], (shape[0], shape[1]))[0]
        filled: np.ndarray = np.nan_to_num(on_film, nan=float(np.nanmin(on_film)))
        return filled

    @property
    def mask(self) -> np.ndarray:
        """Where the finding is, (H, W) bool.

        Raises:
            InputError: the film does not have it.
        """
        if self.finding not in self.film.masks:
            raise InputError(f"{self.finding} is not on the film, so it has no extent; choose another film.")
        return self.film.masks[self.finding]

    def mask_share(self) -> float:
        """Share of the film that the finding covers."""
        return float(self.mask.mean())

    def hit(self) -> float:
        """Pointing game: 1 or 0."""
        return hit(self.relevance, self.mask)

    def share_inside(self) -> float:
        """Of the positive relevance, in percent."""
        return 100 * relevance_mass(self.relevance, self.mask)

    def share_left_behind(self) -> float:
        """Share of the positive relevance where the finding lay before the edits, in percent."""
        return 100 * relevance_mass(self.relevance, self.unedited().mask & ~self._mask_or_none())

    def map_follows(self) -> float:
        """1 if the strongest point lay in the finding before the edits and does so after them, else 0."""
        return float(self.unedited().hit() == 1 and self.hit() == 1)

    def share_of_part_in_top_tenth(self) -> float:
        """Share of a part's pixels among the most relevant tenth, in percent."""
        return 100 * confounder_sensitivity(self.relevance, self.film.extent(self.text("part")))

    def agreement(self) -> float:
        """Rank correlation with the map of another method."""
        return self._agreement(self._by(self.text("other")))

    def agreement_before_edits(self) -> float:
        """Rank correlation of the maps before and after the edits."""
        return self._agreement(self.unedited())

    def agreement_after_randomising(self) -> float:
        """Rank correlation with the map of the same network with random weights."""
        heat = self.bench.randomised_heat(self.value.state, self.model, self.method)
        found = heat.map_of(self.finding)
        assert found is not None
        # The gallery stores fine maps halved.
        return spearman(self.map, found if found.shape == self.map.shape else halved(found[None])[0])

    def largest_difference(self) -> float:
        """Largest difference of two methods' maps, each divided by its largest magnitude, in percent."""
        other = self._by(self.text("other")).map
        if other.shape != self.map.shape:
            raise InputError(
                f"The maps have the grids {self.map.shape} and {other.shape}; ask for agreement_of_maps."
            )
        first, second = (each / np.abs(each).max() for each in (self.map, other))
        return 100 * float(np.abs(first - second).max())

    def finding_in_cells(self) -> float:
        """Area of the finding in cells of the map."""
        return self.mask_share() * self.cells()

    def cells(self) -> float:
        """Number of cells of the map."""
        return float(self.map.size)

    def reachable_inside(self) -> float:
        """Largest share inside the finding that a map of this grid could have, in percent."""
        height, width = self.map.shape
        return 100 * reachable(relevance_mass, self.mask, (height, width))

    def completeness(self) -> float:
        """Magnitude of the completeness error, in percent; NaN where the method has none."""
        errors = self.heat.completeness
        return 100 * abs(float(errors[self.heat.labels.index(self.finding)])) if errors.size else float("nan")

    def hit_rate(self) -> float:
        """Share of the first test films with the finding on which the map hits it, in percent."""
        wanted = int(self.number("films") or 0)
        if not 1 <= wanted <= _MAX_FILMS:
            raise InputError(f"films must be 1 to {_MAX_FILMS}; got {wanted}.")
        hits: list[float] = []
        for study in held_out_studies():
            for film in study.films:
                if study.findings.get(self.finding) and film.view != "LATERAL" and len(hits) < wanted:
                    state = replace(self.value.state, film=film.path, case="", edits=())
                    hits.append(Situation(replace(self.value, state=state), self.bench).hit())
            if len(hits) == wanted:
                break
        return 100 * float(np.mean(hits))

    def votes(self) -> float:
        """Number of the step's models that call the finding."""
        found = [self._predicted(name) for name in self.value.state.models]
        return float(sum(float(p.scores[index]) >= float(p.thresholds[index]) for p, index in found))

    def mean_score(self) -> float:
        """Mean score of the step's models."""
        return float(np.mean(self._scores()))

    def range_of_scores(self) -> float:
        """Largest minus smallest score of the step's models."""
        return float(np.ptp(self._scores()))

    def _agreement(self, other: "Situation") -> float:
        """Rank correlation with another map: of their cells, or on the film where the grids differ."""
        if other.map.shape == self.map.shape:
            return spearman(self.map, other.map)
        return spearman(self.relevance, other.relevance)

    def _scores(self) -> list[float]:
        found = [self._predicted(name) for name in self.value.state.models]
        return [float(prediction.scores[index]) for prediction, index in found]

    def _predicted(self, model: str) -> tuple[Prediction, int]:
        prediction = self.bench.prediction(self.value.state, model)
        if self.finding not in prediction.labels:
            raise InputError(f"The model {model!r} does not predict {self.finding}; choose another finding.")
        return prediction, prediction.labels.index(self.finding)

    def _by(self, method: str) -> "Situation":
        if method.partition("(")[0] not in METHODS:
            raise InputError(f"Unknown method {method[:60]!r}; choose from: {', '.join(METHODS)}.")
        return Situation(replace(self.value, state=replace(self.value.state, methods=(method,))), self.bench)

    def _with_edits(self, edits: tuple[str, ...]) -> "Situation":
        return Situation(replace(self.value, state=replace(self.value.state, edits=edits)), self.bench)

    def _mask_or_none(self) -> np.ndarray:
        found = self.film.masks.get(self.finding)
        return np.zeros(self.film.image.shape, bool) if found is None else found
