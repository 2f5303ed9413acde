"""``METHODS``: the table of methods."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from cxrbench.errors import look_up
from cxrbench.explain.cam import grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, xgrad_cam
from cxrbench.explain.passes import from_formula, from_path
from cxrbench.explain.protocol import Method
from cxrbench.explain.validation import stage_name
from cxrbench.models import Classifier

__all__ = ["METHODS", "identical_by_construction", "method"]

_CAM_COST: Final = "one forward pass; one backward pass of the head per finding"


def _any_differentiable(model: Classifier) -> str | None:
    return None


def _has_stages(model: Classifier) -> str | None:
    """CAMs read a feature map."""
    return None if model.stages else f"{model.spec.name} names no feature map that a CAM could read"


METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        record.name: record
        for record in (
            Method(
                name="grad_cam",
                title="Grad-CAM",
                family="cam",
                compute=from_formula(grad_cam),
                reference="arXiv:1610.02391",
                cost=_CAM_COST,
                reads_stage=True,
                class_specific=True,
                supports=_has_stages,
                caveat="As coarse as the feature map; at earlier stages the mean gradient tells less.",
                same_when_pooled=True,
            ),
            Method(
                name="grad_cam_plus_plus",
                title="Grad-CAM++",
                family="cam",
                compute=from_formula(grad_cam_plus_plus),
                reference="arXiv:1710.11063",
                cost=_CAM_COST,
                reads_stage=True,
                class_specific=True,
                supports=_has_stages,
                caveat="Reads only gradients that raise the score; assumes non-negative activations.",
            ),
            Method(
                name="hires_cam",
                title="HiResCAM",
                family="cam",
                compute=from_formula(hires_cam),
                reference="arXiv:2011.08891",
                cost=_CAM_COST,
                reads_stage=True,
                class_specific=True,
                supports=_has_stages,
                caveat="At the last stage of a pooled network it is Grad-CAM; compare at an earlier one.",
                same_when_pooled=True,
            ),
            Method(
                name="xgrad_cam",
                title="XGrad-CAM",
                family="cam",
                compute=from_formula(xgrad_cam),
                reference="arXiv:2008.02312",
                cost=_CAM_COST,
                reads_stage=True,
                class_specific=True,
                supports=_has_stages,
                caveat="At the last stage of a pooled network it is Grad-CAM; signed activations may cancel.",
                same_when_pooled=True,
            ),
            Method(
                name="layer_cam",
                title="LayerCAM",
                family="cam",
                compute=from_formula(layer_cam),
                reference="doi:10.1109/TIP.2021.3089943",
                cost=_CAM_COST,
                reads_stage=True,
                class_specific=True,
                supports=_has_stages,
                caveat="Made for earlier, finer stages; reads only gradients that raise the score.",
            ),
            Method(
                name="integrated_gradients",
                title="Integrated gradients",
                family="gradient",
                compute=from_path,
                reference="arXiv:1703.01365",
                cost="one forward pass per step; one backward pass per step and finding",
                reads_stage=False,
                class_specific=True,
                supports=_any_differentiable,
                caveat="Depends on the baseline: pixels equal to it get no relevance. Reliable only where "
                "its completeness error is small.",
            ),
        )
    }
)


def method(name: str) -> Method:
    """The record of a method.

    Raises:
        InputError: an unknown name; the message lists the known ones.
    """
    return look_up("method", name, METHODS)


def identical_by_construction(
    model: Classifier, stage: str | int | None, methods: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    """Groups of methods that give the same map on this model at this stage.

    Where the head reads only the spatial mean of the last map, the gradient is spatially constant, and
    Grad-CAM, HiResCAM and XGrad-CAM are all Σ_k g_k·A_k.

    Returns:
        Groups of two or more names, in the order of ``methods``; empty if there is none.

    Raises:
        InputError: an unknown stage or method.
    """
    last = stage_name(model, stage) == model.stages[-1]
    same = tuple(name for name in dict.fromkeys(methods) if method(name).same_when_pooled)
    return (same,) if last and model.architecture.mean_pooled and len(same) > 1 else ()
