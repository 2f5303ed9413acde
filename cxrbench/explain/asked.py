"""Validation of an explanation's arguments."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cxrbench.errors import InputError
from cxrbench.models import Classifier
from cxrbench.models.classifier import check_inference

__all__ = ["check", "finding_list", "stage_name"]


def check(model: Classifier, images: Tensor) -> None:
    """Refuse a model whose maps would be random or rough, and images that it cannot take.

    Raises:
        InputError: a module is in train mode, parameters of 16 bits or of several types
            (``check_inference``), or images are not a (B, C, H, W) of the model's channels and type.
    """
    kind = check_inference(model, model.spec.name)
    if images.dim() != 4 or not images.is_floating_point():
        raise InputError(
            f"images must be floats of shape (B, C, H, W); got {images.dtype} of {tuple(images.shape)}: "
            "apply the model's preprocessing and stack its results."
        )
    if kind is not None and images.dtype != kind:
        raise InputError(
            f"images must be of the type of the model's parameters, {kind}; got {images.dtype}: "
            f"call images.to({kind})."
        )
    channels = next((part.in_channels for part in model.modules() if isinstance(part, nn.Conv2d)), None)
    if channels is not None and images.shape[1] != channels:
        raise InputError(
            f"images must have {channels} channel{'s' * (channels != 1)}, as {model.spec.name} does; got "
            f"{tuple(images.shape)}: apply the model's preprocessing and stack its results."
        )


def finding_list(model: Classifier, findings: Tensor | Sequence[int]) -> list[int]:
    """The asked findings as plain indices among the model's labels.

    Raises:
        InputError: none is asked, one is not a whole number, or one is out of range.
    """
    asked = torch.as_tensor(findings)
    if asked.dim() != 1 or not len(asked) or asked.is_floating_point() or asked.dtype == torch.bool:
        raise InputError(
            f"findings must be one or more whole numbers of shape (K,); got {asked.tolist()!r:.80}: "
            "labels.finding_indices turns names into indices."
        )
    count = len(model.spec.labels)
    for index in asked.tolist():
        if not 0 <= index < count:
            raise InputError(
                f"findings must lie between 0 and {count - 1}, the labels of {model.spec.name}; got {index}: "
                "labels.finding_indices turns names into indices."
            )
    return asked.tolist()


def stage_name(model: Classifier, stage: str | int | None = None) -> str:
    """The name of a stage: given by name, counted from the last (0 = last, 1 = the one before), or the last.

    Raises:
        InputError: there is no such stage; the sentence lists those that are.
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
