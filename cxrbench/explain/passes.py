"""Passes through the network that the methods of one call share, computed once on first use."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cxrbench.explain.cam import Formula, cam_maps, feature_gradients
from cxrbench.explain.gradient import Draft, integrated_gradients
from cxrbench.explain.stability import perturbed, unchanged
from cxrbench.models import Classifier

__all__ = ["Compute", "Passes", "from_formula", "from_path"]


@dataclass(frozen=True)
class Passes:
    """A model, images and findings, with the passes through the network that methods share.

    Args:
        model: in eval mode.
        images: preprocessed, (B, C, H, W).
        findings: indices, (K,).
        stage: name of the stage whose feature map CAMs read.
        baseline: baseline of integrated gradients.
        steps: path points of integrated gradients.
    """

    model: Classifier
    images: Tensor
    findings: Tensor
    stage: str
    baseline: str = "black"
    steps: int = 50

    @cached_property
    def features(self) -> tuple[Tensor, Tensor]:
        """Activations (B, C, h, w) and gradients (B, K, C, h, w) of the stage."""
        return feature_gradients(self.model, self.images, self.findings, self.stage)

    @cached_property
    def perturbed(self) -> tuple[tuple[Tensor, Tensor], ...]:
        """The features with perturbations at the level of rounding, several times."""
        return tuple(perturbed(*self.features))


# The computation of a method: drafts (B, K, h, w) on its own grid, of which the last is final.
Compute = Callable[[Passes], Iterator[Draft]]


def from_formula(formula: Formula) -> Compute:
    """The computation of a method that is a formula on the shared activations and gradients: one draft."""

    def compute(passes: Passes) -> Iterator[Draft]:
        with torch.inference_mode(mode=False), torch.no_grad():
            maps = cam_maps(formula, *passes.features)
            unchanged_maps = [unchanged(maps, cam_maps(formula, *features)) for features in passes.perturbed]
            stable = torch.stack(unchanged_maps).all(0)
        yield Draft(maps, torch.full(maps.shape[:2], torch.nan), stable, 1, 1)

    return compute


def from_path(passes: Passes) -> Iterator[Draft]:
    """Integrated gradients with the baseline and steps of the passes."""
    return integrated_gradients(
        passes.model, passes.images, passes.findings, baseline=passes.baseline, steps=passes.steps
    )
