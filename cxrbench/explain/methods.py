"""``METHODS``: the table of methods."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from cxrbench.explain import controls, deep_lift, guided, perturbation, references, saliency
from cxrbench.explain.attention_records import ATTENTIONS
from cxrbench.explain.cam_records import CAMS, has_stages
from cxrbench.explain.locations import NIH_SIZE
from cxrbench.explain.passes import PathParameters, StageParameters, from_path
from cxrbench.explain.private_copy import rectifier_problem
from cxrbench.explain.protocol import ConfiguredMethod, Method, configure
from cxrbench.explain.sampling_records import SAMPLINGS
from cxrbench.explain.validation import stage_name
from cxrbench.models import Classifier

__all__ = ["METHODS", "configured_method", "identical_by_construction", "method"]


def _any_model(model: Classifier) -> str | None:
    return None


def _sees_whole_film(model: Classifier) -> str | None:
    """Priors are known for whole films, which are square."""
    departure = model.spec.preprocessing.departure((NIH_SIZE, NIH_SIZE))
    return f"it is known for whole square films, and this model sees {departure}" if departure else None


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
        passes=lambda findings, path: path.nodes * (1 + 2 * findings),
        parameters=PathParameters,
        caveat="Depends on the baseline: pixels equal to it get no relevance. Reliable only where "
        "its completeness error is small.",
    ),
    _gradient(
        name="twin_integrated_gradients",
        title="IG from the healthy twin",
        compute=references.twin_integrated_gradients,
        reference="arXiv:2308.06248",
        cost="one forward and one backward pass per step, for each finding that is present",
        passes=lambda findings, path: path.nodes * 3 * findings,
        parameters=references.TwinParameters,
        needs="twins",
        caveat="For phantoms only. Shows where the network reads this finding, not what else the score "
        "rests on; zero for findings that are absent.",
    ),
    _gradient(
        name="expected_gradients",
        title="Expected gradients",
        compute=references.expected_gradients,
        reference="arXiv:1906.10670",
        cost="one forward pass per sample; one backward pass per sample and finding",
        passes=lambda findings, parameters: parameters.samples * (1 + 2 * findings),
        parameters=references.ExpectedParameters,
        deterministic=False,
        caveat="The healthy films are other patients: their anatomy leaves traces in the map.",
    ),
    _gradient(
        name="grad_cam_integrated_gradients",
        title="Grad-CAM × IG",
        compute=saliency.grad_cam_times_integrated_gradients,
        reference="arXiv:1610.02391",
        cost="Grad-CAM and integrated gradients",
        passes=lambda findings, path: path.nodes * (1 + 2 * findings),
        supports=has_stages,
        parameters=saliency.GradCamPathParameters,
        caveat="Looks sharp where the coarse map is; what Grad-CAM misses is hidden.",
    ),
)

_GUIDED: Final = (
    _gradient(
        name="guided_backprop",
        title="Guided backpropagation",
        compute=guided.guided_backprop,
        reference="arXiv:1412.6806",
        cost="one forward pass; one backward pass per finding",
        passes=lambda findings, parameters: 1 + 2 * findings,
        supports=rectifier_problem,
        caveat="Sharp, but close to an edge detector: it changes little with the finding or the weights.",
    ),
    _gradient(
        name="deep_lift",
        title="DeepLIFT",
        compute=deep_lift.deep_lift,
        reference="arXiv:1704.02685",
        cost="one forward pass of image and baseline; one backward pass per finding",
        passes=lambda findings, parameters: 2 + 4 * findings,
        supports=deep_lift.rescale_problem,
        parameters=deep_lift.DeepLiftParameters,
        caveat="Depends on the baseline; its rule for ReLUs is one of several.",
    ),
    _gradient(
        name="guided_grad_cam",
        title="Guided Grad-CAM",
        compute=guided.guided_grad_cam,
        reference="arXiv:1610.02391",
        cost="Grad-CAM and guided backpropagation",
        passes=lambda findings, parameters: 2 + 2.05 * findings,
        supports=lambda model: has_stages(model) or rectifier_problem(model),
        parameters=StageParameters,
        caveat="Its detail is guided backpropagation's, which hardly depends on the finding; only the coarse "
        "weight does.",
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
    _control(
        name="lung_mask",
        title="Lung mask",
        compute=controls.lung_mask,
        cost="no pass of the network; one of the lung segmentation",
        passes=lambda findings, parameters: 1.0,
        class_specific=False,
        caveat="Does not look at the model; many findings lie in the lungs. Empty where none are found.",
    ),
    _control(
        name="location_prior",
        title="Location prior",
        compute=controls.location_prior,
        parameters=controls.LocationParameters,
        supports=_sees_whole_film,
        caveat="Never sees this film: where the finding lies on others. Zero for findings that they lack.",
    ),
)


def _by_name(*families: Iterable[Method]) -> Mapping[str, Method]:
    return MappingProxyType({record.name: record for family in families for record in family})


METHODS: Final = _by_name(CAMS, _GRADIENTS, _GUIDED, _PERTURBATIONS, SAMPLINGS, ATTENTIONS, _CONTROLS)


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
