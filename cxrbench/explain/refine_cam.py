"""RefineCAM: maps of several stages multiplied, as fine as the finest of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from cxrbench.explain.cam import (
    Formula,
    cam_maps,
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
    xgrad_cam,
)
from cxrbench.explain.display import heatmap, upsample
from cxrbench.explain.gradient import Draft
from cxrbench.explain.parameters import option, whole
from cxrbench.explain.passes import MapPair, Passes
from cxrbench.explain.stability import unchanged

__all__ = ["RefineParameters", "refine_cam", "refined"]

_FORMULAS: Final[Mapping[str, Formula]] = {
    "grad_cam_plus_plus": grad_cam_plus_plus,
    "grad_cam": grad_cam,
    "hires_cam": hires_cam,
    "xgrad_cam": xgrad_cam,
    "layer_cam": layer_cam,
}


@dataclass(frozen=True)
class RefineParameters:
    """Of RefineCAM."""

    stages: int = whole(10, 1, 10, "At most so many stages are multiplied, the last ones.")
    base: str = option(
        "grad_cam_plus_plus",
        tuple(_FORMULAS),
        "The class activation map that is computed at every stage.",
    )


def refine_cam(passes: Passes, parameters: RefineParameters) -> Iterator[Draft]:
    """∏_s N(relu(M_s)), M_s the CAM of stage s; N enlarges to the finest grid and divides by the maximum.

    The last stage says where the finding is, the earlier ones refine its border: a cell is bright where every
    stage is. Where the map of any stage is nowhere positive the product is empty.

    Reference: Domeniconi et al. 2026, arXiv:2605.14641, with Grad-CAM++ at every stage.
    """
    stages = list(passes.model.stages)[-parameters.stages :]
    formula = _FORMULAS[parameters.base]
    with torch.inference_mode(mode=False), torch.no_grad():
        maps = refined(formula, [passes.features(stage) for stage in stages])
        draws = zip(*(passes.perturbed(stage) for stage in stages), strict=True)
        stable = [unchanged(maps, refined(formula, list(draw))) for draw in draws]
    yield Draft(maps, torch.full(maps.shape[:2], torch.nan), torch.stack(stable).all(0), 1, 1)


def refined(formula: Formula, features: list[MapPair]) -> Tensor:
    """The product of the maps of several stages, (B, K, h, w) on the finest grid, in [0, 1].

    Args:
        formula: of the class activation map.
        features: per stage, activations (B, C, h, w) and gradients (B, K, C, h, w).
    """
    maps = [cam_maps(formula, *each) for each in features]
    finest = max((tuple(each.shape[2:]) for each in maps), key=lambda grid: grid[0] * grid[1])
    product = torch.ones(())
    for each in maps:
        positive = each.clamp(min=0)
        # Enlarged one by one, so that a finding has the bits that it has alone.
        enlarged = torch.cat([upsample(one, finest) for one in positive.split(1, dim=1)], dim=1)
        product = product * heatmap(enlarged)
    return product
