"""What was asked of an explanation: refused with a sentence where it cannot be answered."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.models import Classifier

__all__ = ["check", "finding_list", "stage_name"]


def check(model: Classifier, images: Tensor) -> None:
    """Refuse a model that is being trained and images of the wrong shape.

    Raises:
        InputError: a module is in train mode (dropout and batch statistics would make the map random, and
            explaining would change the running statistics), or images are not a float (B, C, H, W).
    """
    if any(module.training for module in model.modules()):
        raise InputError(
            "model must be in eval mode to be explained; got train mode: call model.eval() first."
        )
    if images.dim() != 4 or not images.is_floating_point():
        raise InputError(
            f"images must be floats of shape (B, C, H, W); got {images.dtype} of {tuple(images.shape)}: "
            "apply the model's preprocessing and stack its results."
        )


def finding_list(model: Classifier, findings: Tensor | Sequence[int]) -> list[int]:
    """The asked findings as plain indices among the model's labels.

    Raises:
        InputError: none is asked, one is not a whole number, or one is out of range.
    """
    asked = torch.as_tensor(findings)
    if asked.dim() != 1 or not len(asked) or asked.is_floating_point() or asked.dtype == torch.bool:
        raise InputError(
            f"findings must be one or more whole numbers of shape (K,); got {findings!r}: "
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
