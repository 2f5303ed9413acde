"""Passes through the network that the methods of one call share, computed once on first use."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from cxrbench.explain.cam import Formula, cam_maps, gradients_at, trunk_features
from cxrbench.explain.context import Context
from cxrbench.explain.fast_copy import fast_copy
from cxrbench.explain.gradient import Draft, integrated_gradients
from cxrbench.explain.parameters import number, option, whole
from cxrbench.explain.quadrature import typical_nodes
from cxrbench.explain.stability import SPREADS, certainly_unchanged, perturbed, unchanged
from cxrbench.explain.validation import stage_name
from cxrbench.models import Classifier, Features
from cxrbench.models.attention import AttentionTrace, trace_attention

__all__ = [
    "Compute",
    "Passes",
    "PathParameters",
    "StageParameters",
    "from_formula",
    "from_formulas",
    "from_path",
]

MapPair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class StageParameters:
    """Of methods that read one feature map."""

    stage: int = whole(
        0,
        0,
        9,
        "Which feature map is read, counted from the last (0). Earlier ones are finer, but less specific.",
    )


@dataclass(frozen=True)
class PathParameters:
    """Of integrated gradients."""

    baseline: str = option(
        "black",
        ("black", "mean", "blur"),
        "The image where the path starts; pixels equal to it get no relevance.",
    )
    steps: int = whole(
        50, 1, 1000, "Points on the path: more of them make the completeness error smaller and take longer."
    )
    tolerance: float = number(
        0.0,
        0.0,
        0.5,
        "Stop as soon as the relative completeness error is below it, whatever the steps: 0.01 is 1 %, and 0 "
        "takes all steps.",
    )

    @property
    def nodes(self) -> int:
        """Number of path points: the steps, or what the tolerance typically needs."""
        return typical_nodes(self.steps, self.tolerance)


@dataclass(frozen=True)
class Passes:
    """A model, images and findings, with the passes through the network that methods share.

    Args:
        model: in eval mode.
        images: preprocessed, (B, C, H, W).
        findings: indices, (K,).
        context: what is known of the images besides their pixels.
    """

    model: Classifier
    images: Tensor
    findings: Tensor
    context: Context = field(default_factory=Context)
    _trunks: dict[str, Features] = field(default_factory=dict, init=False, repr=False, compare=False)
    _features: dict[str, MapPair] = field(default_factory=dict, init=False, repr=False, compare=False)
    _perturbed: dict[str, tuple[MapPair, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def network(self) -> Classifier:
        """The model's fast copy, which all passes use that need no module of the model itself."""
        return fast_copy(self.model, self.images.shape[1:])

    @cached_property
    def plain_images(self) -> Tensor:
        """The images, as tensors that gradients may be recorded of."""
        with torch.inference_mode(mode=False):
            return self.images.clone() if self.images.is_inference() else self.images

    @cached_property
    def attention(self) -> AttentionTrace:
        """The attention of every block of a vision transformer, with what its gradients need."""
        with torch.inference_mode(mode=False):
            return trace_attention(self.model, self.plain_images)

    def logits(self, images: Tensor) -> Tensor:
        """Logits of the findings for changed images (N, C, H, W): (N, K), without gradients."""
        # Channels last: convolutions of several images run up to twice as fast on a CPU.
        output = self.network(images.to(memory_format=torch.channels_last))
        chosen: Tensor = output[:, self.findings]
        return chosen

    def trunk(self, stage: str | int | None = None) -> Features:
        """The features of a stage (default: the last), without gradients."""
        name = stage_name(self.model, stage)
        if name not in self._trunks:
            with torch.inference_mode(mode=False):
                self._trunks[name] = trunk_features(self.network, self.images, name)
        return self._trunks[name]

    def features(self, stage: str | int | None = None) -> MapPair:
        """Activations (B, C, h, w) and gradients (B, K, C, h, w) of a stage (default: the last)."""
        name = stage_name(self.model, stage)
        if name not in self._features:
            self._features[name] = gradients_at(self.network, self.trunk(name), self.findings.tolist())
        return self._features[name]

    def perturbed(self, stage: str | int | None = None) -> tuple[MapPair, ...]:
        """The features of a stage with perturbations at the level of rounding, several times."""
        name = stage_name(self.model, stage)
        if name not in self._perturbed:
            self._perturbed[name] = tuple(perturbed(*self.features(name)))
        return self._perturbed[name]


# The computation of a method from its parameters: drafts (B, K, h, w) on its own grid; the last is final.
Compute = Callable[[Passes, Any], Iterator[Draft]]


def from_formula(formula: Formula) -> Compute:
    """The computation of a method that is a formula on the shared activations and gradients: one draft."""
    return from_formulas(lambda parameters: formula)


def from_formulas(choose: Callable[[Any], Formula]) -> Compute:
    """The same for a method whose parameters choose the formula."""

    def compute(passes: Passes, parameters: StageParameters) -> Iterator[Draft]:
        features, formula = passes.features(parameters.stage), choose(parameters)
        with torch.inference_mode(mode=False), torch.no_grad():
            maps = cam_maps(formula, *features)
            stable = torch.zeros(maps.shape[:2], dtype=torch.bool)
            if formula in SPREADS:
                stable = certainly_unchanged(maps, SPREADS[formula](*features))
            if not stable.all():
                again = [cam_maps(formula, *draw) for draw in passes.perturbed(parameters.stage)]
                stable |= torch.stack([unchanged(maps, each) for each in again]).all(0)
        yield Draft(maps, torch.full(maps.shape[:2], torch.nan), stable, 1, 1)

    return compute


def from_path(passes: Passes, parameters: PathParameters) -> Iterator[Draft]:
    """Integrated gradients."""
    return integrated_gradients(
        passes.network,
        passes.images,
        passes.findings,
        baseline=parameters.baseline,
        steps=parameters.steps,
        tolerance=parameters.tolerance,
    )
