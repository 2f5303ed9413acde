"""Finer-CAM: why this finding rather than that one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from cxrbench.explain.cam import cam_maps, grad_cam, gradients_at
from cxrbench.explain.gradient import Draft
from cxrbench.explain.parameters import finding, number
from cxrbench.explain.passes import MapPair, Passes, StageParameters
from cxrbench.explain.stability import unchanged
from cxrbench.labels import canonical, finding_slug
from cxrbench.models import Classifier

__all__ = ["FinerParameters", "closest_findings", "comparison", "comparison_problem", "finer_cam"]

_CLOSEST: Final = "closest"


@dataclass(frozen=True)
class FinerParameters(StageParameters):
    """Of Finer-CAM."""

    other: str = finding(
        _CLOSEST,
        "The finding that is compared with; closest: the one whose weights in the last layer are most alike.",
    )
    strength: float = number(
        1.0, 0.0, 2.0, "How much of the other finding's logit is subtracted; 0 gives Grad-CAM."
    )


def finer_cam(passes: Passes, parameters: FinerParameters) -> Iterator[Draft]:
    """Grad-CAM of y_c − α·y_d, the finding's logit less that of another: Σ_k ⟨g_k(c) − α·g_k(d)⟩ · A_k.

    By linearity this is Grad-CAM of c less α times Grad-CAM of d, before any ReLU. The paper compares with
    the classes whose logits on the image are nearest. Logits of independent findings may be near for no other
    reason than that both are absent, so ``closest`` compares weights instead (``closest_findings``).

    Reference: Zhang et al. 2025, arXiv:2501.11309.
    """
    findings = passes.findings.tolist()
    others = _others(passes.model, findings, parameters.other)
    with torch.inference_mode(mode=False), torch.no_grad():
        features = passes.features(parameters.stage)
        subtracted = parameters.strength * _gradients_of(passes, parameters.stage, others)
        maps = cam_maps(grad_cam, features[0], features[1] - subtracted)
        stable = [
            unchanged(maps, cam_maps(grad_cam, activations, gradients - subtracted))
            for activations, gradients in passes.perturbed(parameters.stage)
        ]
        # A finding less itself is a multiple of its gradient, where noise on one of them is none on both.
        itself = torch.tensor([index == other for index, other in zip(findings, others, strict=True)])
    yield Draft(maps, torch.full(maps.shape[:2], torch.nan), torch.stack(stable).all(0) | itself, 1, 1)


def closest_findings(model: Classifier) -> list[int]:
    """For each label the other whose weights in the last layer have the largest cosine with its own.

    Returns:
        One index per label, in the order of the logits; none of an untrained output (label "").
    """
    weights = _linear_layers(model)[-1].weight.detach().double()
    unit = weights / weights.norm(dim=1, keepdim=True).clamp(min=torch.finfo(weights.dtype).tiny)
    cosines = unit @ unit.T
    cosines.fill_diagonal_(-torch.inf)
    unnamed = [index for index, label in enumerate(model.spec.labels) if not label]
    cosines[:, unnamed] = -torch.inf
    closest: list[int] = cosines.argmax(1).tolist()
    return closest


def comparison(model: Classifier, index: int, parameters: FinerParameters) -> str:
    """Which finding another one is compared with, in words; "" where the method's title says it."""
    (other,) = _others(model, [index], parameters.other)
    if other == index:
        return "compared with itself: only the difference of the strengths is left"
    name = canonical(model.spec.labels[other])
    return f"compared with {name}, whose weights are most alike" if parameters.other == _CLOSEST else ""


def comparison_problem(model: Classifier) -> str | None:
    """Why the findings of a model cannot be compared; None where they can."""
    if sum(map(bool, model.spec.labels)) < 2:
        return f"{model.spec.name} predicts one finding, and there is no other to compare it with"
    layers = _linear_layers(model)
    if not layers or layers[-1].out_features != len(model.spec.labels):
        return f"the last layer of {model.spec.name} is not linear, so that its findings have no weights"
    return None


def _others(model: Classifier, findings: list[int], other: str) -> list[int]:
    if other == _CLOSEST:
        closest = closest_findings(model)
        return [closest[each] for each in findings]
    slugs = [finding_slug(label) for label in model.spec.labels]
    return [slugs.index(other)] * len(findings)


def _gradients_of(passes: Passes, stage: int, findings: list[int]) -> Tensor:
    """Gradients (B, K, C, h, w) of findings, of which those that the call explains are there already."""
    explained = passes.findings.tolist()
    known = dict(zip(explained, passes.features(stage)[1].unbind(1), strict=True))
    missing = sorted(set(findings) - set(explained))
    if missing:
        pair: MapPair = gradients_at(passes.network, passes.trunk(stage), missing)
        known |= dict(zip(missing, pair[1].unbind(1), strict=True))
    return torch.stack([known[each] for each in findings]).transpose(0, 1)


def _linear_layers(model: Classifier) -> list[nn.Linear]:
    """Its linear layers, in the order in which they were made."""
    return [part for part in model.modules() if isinstance(part, nn.Linear)]
