"""Transfer learning: the parts that learn in a phase, and their learning rates."""

from collections.abc import Sequence
from typing import Final

from torch import nn

from cxrbench.errors import InputError
from cxrbench.models import Classifier

__all__ = ["ALL", "HEAD", "depths", "freeze", "frozen_modules"]

ALL: Final = "all"
HEAD: Final = "head"


def depths(model: Classifier) -> dict[str, int]:
    """Parameter → how far below the head it lies: 0 for the head, and one more with every stage downwards.

    A network is cut at the stages where it can be explained (``Classifier.stages``). What computes the last
    of them has depth 1, and so on; what computes the first has the largest, and so have tokens and position
    embeddings.
    """
    names = [name for name, _ in model.architecture.steps(model.backbone)]
    ends = [names.index(stage) for stage in model.stages[:-1]]
    steps = {name: len(model.stages) - sum(index > end for end in ends) for index, name in enumerate(names)}
    found: dict[str, int] = {}
    begun = False
    for name, _ in model.backbone.named_parameters():
        owner = _owner(name, steps)
        begun = begun or owner is not None
        # What belongs to no step stands before the first (tokens, position embeddings) or after the last.
        found[f"backbone.{name}"] = steps[owner] if owner else (0 if begun else len(model.stages))
    return found


def _owner(parameter: str, steps: dict[str, int]) -> str | None:
    """The longest step name that a parameter lies under."""
    parts = parameter.split(".")
    for length in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:length])
        if name in steps:
            return name
    return None


def freeze(model: nn.Module, until: str) -> None:
    """Let only the upper part of a network learn.

    Args:
        model: any; other than ``all`` needs a ``Classifier``.
        until: ``all``; ``head``; or a stage's name: what computes that stage, and all above it, learns.

    Raises:
        InputError: no such stage; the sentence lists those that are.
    """
    if until == ALL:
        model.requires_grad_(True)
        return
    if not isinstance(model, Classifier):
        raise InputError(f"train = {until!r} needs a classifier of the zoo; got {type(model).__name__}.")
    choices: Sequence[str] = (ALL, HEAD, *model.stages)
    if until not in choices:
        raise InputError(f"A phase trains one of {', '.join(choices)}; got {until!r}.")
    deepest = 0 if until == HEAD else len(model.stages) - model.stages.index(until)
    of = depths(model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(of[name] <= deepest)


def frozen_modules(model: nn.Module) -> list[nn.Module]:
    """Modules of which no parameter learns: they stay in eval mode, or their statistics would move."""
    return [
        module
        for module in model.modules()
        if (own := list(module.parameters())) and not any(parameter.requires_grad for parameter in own)
    ]
