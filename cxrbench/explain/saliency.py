"""Gradients of the logit with respect to the image: saliency, input × gradient, averages over noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from cxrbench.explain.cam import cam_maps, grad_cam, logit_gradient
from cxrbench.explain.display import heatmap, upsample
from cxrbench.explain.gradient import Draft, draft_of, integrated_gradients
from cxrbench.explain.parameters import number, option, whole
from cxrbench.explain.passes import Passes, PathParameters, StageParameters
from cxrbench.models import Classifier

__all__ = [
    "GradCamPathParameters",
    "NoiseParameters",
    "grad_cam_times_integrated_gradients",
    "image_gradients",
    "input_times_gradient",
    "saliency",
    "smooth_grad",
    "var_grad",
]

_CHUNK: Final = 10  # noisy images per forward pass, as many as path points of integrated gradients


@dataclass(frozen=True)
class NoiseParameters:
    """Of SmoothGrad and VarGrad."""

    samples: int = whole(25, 1, 500, "Noisy copies of the image; the last one is without noise.")
    noise: float = number(
        0.1, 0.0, 1.0, "Standard deviation of the noise, as a fraction of the image's range of values."
    )
    of: str = option(
        "gradient",
        ("gradient", "input_times_gradient"),
        "What is averaged: the gradient, or the gradient times the image.",
    )
    seed: int = whole(0, 0, 999_999, "Of the noise; the same seed gives the same map.")


@dataclass(frozen=True)
class GradCamPathParameters(PathParameters, StageParameters):
    """Of Grad-CAM × integrated gradients."""


def saliency(passes: Passes, parameters: object) -> Iterator[Draft]:
    """|∂y/∂x|, summed over channels: how much the logit reacts to each pixel, whatever the direction.

    Reference: Simonyan et al. 2014, arXiv:1312.6034.
    """
    yield draft_of(_gradients(passes, passes.plain_images).abs().sum(2).transpose(0, 1))


def input_times_gradient(passes: Passes, parameters: object) -> Iterator[Draft]:
    """X ⊙ ∂y/∂x with x measured from black, summed over channels.

    The image is measured from black and not from the zero of the network's normalisation, which is a grey:
    else pixels of that grey would get no relevance.

    Reference: Shrikumar et al. 2016, arXiv:1605.01713.
    """
    images = passes.plain_images
    yield draft_of((_gradients(passes, images) * _from_black(passes, images)).sum(2).transpose(0, 1))


def smooth_grad(passes: Passes, parameters: NoiseParameters) -> Iterator[Draft]:
    """The mean of the gradient over noisy copies of the image.

    Reference: Smilkov et al. 2017, arXiv:1706.03825.
    """
    total, done = torch.zeros(()), 0
    for values in _noisy_gradients(passes, parameters):
        total = total + values.sum(0)
        done += len(values)
        yield draft_of((total / done).transpose(0, 1), done=done, total=parameters.samples)


def var_grad(passes: Passes, parameters: NoiseParameters) -> Iterator[Draft]:
    """The variance of the gradient over noisy copies of the image; zero with one sample.

    Reference: Adebayo et al. 2018, arXiv:1810.03292.
    """
    # Welford's update: a difference of two large sums would lose the small variances.
    mean, squares, done = torch.zeros(()), torch.zeros(()), 0
    for values in _noisy_gradients(passes, parameters):
        for value in values:
            done += 1
            change = value - mean
            mean = mean + change / done
            squares = squares + change * (value - mean)
        yield draft_of((squares / done).transpose(0, 1), done=done, total=parameters.samples)


def grad_cam_times_integrated_gradients(passes: Passes, parameters: GradCamPathParameters) -> Iterator[Draft]:
    """Integrated gradients, each pixel weighted by Grad-CAM enlarged and scaled to [0, 1].

    The fine map keeps its sign and is restricted to the region where the coarse one is positive; completeness
    is lost.

    Reference: as guided Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391), with integrated gradients in the
    place of guided backpropagation.
    """
    coarse = cam_maps(grad_cam, *passes.features(parameters.stage))
    drafts = integrated_gradients(
        passes.network,
        passes.images,
        passes.findings,
        baseline=parameters.baseline,
        steps=parameters.steps,
        tolerance=parameters.tolerance,
    )
    with torch.inference_mode(mode=False), torch.no_grad():
        size = tuple(passes.images.shape[2:])
        # Enlarged one by one, so that a finding has the bits that it has alone.
        weights = torch.cat([heatmap(upsample(one, size)) for one in coarse.split(1, dim=1)], dim=1)
    for draft in drafts:
        with torch.inference_mode(mode=False), torch.no_grad():
            maps = draft.maps * weights
        yield draft_of(maps, done=draft.done, total=draft.total)


def image_gradients(model: Classifier, findings: Sequence[int], images: Tensor) -> Tensor:
    """Gradients of the findings' logits with respect to images (N, C, H, W): (K, N, C, H, W)."""
    with torch.inference_mode(mode=False):
        leaf = images.detach().to(memory_format=torch.channels_last).requires_grad_()
        with torch.enable_grad():
            logits = model(leaf)
        return torch.stack([logit_gradient(logits, index, leaf).contiguous() for index in findings])


def _gradients(passes: Passes, images: Tensor) -> Tensor:
    return image_gradients(passes.network, passes.findings.tolist(), images)


def _noisy_gradients(passes: Passes, parameters: NoiseParameters) -> Iterator[Tensor]:
    """What is averaged, for some noisy copies at a time: (n, K, B, H, W).

    The noise is the same for every image of a batch, so that each has the map that it has alone.
    """
    images = passes.plain_images
    random = torch.Generator().manual_seed(parameters.seed)
    spread = parameters.noise * (images.amax((1, 2, 3)) - images.amin((1, 2, 3))).view(-1, 1, 1, 1)
    size = max(1, _CHUNK // len(images))
    for start in range(0, parameters.samples, size):
        with torch.inference_mode(mode=False):
            copies = [
                images
                if number == parameters.samples - 1
                else images + spread * torch.randn(images.shape[1:], generator=random).to(images)
                for number in range(start, min(start + size, parameters.samples))
            ]
            noisy = torch.cat(copies)
            gradients = _gradients(passes, noisy)
            if parameters.of == "input_times_gradient":
                gradients = gradients * _from_black(passes, noisy)
            values = gradients.sum(2).unflatten(1, (len(copies), len(images)))
        yield values.transpose(0, 1)


def _from_black(passes: Passes, images: Tensor) -> Tensor:
    preprocessing = passes.model.spec.preprocessing
    return images - (0 - preprocessing.mean) / preprocessing.std
