"""Freezing: the layers that a phase trains, and the depth of parameters for their learning rates."""

from collections.abc import Sequence
from typing import Final

from torch import nn

from cxrbench.errors import InputError
from cxrbench.models import Classifier

__all__ = ["ALL", "HEAD", "depths", "freeze", "frozen_modules"]

ALL: Final = "all"
HEAD: Final = "head"


def depths(model: Classifier) -> dict[str, int]:
    """Parameter → number of stages from the head: 0 for the head, 1 for the last stage, and so on.

    The stages are those of ``Classifier.stages``. Tokens and position embeddings have the depth of the first
    stage.
    """
    names = [name for name, _ in model.architecture.steps(model.backbone)]
    ends = [names.index(stage) for stage in model.stages[:-1]]
    steps = {name: len(model.stages) - sum(index > end for end in ends) for index, name in enumerate(names)}
    depth_of: dict[str, int] = {}
    begun = False
    for name, _ in model.backbone.named_parameters():
        owner = _owner(name, steps)
        begun = begun or owner is not None
        # Parameters of no step are before the first one (tokens, position embeddings) or after the last.
        depth_of[f"backbone.{name}"] = steps[owner] if owner else (0 if begun else len(model.stages))
    return depth_of


def _owner(parameter: str, steps: dict[str, int]) -> str | None:
    """The longest step name that is a prefix of a parameter's name."""
    parts = parameter.split(".")
    for length in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:length])
        if name in steps:
            return name
    return None


def freeze(model: nn.Module, until: str) -> None:
    """Freeze the layers before a stage.

    Args:
        model: any for ``all``, else a ``Classifier``.
        until: ``all``; ``head``; or the name of a stage, which is trained with all layers after it.

    Raises:
        InputError: unknown stage.
    """
    if until == ALL:
        model.requires_grad_(True)
        return
    if not isinstance(model, Classifier):
        raise InputError(f"train = {until!r} needs a Classifier; got {type(model).__name__}.")
    choices: Sequence[str] = (ALL, HEAD, *model.stages)
    if until not in choices:
        raise InputError(f"A phase trains one of {', '.join(choices)}; got {until!r}.")
    deepest = 0 if until == HEAD else len(model.stages) - model.stages.index(until)
    depth_of = depths(model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(depth_of[name] <= deepest)


def frozen_modules(model: nn.Module) -> list[nn.Module]:
    """Modules whose parameters are all frozen; they must stay in eval mode to keep their statistics."""
    return [
        module
        for module in model.modules()
        if (own := list(module.parameters())) and not any(parameter.requires_grad for parameter in own)
    ]
