"""LIME and the methods named after Shapley values in ``METHODS``."""

from functools import partial
from typing import Final

from cxrbench.explain import gradient_shap, superpixels
from cxrbench.explain.protocol import Method

__all__ = ["SAMPLINGS"]

_sampling = partial(Method, supports=lambda model: None, deterministic=False)

SAMPLINGS: Final = (
    _sampling(
        name="gradient_shap",
        title="GradientSHAP",
        family="gradient",
        compute=gradient_shap.gradient_shap,
        reference="arXiv:1705.07874",
        cost="one forward pass per sample; one backward pass per sample and finding",
        passes=lambda findings, parameters: parameters.samples * (1 + 2 * findings),
        parameters=gradient_shap.GradientShapParameters,
        caveat="Integrated gradients at random points: depends on the baseline, and on the seed as well.",
    ),
    _sampling(
        name="lime",
        title="LIME",
        family="perturbation",
        compute=superpixels.lime,
        reference="arXiv:1602.04938",
        cost="one forward pass per sample, shared by all findings",
        passes=lambda findings, parameters: parameters.samples,
        parameters=superpixels.LimeParameters,
        caveat="No finer than its superpixels; images of which half is hidden are unusual for the network.",
    ),
    _sampling(
        name="kernel_shap",
        title="KernelSHAP",
        family="perturbation",
        compute=superpixels.kernel_shap,
        reference="arXiv:1705.07874",
        cost="one forward pass per sample, shared by all findings",
        passes=lambda findings, parameters: parameters.samples,
        parameters=superpixels.KernelShapParameters,
        caveat="No finer than its superpixels; with few samples single values are random; their sum is not.",
    ),
)
