"""``METHODS``: the table of methods."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from cxrbench.explain import channels, controls, perturbation, saliency
from cxrbench.explain.cam import grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, xgrad_cam
from cxrbench.explain.parameters import NoParameters
from cxrbench.explain.passes import PathParameters, StageParameters, from_formula, from_path
from cxrbench.explain.protocol import ConfiguredMethod, Method, configure
from cxrbench.explain.validation import stage_name
from cxrbench.models import Classifier

__all__ = ["METHODS", "configured_method", "identical_by_construction", "method"]

_CHANNELS: Final = (
    1000  # of the last feature map, roughly: methods that visit each channel take that many passes
)


def _any_model(model: Classifier) -> str | None:
    return None


def _has_stages(model: Classifier) -> str | None:
    """CAMs read a feature map."""
    return None if model.stages else f"{model.spec.name} names no feature map that a CAM could read"


def _pools(model: Classifier) -> str | None:
    """Plain CAM needs a head that reads the mean of the last feature map."""
    if problem := _has_stages(model):
        return problem
    return None if model.architecture.mean_pooled else "its head does not read the mean of a feature map"


def _head_passes(findings: int, parameters: StageParameters) -> float:
    """The trunk once, and the head's few layers back once per finding; more of them at earlier stages."""
    return 1 + 0.05 * findings * (1 + 4 * parameters.stage)


_cam = partial(
    Method,
    family="cam",
    cost="one forward pass; one backward pass of the head per finding",
    supports=_has_stages,
    parameters=StageParameters,
    passes=_head_passes,
    signed=False,
    shares_passes=True,
)
_features = partial(Method, family="cam", supports=_has_stages, parameters=StageParameters, signed=False)
_gradient = partial(Method, family="gradient", supports=_any_model)
_perturbation = partial(Method, family="perturbation", supports=_any_model)
_control = partial(
    Method,
    family="control",
    supports=_any_model,
    reference="",
    cost="no pass of the network",
    passes=lambda findings, parameters: 0.0,
    signed=False,
)

_CAMS: Final = (
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
        compute=from_formula(grad_cam_plus_plus),
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
)

_GRADIENTS: Final = (
    _gradient(
        name="saliency",
        title="Saliency",
        compute=saliency.saliency,
        reference="arXiv:1312.6034",
        cost="one forward pass; one backward pass per finding",
        passes=lambda findings, parameters: 1 + 2 * findings,
        signed=False,
        caveat="Noisy; shows how much the score reacts to a pixel, and not in which direction.",
    ),
    _gradient(
        name="input_times_gradient",
        title="Input × gradient",
        compute=saliency.input_times_gradient,
        reference="arXiv:1605.01713",
        cost="one forward pass; one backward pass per finding",
        passes=lambda findings, parameters: 1 + 2 * findings,
        caveat="Black pixels get no relevance; a saturated score has no gradient.",
    ),
    _gradient(
        name="smooth_grad",
        title="SmoothGrad",
        compute=saliency.smooth_grad,
        reference="arXiv:1706.03825",
        cost="as Saliency, per noisy copy of the image",
        passes=lambda findings, noise: noise.samples * (1 + 2 * findings),
        parameters=saliency.NoiseParameters,
        deterministic=False,
        caveat="Explains noisy copies of the image, which the network never saw in training.",
    ),
    _gradient(
        name="var_grad",
        title="VarGrad",
        compute=saliency.var_grad,
        reference="arXiv:1810.03292",
        cost="as Saliency, per noisy copy of the image",
        passes=lambda findings, noise: noise.samples * (1 + 2 * findings),
        parameters=saliency.NoiseParameters,
        deterministic=False,
        signed=False,
        caveat="Shows where the gradient is unsteady, which need not be where the score comes from.",
    ),
    _gradient(
        name="integrated_gradients",
        title="Integrated gradients",
        compute=from_path,
        reference="arXiv:1703.01365",
        cost="one forward pass per step; one backward pass per step and finding",
        passes=lambda findings, path: path.steps * (1 + 2 * findings),
        parameters=PathParameters,
        caveat="Depends on the baseline: pixels equal to it get no relevance. Reliable only where "
        "its completeness error is small.",
    ),
    _gradient(
        name="grad_cam_integrated_gradients",
        title="Grad-CAM × IG",
        compute=saliency.grad_cam_times_integrated_gradients,
        reference="arXiv:1610.02391",
        cost="Grad-CAM and integrated gradients",
        passes=lambda findings, path: path.steps * (1 + 2 * findings),
        supports=_has_stages,
        parameters=saliency.GradCamPathParameters,
        caveat="Looks sharp where the coarse map is; what Grad-CAM misses is hidden.",
    ),
)

_PERTURBATIONS: Final = (
    _perturbation(
        name="occlusion",
        title="Occlusion",
        compute=perturbation.occlusion,
        reference="arXiv:1311.2901",
        cost="one forward pass per position of the square, shared by all findings",
        passes=lambda findings, parameters: (224 / parameters.stride) ** 2,
        parameters=perturbation.OcclusionParameters,
        caveat="The square itself is unusual for the network; findings larger than it are underestimated.",
    ),
    _perturbation(
        name="rise",
        title="RISE",
        compute=perturbation.rise,
        reference="arXiv:1806.07421",
        cost="one forward pass per mask, shared by all findings",
        passes=lambda findings, parameters: parameters.masks,
        parameters=perturbation.RiseParameters,
        deterministic=False,
        caveat="Grainy with few masks; masked images are unusual for the network.",
    ),
)

_CONTROLS: Final = (
    _control(
        name="random",
        title="Random",
        compute=controls.random_map,
        parameters=controls.RandomParameters,
        deterministic=False,
        caveat="Does not look at the image or the model.",
    ),
    _control(
        name="centred_gaussian",
        title="Centred Gaussian",
        compute=controls.centred_gaussian,
        parameters=controls.GaussianParameters,
        class_specific=False,
        caveat="Does not look at the image or the model; findings are often near the centre.",
    ),
    _control(
        name="edges",
        title="Edges (Sobel)",
        compute=controls.edges,
        class_specific=False,
        caveat="Does not look at the model: fine maps that resemble it may show the image, not the decision.",
    ),
)


def _by_name(*families: Iterable[Method]) -> Mapping[str, Method]:
    return MappingProxyType({record.name: record for family in families for record in family})


METHODS: Final = _by_name(_CAMS, _GRADIENTS, _PERTURBATIONS, _CONTROLS)


def configured_method(key: str, **shared: object) -> ConfiguredMethod:
    """A method with its parameters: ``grad_cam``, ``grad_cam(stage=1)``.

    Args:
        key: name of a method, with parameters in parentheses.
        shared: parameters for methods that have them and do not state their own.

    Raises:
        InputError: an unknown method (the message lists the known ones) or parameter, or an invalid value.
    """
    return configure(key, METHODS, shared)


def method(key: str) -> Method:
    """The record of a method, with or without parameters.

    Raises:
        InputError: as in ``configured_method``.
    """
    return configured_method(key).record


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
