"""``RepeatedMaps``: maps of the same methods on changed images, and by a model whose layers are randomised.

All methods and findings are explained together, so that they share passes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from cxrbench.explain import ConfiguredMethod, Context, explain
from cxrbench.judge.judged_phantom import JudgedPhantom
from cxrbench.judge.robustness import noisy_images
from cxrbench.judge.sanity import randomised_models
from cxrbench.models import Classifier

__all__ = ["RepeatedMaps", "final_maps"]


@dataclass(frozen=True, eq=False)
class RepeatedMaps:
    """Maps that criteria compare with those of a film, computed on first use: method → maps of all findings.

    Args:
        judged: the film as the model sees it.
        methods: those that are judged; all of them apply to the model.
    """

    judged: JudgedPhantom
    methods: tuple[ConfiguredMethod, ...]

    @property
    def context(self) -> Context:
        """What the methods may know of the film; twins are rendered only where one needs them."""
        return self.judged.context if self._need_twins else Context()

    @cached_property
    def unmarked(self) -> Mapping[str, np.ndarray]:
        """Maps (K, h, w) of the film without its marker, which it must have."""
        assert self.judged.film.marker is not None
        image = self.judged.twins[self.judged.film.marker]
        context = self.judged.context_without_marker if self._need_twins else Context()
        return self._maps(self.judged.model, image, context)

    @cached_property
    def noisy(self) -> Mapping[str, np.ndarray]:
        """Maps (S, K, h, w) of the film with the noise of ``max_sensitivity``."""
        noisy = noisy_images(self.judged.image[0], seed=self.judged.seed)
        return _stacked([self._maps(self.judged.model, each[None], self.context) for each in noisy])

    @cached_property
    def randomised(self) -> Mapping[str, np.ndarray]:
        """Maps (S, K, h, w) while layers of the model are randomised, head first."""
        models = randomised_models(self.judged.model, self.judged.image, seed=self.judged.seed)
        return _stacked([self._maps(model, self.judged.image, self.context) for _, model in models])

    @property
    def _need_twins(self) -> bool:
        return any(each.record.needs == "twins" for each in self.methods)

    def _maps(self, model: Classifier, image: Tensor, context: Context) -> dict[str, np.ndarray]:
        findings, keys = list(self.judged.findings.values()), [each.key for each in self.methods]
        return {
            key: maps[0].numpy() for key, maps in final_maps(model, image, findings, keys, context).items()
        }


def final_maps(
    model: Classifier, images: Tensor, findings: Sequence[int], methods: Sequence[str], context: Context
) -> dict[str, Tensor]:
    """Method → its final maps (B, K, h, w); arguments are those of ``explain``."""
    explanations = explain(model, images, findings, methods, context=context)
    return {each.method: each.maps for each in explanations if each.progress >= 1}


def _stacked(maps: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {key: np.stack([each[key] for each in maps]) for key in maps[0]}
