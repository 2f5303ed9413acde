"""The class activation maps in ``METHODS``."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from cxrbench.explain import channels
from cxrbench.explain.cam import (
    Formula,
    grad_cam,
    grad_cam_plus_plus,
    hires_cam,
    layer_cam,
    normalised_grad_cam_plus_plus,
    xgrad_cam,
)
from cxrbench.explain.finer_cam import FinerParameters, comparison, comparison_problem, finer_cam
from cxrbench.explain.parameters import NoParameters, option
from cxrbench.explain.passes import StageParameters, from_formula, from_formulas
from cxrbench.explain.protocol import Method
from cxrbench.explain.refine_cam import RefineParameters, refine_cam
from cxrbench.models import Classifier

__all__ = ["CAMS", "has_stages"]

# Form of Grad-CAM++ → its formula.
_PLUS_PLUS: Final[Mapping[str, Formula]] = MappingProxyType(
    {"paper": grad_cam_plus_plus, "normalised": normalised_grad_cam_plus_plus}
)


@dataclass(frozen=True)
class PlusPlusParameters(StageParameters):
    """Of Grad-CAM++."""

    form: str = option(
        "paper",
        tuple(_PLUS_PLUS),
        "Weights of the channels: equation 19 of the paper, or as in the program of its authors, which "
        "divides the α of a channel by their sum.",
    )


_CHANNELS: Final = (
    1000  # of the last feature map, roughly: methods that visit each channel take that many passes
)


def has_stages(model: Classifier) -> str | None:
    """CAMs read a feature map."""
    return None if model.stages else f"{model.spec.name} names no feature map that a CAM could read"


def _pools(model: Classifier) -> str | None:
    """Plain CAM needs a head that reads the mean of the last feature map."""
    if problem := has_stages(model):
        return problem
    return None if model.architecture.mean_pooled else "its head does not read the mean of a feature map"


def _compares(model: Classifier) -> str | None:
    """Finer-CAM needs a second finding."""
    return has_stages(model) or comparison_problem(model)


def _head_passes(findings: int, parameters: StageParameters) -> float:
    """The trunk once, and the head's few layers back once per finding; more of them at earlier stages."""
    return 1 + 0.05 * findings * (1 + 4 * parameters.stage)


_cam = partial(
    Method,
    family="cam",
    cost="one forward pass; one backward pass of the head per finding",
    supports=has_stages,
    parameters=StageParameters,
    passes=_head_passes,
    signed=False,
    shares_passes=True,
)
_features = partial(Method, family="cam", supports=has_stages, parameters=StageParameters, signed=False)

CAMS: Final = (
    _cam(
        name="grad_cam",
        title="Grad-CAM",
        compute=from_formula(grad_cam),
        reference="arXiv:1610.02391",
        caveat="As coarse as the feature map; at earlier stages the mean gradient tells less.",
        same_when_pooled=True,
    ),
    _cam(
        name="grad_cam_plus_plus",
        title="Grad-CAM++",
        compute=from_formulas(lambda parameters: _PLUS_PLUS[parameters.form]),
        parameters=PlusPlusParameters,
        reference="arXiv:1710.11063",
        caveat="Reads only gradients that raise the score; assumes non-negative activations.",
    ),
    _cam(
        name="hires_cam",
        title="HiResCAM",
        compute=from_formula(hires_cam),
        reference="arXiv:2011.08891",
        caveat="At the last stage of a pooled network it is Grad-CAM; compare at an earlier one.",
        same_when_pooled=True,
    ),
    _cam(
        name="xgrad_cam",
        title="XGrad-CAM",
        compute=from_formula(xgrad_cam),
        reference="arXiv:2008.02312",
        caveat="At the last stage of a pooled network it is Grad-CAM; signed activations may cancel.",
        same_when_pooled=True,
    ),
    _cam(
        name="layer_cam",
        title="LayerCAM",
        compute=from_formula(layer_cam),
        reference="doi:10.1109/TIP.2021.3089943",
        caveat="Made for earlier, finer stages; reads only gradients that raise the score.",
    ),
    _cam(
        name="cam",
        title="CAM",
        compute=channels.plain_cam,
        reference="arXiv:1512.04150",
        supports=_pools,
        parameters=NoParameters,
        passes=lambda findings, parameters: 1 + 0.05 * findings,
        caveat="Defined at the last stage of pooled networks only, where it equals Grad-CAM.",
        same_when_pooled=True,
    ),
    _features(
        name="eigen_cam",
        title="Eigen-CAM",
        compute=channels.eigen_cam,
        reference="arXiv:2008.00299",
        cost="one forward pass",
        passes=lambda findings, parameters: 1.0,
        class_specific=False,
        caveat="Not specific to a finding: the main pattern of the feature map, whatever the score.",
    ),
    _features(
        name="score_cam",
        title="Score-CAM",
        compute=channels.score_cam,
        reference="arXiv:1910.01279",
        cost="one forward pass per channel of the feature map, shared by all findings",
        passes=lambda findings, parameters: min(parameters.channels, _CHANNELS),
        parameters=channels.ChannelParameters,
        caveat="Its softmax is nearly uniform where logits differ little: maps of findings look alike.",
    ),
    _features(
        name="ablation_cam",
        title="Ablation-CAM",
        compute=channels.ablation_cam,
        reference="doi:10.1109/WACV45572.2020.9093360",
        cost="one pass of the head per channel of the feature map, shared by all findings",
        passes=lambda findings, parameters: (
            min(parameters.channels, _CHANNELS) * 0.02 * (1 + 4 * parameters.stage)
        ),
        parameters=channels.ChannelParameters,
        caveat="A channel that others can replace gets little weight; strong activations count twice.",
    ),
    _features(
        name="recipro_cam",
        title="Recipro-CAM",
        compute=channels.recipro_cam,
        reference="arXiv:2209.14074",
        cost="one pass of the head per cell of the feature map, shared by all findings",
        passes=lambda findings, parameters: 50 * 0.02 * 4**parameters.stage,
        parameters=channels.ReciproParameters,
        caveat="Shows the head single cells, which it never saw in training.",
    ),
    _cam(
        name="finer_cam",
        title="Finer-CAM",
        compute=finer_cam,
        reference="arXiv:2501.11309",
        cost="one forward pass; one backward pass of the head per finding and per finding compared with",
        supports=_compares,
        parameters=FinerParameters,
        remark=comparison,
        passes=lambda findings, parameters: 2 * _head_passes(findings, parameters) - 1,
        caveat="Answers another question: why this finding rather than that one; shared evidence is removed.",
    ),
    _cam(
        name="refine_cam",
        title="RefineCAM",
        compute=refine_cam,
        reference="arXiv:2605.14641",
        cost="one forward pass to each stage; one backward pass to each stage per finding",
        parameters=RefineParameters,
        passes=lambda findings, parameters: min(parameters.stages, 4) * (0.6 + 0.5 * findings),
        caveat="What one stage misses is lost; fine borders are those of earlier stages, which know less.",
    ),
)
