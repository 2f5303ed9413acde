"""DeepLIFT: differences from a baseline image, passed back through a network of ReLUs and max pools.

Captum's DeepLift sets hooks, warns on every call and runs the network again for each finding. Here the
modules of a private copy are replaced, image and baseline run as one batch, and findings share that pass.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cxrbench.explain.cam import logit_gradient
from cxrbench.explain.gradient import Draft, baseline_images, draft_of
from cxrbench.explain.parameters import option
from cxrbench.explain.passes import Passes
from cxrbench.explain.private_copy import called_operators, private_copy, replace_modules
from cxrbench.models import Classifier

__all__ = ["DeepLiftParameters", "deep_lift", "rescale_problem"]

_SMALLEST: Final = 1e-10  # a smaller difference of inputs counts as none, as in captum

# Operators that are linear, or that batch norms in eval mode are made of.
_ALLOWED: Final = frozenset(
    {
        "replaced_module",
        "convolution",
        "addmm",
        "mm",
        "add",
        "add_",
        "sub",
        "mean",
        "avg_pool2d",
        "_adaptive_avg_pool2d",
        "cat",
        "native_batch_norm",
        "_native_batch_norm_legit_no_training",
        "cudnn_batch_norm",
        "view",
        "_unsafe_view",
        "_reshape_alias",
        "permute",
        "transpose",
        "t",
        "clone",
        "detach",
        "slice",
        "select",
        "expand",
        "squeeze",
        "unsqueeze",
        "alias",
        "constant_pad_nd",
        "empty",
        "zeros_like",
    }
)
_PROBLEMS: WeakKeyDictionary[nn.Module, str | None] = WeakKeyDictionary()


@dataclass(frozen=True)
class DeepLiftParameters:
    """Of DeepLIFT."""

    baseline: str = option(
        "black", ("black", "mean", "blur"), "The image that is compared with; pixels equal to it get nothing."
    )


def deep_lift(passes: Passes, parameters: DeepLiftParameters) -> Iterator[Draft]:
    """The rescale rule: a ReLU passes on the difference of its outputs ÷ that of its inputs, from x′ to x.

    The map is (x − x′) ⊙ that multiplier, and sums to y(x) − y(x′). A max pool hands the difference to the
    places of its maxima; where its windows overlap, the parts are added (captum keeps one of them).

    Reference: Shrikumar et al. 2017, arXiv:1704.02685.
    """
    images = passes.plain_images
    start = baseline_images(passes.model, images, parameters.baseline)
    model = private_copy(passes.model)
    replace_modules(model, nn.ReLU, lambda _: _RescaledReLU())
    replace_modules(model, nn.MaxPool2d, _RescaledMaxPool)
    with torch.inference_mode(mode=False):
        leaf = torch.cat([images, start]).to(memory_format=torch.channels_last).requires_grad_()
        with torch.enable_grad():
            logits = model(leaf)
        maps, findings = [], passes.findings.tolist()
        with torch.no_grad():
            for index in findings:
                multipliers = logit_gradient(logits, index, leaf)[: len(images)]
                maps.append((multipliers * (images - start)).sum(1))
            above, below = logits[:, findings].chunk(2)
            rise, found = above - below, torch.stack(maps, 1)
            error = (found.double().sum((2, 3)) - rise) / rise.abs()
            yield draft_of(found, error.where(rise != 0, torch.nan))


def rescale_problem(model: Classifier) -> str | None:
    """Why the rule does not cover a model; None where all but its ReLU and max pool modules is linear.

    Found by running a copy without data, once per model, and not from a list of networks.
    """
    if model not in _PROBLEMS:
        counts = called_operators(model, (nn.ReLU, nn.MaxPool2d))
        others = sorted(name.strip("_") for name in counts if name not in _ALLOWED)
        _PROBLEMS[model] = (
            "its rule covers linear layers and the modules ReLU and MaxPool2d, and this network also "
            f"computes {', '.join(others[:4])}"
            if others
            else None
        )
    return _PROBLEMS[model]


class _RescaledReLU(nn.Module):
    """A ReLU of the batch (images, baselines)."""

    def forward(self, values: Tensor) -> Tensor:
        rectified: Tensor = _Rescale.apply(values)
        return rectified


class _RescaledMaxPool(nn.Module):
    """A max pool of the batch (images, baselines)."""

    def __init__(self, pool: Any) -> None:
        super().__init__()
        self.options = {
            "kernel_size": pool.kernel_size,
            "stride": pool.stride,
            "padding": pool.padding,
            "dilation": pool.dilation,
            "ceil_mode": pool.ceil_mode,
        }

    def forward(self, values: Tensor) -> Tensor:
        pooled: Tensor = _RescalePool.apply(values, self.options)
        return pooled


class _Rescale(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        context.save_for_backward(values)
        return values.relu()

    @staticmethod
    def backward(context: Any, multiplier: Tensor) -> Tensor:
        (values,) = context.saved_tensors
        image, baseline = values.chunk(2)
        change = image - baseline
        slope = (image.relu() - baseline.relu()) / change
        slope = torch.where(change.abs() < _SMALLEST, (image > 0).to(slope), slope)
        passed = multiplier.chunk(2)[0] * slope
        return torch.cat([passed, torch.zeros_like(passed)])


class _RescalePool(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor, options: dict[str, Any]) -> Tensor:
        pooled, places = F.max_pool2d(values, **options, return_indices=True)
        context.save_for_backward(values, pooled, places)
        return pooled

    @staticmethod
    def backward(context: Any, multiplier: Tensor) -> tuple[Tensor, None]:
        values, pooled, places = context.saved_tensors
        (image, baseline), (high, low) = values.chunk(2), pooled.chunk(2)
        top, weight = torch.maximum(high, low), multiplier.chunk(2)[0]
        # What is above the baseline's maximum goes to the image's place, what is below to the baseline's.
        handed = torch.zeros_like(image).flatten(2)
        for part, place in zip((top - low, high - top), places.chunk(2), strict=True):
            handed = handed.scatter_add(2, place.flatten(2), (weight * part).flatten(2))
        change = image - baseline
        passed = torch.where(change.abs() < _SMALLEST, 0.0, handed.view_as(image) / change)
        return torch.cat([passed, torch.zeros_like(passed)]), None
