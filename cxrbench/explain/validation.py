"""Validation of an explanation's arguments."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cxrbench.errors import InputError
from cxrbench.models import Classifier
from cxrbench.models.classifier import check_inference
from cxrbench.models.colour import GreyToColour

__all__ = ["check_inputs", "finding_list", "stage_name"]


def check_inputs(model: Classifier, images: Tensor) -> None:
    """Check that a model can be explained and that it can take the images.

    Raises:
        InputError: a module is in train mode, parameters have 16 bits or several dtypes
            (``check_inference``), or images are not (B, C, H, W) of the model's channels and dtype.
    """
    dtype = check_inference(model, model.spec.name)
    if images.dim() != 4 or not images.is_floating_point():
        raise InputError(
            f"images must be floats of shape (B, C, H, W); got {images.dtype} of {tuple(images.shape)}: "
            "apply the model's preprocessing and stack its results."
        )
    if dtype is not None and images.dtype != dtype:
        raise InputError(
            f"images must be of the type of the model's parameters, {dtype}; got {images.dtype}: "
            f"call images.to({dtype})."
        )
    readers = (part.in_channels for part in model.modules() if isinstance(part, (nn.Conv2d, GreyToColour)))
    channels = next(readers, None)
    if channels is not None and images.shape[1] != channels:
        raise InputError(
            f"images must have {channels} channel{'s' * (channels != 1)}, as {model.spec.name} does; got "
            f"{tuple(images.shape)}: apply the model's preprocessing and stack its results."
        )


def finding_list(model: Classifier, findings: Tensor | Sequence[int]) -> list[int]:
    """The findings as a list of indices among the model's labels.

    Raises:
        InputError: there is none, one is not a whole number, or one is out of range.
    """
    indices = torch.as_tensor(findings)
    if indices.dim() != 1 or not len(indices) or indices.is_floating_point() or indices.dtype == torch.bool:
        raise InputError(
            f"findings must be one or more whole numbers of shape (K,); got {indices.tolist()!r:.80}: "
            "labels.finding_indices turns names into indices."
        )
    count = len(model.spec.labels)
    for index in indices.tolist():
        if not 0 <= index < count:
            raise InputError(
                f"findings must lie between 0 and {count - 1}, the labels of {model.spec.name}; got {index}: "
                "labels.finding_indices turns names into indices."
            )
    return [int(index) for index in indices]


def stage_name(model: Classifier, stage: str | int | None = None) -> str:
    """The name of a stage, given by name or counted from the last (0 = last, 1 = the one before).

    Args:
        model: any classifier.
        stage: name or index; default: the last stage.

    Raises:
        InputError: the model has no such stage; the message lists its stages.
    """
    if not isinstance(stage, int):
        return model.stage(stage).name
    stages = tuple(model.stages)
    if not 0 <= stage < len(stages):
        raise InputError(
            f"stage, counted from the last, must lie between 0 and {len(stages) - 1} on {model.spec.name}; "
            f"got {stage}: its stages, finest first, are {', '.join(stages)}."
        )
    return stages[-1 - stage]
