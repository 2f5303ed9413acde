"""CAMs without gradients: plain CAM, Eigen-CAM, Score-CAM, Ablation-CAM, Recipro-CAM.

Score-CAM changes the image, Ablation-CAM and Recipro-CAM change the feature map and run the head alone. All
findings share the forward passes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from cxrbench.explain.cam import cam_maps, hires_cam, weighted_sum
from cxrbench.explain.display import upsample
from cxrbench.explain.gradient import Draft, draft_of
from cxrbench.explain.parameters import option, whole
from cxrbench.explain.passes import Passes, StageParameters

__all__ = [
    "ChannelParameters",
    "ReciproParameters",
    "ablation_cam",
    "eigen_cam",
    "plain_cam",
    "recipro_cam",
    "score_cam",
]

_CHUNK: Final = 16  # changed images, or changed feature maps, per forward pass


@dataclass(frozen=True)
class ReciproParameters(StageParameters):
    """Of Recipro-CAM."""

    mask: str = option(
        "gaussian",
        ("gaussian", "cell"),
        "What is kept of the feature map: one cell, or a 3 × 3 Gaussian around it.",
    )


@dataclass(frozen=True)
class ChannelParameters(StageParameters):
    """Of Score-CAM and Ablation-CAM, whose cost grows with the channels."""

    channels: int = whole(
        4096,
        1,
        4096,
        "At most so many channels, those that vary most over the image; the others are left out.",
    )


def plain_cam(passes: Passes, parameters: object) -> Iterator[Draft]:
    """Σ_k w_k · A_k / (h·w), the exact contribution of each cell of the last stage to the logit.

    For heads that read the spatial mean; there it is HiResCAM at the last stage. The completeness error is
    that of Σ map = logit − bias, the bias being the logit of an empty feature map.

    Reference: Zhou et al. 2016, arXiv:1512.04150.
    """
    maps = cam_maps(hires_cam, *passes.features())
    with torch.inference_mode(mode=False), torch.no_grad():
        features = passes.trunk()
        empty = replace(features, value=torch.zeros_like(features.value))
        difference = (passes.network.head(features) - passes.network.head(empty))[:, passes.findings]
        error = (maps.double().sum((2, 3)) - difference) / difference.abs()
        yield draft_of(maps, error.where(difference != 0, torch.nan))


def eigen_cam(passes: Passes, parameters: StageParameters) -> Iterator[Draft]:
    """The first principal component of the activations: (A − mean over cells) · v₁, for every finding alike.

    The sign of a singular vector is arbitrary. Here the value of the largest magnitude is positive, as in
    scikit-learn's ``svd_flip``.

    Reference: Muhammad & Yeasin 2020, arXiv:2008.00299.
    """
    with torch.inference_mode(mode=False), torch.no_grad():
        features = passes.trunk(parameters.stage)
        activations = features.as_maps(features.value)
        cells = activations.flatten(2).double()  # (B, C, h·w)
        centred = cells - cells.mean(2, keepdim=True)
        # The cells' Gram matrix has the same leading component, and is small.
        values, vectors = torch.linalg.eigh(centred.transpose(1, 2) @ centred)
        component = vectors[:, :, -1] * values[:, -1:].clamp(min=0).sqrt()
        largest = component.gather(1, component.abs().argmax(1, keepdim=True))
        one = (largest.sign() * component).view(-1, 1, *activations.shape[2:]).to(activations.dtype)
        yield draft_of(one.repeat(1, len(passes.findings), 1, 1))


def score_cam(passes: Passes, parameters: ChannelParameters) -> Iterator[Draft]:
    """Σ_k w_k · A_k, w = softmax over channels of y(x ⊙ H_k), H_k = A_k enlarged and scaled to [0, 1].

    Drafts are the sum over the channels so far. A constant channel is an empty mask, H_k = 0.

    Reference: Wang et al. 2020, arXiv:1910.01279.
    """
    with torch.inference_mode(mode=False), torch.no_grad():
        features = passes.trunk(parameters.stage)
        activations = features.as_maps(features.value)
        activations = _taken(activations, _most_varying(activations, parameters.channels))
        images = passes.plain_images
    logits: list[Tensor] = []  # one (B, K) per channel
    count, size = activations.shape[1], max(1, _CHUNK // len(images))
    for start in range(0, count, size):
        with torch.inference_mode(mode=False), torch.no_grad():
            masks = _scaled(upsample(activations[:, start : start + size], tuple(images.shape[2:])))
            masked = (images[:, None] * masks[:, :, None]).flatten(0, 1)
            scores = passes.logits(masked).view(len(images), -1, len(passes.findings))
            logits += scores.unbind(1)
            weights = torch.stack(logits, 2).softmax(2)  # (B, K, channels so far)
            maps = [weighted_sum(weight, activations[:, : len(logits)]) for weight in weights.unbind(1)]
        yield draft_of(torch.stack(maps, 1), done=len(logits), total=count)


def ablation_cam(passes: Passes, parameters: ChannelParameters) -> Iterator[Draft]:
    """Σ_k w_k · A_k, w_k = y − y₋ₖ, the fall of the logit where channel k is set to zero.

    The published weight is divided by y, which flips the map's sign where the logit is negative.

    Reference: Ramaswamy et al. 2020, doi:10.1109/WACV45572.2020.9093360.
    """
    with torch.inference_mode(mode=False), torch.no_grad():
        features = passes.trunk(parameters.stage)
        activations = features.as_maps(features.value)
        channels = _most_varying(activations, parameters.channels)
        images = torch.arange(len(activations))

        def change(maps: Tensor, number: int) -> None:
            maps[images, channels[:, number]] = 0

        logits = passes.network.head(features)[:, passes.findings]
        weights = logits[..., None] - _changed_heads(passes, parameters.stage, channels.shape[1], change)
        chosen = _taken(activations, channels)
        maps = [weighted_sum(weight, chosen) for weight in weights.unbind(1)]
        yield draft_of(torch.stack(maps, 1))


def recipro_cam(passes: Passes, parameters: ReciproParameters) -> Iterator[Draft]:
    """At each cell the logit of the head where only that cell of the feature map is kept, less its mean.

    The published map is scaled to [0, 1] from its smallest to its largest value; the mean is subtracted
    instead, so that zero is the logit of a typical cell.

    Reference: Byun & Lee 2022, arXiv:2209.14074.
    """
    with torch.inference_mode(mode=False), torch.no_grad():
        features = passes.trunk(parameters.stage)
        height, width = features.grid
        masks = _cell_masks(height, width, gaussian=parameters.mask == "gaussian").to(features.value)

        def change(maps: Tensor, cell: int) -> None:
            maps *= masks[cell]

        logits = _changed_heads(passes, parameters.stage, height * width, change)
        maps = logits - logits.mean(2, keepdim=True)
        yield draft_of(maps.unflatten(2, (height, width)))


def _changed_heads(passes: Passes, stage: int, count: int, change: Callable[[Tensor, int], None]) -> Tensor:
    """Logits (B, K, count) of the head on changed feature maps.

    Args:
        passes: model, images and findings.
        stage: whose feature map is changed.
        count: number of changes.
        change: changes maps (B, C, h, w) in place, given the number of the change.
    """
    features = passes.trunk(stage)
    batch, size = len(features.value), max(1, _CHUNK // len(features.value))
    logits = []
    for start in range(0, count, size):
        numbers = range(start, min(start + size, count))
        value, *rest = (_repeated(tensor, len(numbers)) for tensor in (features.value, *features.rest))
        maps = features.as_maps(value)
        for place, number in enumerate(numbers):
            change(maps[place * batch : (place + 1) * batch], number)
        output = passes.network.head(replace(features, value=value, rest=tuple(rest)))[:, passes.findings]
        logits.append(output.unflatten(0, (len(numbers), batch)))
    return torch.cat(logits).permute(1, 2, 0).contiguous()


def _most_varying(activations: Tensor, count: int) -> Tensor:
    """The channels of (B, C, h, w) with the largest standard deviation over cells, in their order: (B, n)."""
    count = min(count, activations.shape[1])
    return activations.flatten(2).std(2, correction=0).topk(count).indices.sort(1).values


def _taken(activations: Tensor, channels: Tensor) -> Tensor:
    """Some channels (B, n) of each image's activations: (B, n, h, w)."""
    return torch.stack([maps[numbers] for maps, numbers in zip(activations, channels, strict=True)])


def _repeated(tensor: Tensor, times: int) -> Tensor:
    return tensor.repeat(times, *[1] * (tensor.dim() - 1))


def _scaled(maps: Tensor) -> Tensor:
    """Maps (B, C, H, W), each from its smallest to its largest value on [0, 1]; constant ones become 0."""
    low, high = maps.amin((2, 3), keepdim=True), maps.amax((2, 3), keepdim=True)
    return (maps - low) / (high - low).where(high > low, torch.ones_like(high))


def _cell_masks(height: int, width: int, *, gaussian: bool) -> Tensor:
    """One mask per cell, (h·w, h, w): 1 there, and with ``gaussian`` 1/2 beside it and 1/4 at the corners."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([rows.flatten(), columns.flatten()], 1)
    distance = (places[:, None] - places[None]).abs()  # (h·w, h·w, 2)
    near = (distance.amax(2) <= (1 if gaussian else 0)).double()
    return (near * 0.5 ** distance.sum(2)).view(-1, height, width)
