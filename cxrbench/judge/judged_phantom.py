"""``JudgedPhantom``: a phantom as one model sees it, with what criteria need to know of it.

Everything is computed on the network's input, on first use: film and masks are reduced to its size.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from cxrbench.explain import BASELINES, Context
from cxrbench.judge.curves import scores_of
from cxrbench.judge.faithfulness import standard_squares
from cxrbench.judge.films import JudgedFilm
from cxrbench.judge.judged_map import Part, Score
from cxrbench.judge.maps import reduced_mask
from cxrbench.models import Classifier

__all__ = ["JudgedPhantom"]


@dataclass(frozen=True, eq=False)
class JudgedPhantom:
    """A phantom as one model sees it: the film, its twins without each part, and the logits of all.

    Args:
        model: in eval mode; it sees whole films.
        film: the phantom with its twins.
        only: names of the findings that are judged; all if empty.
        seed: of random numbers.
    """

    model: Classifier
    film: JudgedFilm
    only: tuple[str, ...] = ()
    seed: int = 0

    @cached_property
    def image(self) -> Tensor:
        """The film as the model takes it, (1, C, H, W)."""
        return self.prepared(self.film.phantom.image)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the network's input."""
        height, width = self.image.shape[2:]
        return height, width

    @cached_property
    def own_masks(self) -> Mapping[str, np.ndarray]:
        """Judged finding → where it is, (H, W) bool; needs no twin."""
        return {name: self.reduced(self.film.phantom.masks[name]) for name in self.findings}

    @cached_property
    def masks(self) -> Mapping[str, np.ndarray]:
        """Part → where it is, (H, W) bool: findings as rendered, markers, shortcuts, healthy parts."""
        return {name: self.reduced(each.mask) for name, each in self.film.twins.items()}

    @cached_property
    def twins(self) -> Mapping[str, Tensor]:
        """Part → the film without it, (1, C, H, W)."""
        return {name: self.prepared(each.phantom.image) for name, each in self.film.twins.items()}

    @cached_property
    def healthy(self) -> Tensor:
        """The film without any of the parts, (1, C, H, W)."""
        return self.prepared(self.film.healthy)

    @cached_property
    def lungs(self) -> np.ndarray:
        """Outline of the lungs, (H, W) bool."""
        return self.reduced(self.film.phantom.outlines["lungs"])

    @cached_property
    def baselines(self) -> Mapping[str, Tensor]:
        """Black, mean and blurred image, (C, H, W)."""
        return {name: make(self.model, self.image)[0] for name, make in BASELINES.items()}

    @cached_property
    def logits(self) -> Tensor:
        """Logits of the film and of each twin, in the order of ``masks``: (1 + P, L)."""
        with torch.inference_mode():
            logits: Tensor = self.model(torch.cat([self.image, *self.twins.values()]))
            return logits

    @cached_property
    def findings(self) -> Mapping[str, int]:
        """Findings that are judged, present ones that a twin lacks → index among the model's labels."""
        labels = self.model.spec.labels
        chosen = [name for name in self.film.phantom.severity if not self.only or name in self.only]
        return {name: labels.index(name) for name in chosen if name in labels}

    @property
    def context(self) -> Context:
        """What methods may know: the twins without each finding."""
        return Context({index: self.twins[name] for name, index in self.findings.items()})

    @property
    def context_without_marker(self) -> Context:
        """The same of the film without its marker."""
        return Context(
            {index: self.prepared(self.film.without_marker(name)) for name, index in self.findings.items()}
        )

    @cached_property
    def square_drops(self) -> Mapping[str, np.ndarray]:
        """Finding → fall of its probability where each of ``standard_squares`` is black, (64,)."""
        masks, black = standard_squares(self.size, self.seed), self.baselines["black"]
        hidden = [torch.where(torch.from_numpy(mask), black, self.image[0]) for mask in masks]
        scores = scores_of(self._probabilities, [self.image[0], *hidden])
        return dict(zip(self.findings, (scores[0] - scores[1:]).T, strict=True))

    def parts(self, finding: str) -> tuple[Part, ...]:
        """The parts with the change of a finding's logit when each is taken away."""
        column = self.logits[:, self.findings[finding]].double().numpy()
        return tuple(
            Part(name, mask, float(column[0] - column[1 + place]))
            for place, (name, mask) in enumerate(self.masks.items())
        )

    def logit(self, finding: str, *, without: str | None = None) -> float:
        """Logit of a finding on the film, or on the twin without a part."""
        row = 0 if without is None else 1 + list(self.masks).index(without)
        return float(self.logits[row, self.findings[finding]])

    def flips_without_marker(self, finding: str) -> bool:
        """Whether taking the marker away changes the decision; elsewhere maps without it are not compared."""
        if self.film.marker is None:
            return False
        logits = (self.logit(finding), self.logit(finding, without=self.film.marker))
        return len({logit >= self.threshold(finding) for logit in logits}) == 2

    def boxes(self, finding: str) -> np.ndarray:
        """The box of a finding, (1, 4) in pixels of the network's input; (0, 4) where it is hidden."""
        known = self.film.phantom.boxes.get(finding)
        if known is None:
            return np.zeros((0, 4))
        film_height, film_width = self.film.phantom.image.shape
        height, width = self.size
        scaled: np.ndarray = np.array([known]) * np.tile([width / film_width, height / film_height], 2)
        return scaled

    def threshold(self, finding: str) -> float:
        """Logit from which the finding counts as predicted."""
        return float(torch.logit(torch.tensor(self.model.spec.thresholds[self.findings[finding]])))

    def score(self, finding: str) -> Score:
        """Images (N, C, H, W) → logits (N,) of a finding."""
        index = self.findings[finding]

        def logits(images: Tensor) -> Tensor:
            with torch.inference_mode():
                return self._logits(images)[:, index]

        return logits

    def reduced(self, mask: np.ndarray) -> np.ndarray:
        """A mask at the network's input size."""
        return reduced_mask(mask, self.size)

    def prepared(self, film: np.ndarray) -> Tensor:
        """A film (H, W) as the model takes it, (1, C, H, W)."""
        return self.model.spec.preprocessing(film)[None]

    def _probabilities(self, images: Tensor) -> Tensor:
        """Of the judged findings, (N, K)."""
        return self._logits(images)[:, list(self.findings.values())].sigmoid()

    def _logits(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model(images)
        return logits
