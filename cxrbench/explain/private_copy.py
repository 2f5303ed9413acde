"""Private copies of a model, whose modules may be replaced; and what its activations are."""

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from cxrbench.models import Classifier

__all__ = [
    "called_operators",
    "copy_without_data",
    "images_without_data",
    "private_copy",
    "rectifier_problem",
    "replace_modules",
]

# Operators of PyTorch → the activation that they compute.
_RECTIFIERS: Final = ("relu", "relu_", "threshold", "threshold_", "clamp_min", "clamp_min_")
_OTHER_ACTIVATIONS: Final = {
    "silu": "SiLU",
    "gelu": "GELU",
    "hardswish": "hard swish",
    "hardtanh": "ReLU6",
    "leaky_relu": "leaky ReLU",
    "elu": "ELU",
    "mish": "Mish",
    "softplus": "softplus",
    "_prelu_kernel": "PReLU",
    "tanh": "tanh",
}
_PROBLEMS: WeakKeyDictionary[nn.Module, str | None] = WeakKeyDictionary()


def private_copy(
    model: Classifier, tensors: Callable[[Tensor], Tensor] = lambda tensor: tensor
) -> Classifier:
    """A copy of a model with modules of its own, which share the original's parameters and buffers.

    Args:
        model: the original, which is not changed.
        tensors: parameter or buffer → that of the copy.
    """
    memo: dict[int, Any] = {id(tensor): tensors(tensor) for tensor in (*model.parameters(), *model.buffers())}
    # The shallow copy is taken at once: another thread may cache a property of the model meanwhile.
    return copy.deepcopy(copy.copy(model), memo)


def copy_without_data(model: Classifier) -> Classifier:
    """A private copy on the meta device: it runs on ``images_without_data``, and only shapes are computed."""
    return private_copy(model, lambda tensor: tensor.detach().to("meta"))


def images_without_data(model: Classifier, shape: Sequence[int]) -> Tensor:
    """One image (1, C, H, W) without data, of the dtype of the model's parameters.

    Args:
        model: the one that reads it.
        shape: (C, H, W).
    """
    kinds = (tensor.dtype for tensor in model.parameters() if tensor.is_floating_point())
    return torch.empty(1, *shape, device="meta", dtype=next(kinds, torch.float32))


def replace_modules(model: nn.Module, kind: type[nn.Module], new: Callable[[nn.Module], nn.Module]) -> int:
    """Replace the modules of exactly one type within a private copy.

    Returns:
        Number of modules replaced; one that is used in two places counts once.
    """
    replaced: dict[nn.Module, nn.Module] = {}
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if type(child) is kind:
                replaced.setdefault(child, new(child))
                setattr(parent, name, replaced[child])
    return len(replaced)


def rectifier_problem(model: Classifier) -> str | None:
    """Why the ReLUs of a model cannot all be replaced; None where each is a module and nothing else is used.

    Found by running a copy without data, once per model, and not from a list of networks.
    """
    if model not in _PROBLEMS:
        _PROBLEMS[model] = _rectifier_problem(model)
    return _PROBLEMS[model]


class _Operators(TorchDispatchMode):
    """Counts the operators that are called."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        # clamp(x, 0) is a ReLU as well; other limits are not.
        rectifies = name in ("clamp", "clamp_") and tuple(args[1:2]) == (0,) and len(args) < 3
        self.counts["relu" if rectifies else name] += 1
        return func(*args, **(kwargs or {}))


class _Unseen(nn.Module):
    """A module whose operators are not counted; its calls are."""

    def __init__(self, module: nn.Module, operators: _Operators) -> None:
        super().__init__()
        self.module, self.operators = module, operators

    def forward(self, values: Tensor) -> Tensor:
        before = self.operators.counts.copy()
        output: Tensor = self.module(values)
        self.operators.counts = before
        self.operators.counts["replaced_module"] += 1
        return output


def called_operators(model: Classifier, without: tuple[type[nn.Module], ...]) -> Counter[str]:
    """How often a forward pass calls each operator of PyTorch, outside some modules; it runs without data."""
    modules = copy_without_data(model)
    operators = _Operators()
    for kind in without:
        replace_modules(modules, kind, lambda module: _Unseen(module, operators))
    images = images_without_data(model, (1, *model.spec.preprocessing.input_shape))
    with torch.inference_mode(mode=False), torch.no_grad(), operators:
        modules(images)
    return operators.counts


def _rectifier_problem(model: Classifier) -> str | None:
    counts = called_operators(model, (nn.ReLU,))
    functional, calls = sum(counts[name] for name in _RECTIFIERS), counts["replaced_module"]
    other = {
        words: count
        for name, words in _OTHER_ACTIVATIONS.items()
        if (count := counts[name] + counts[f"{name}_"])
    }
    if other:
        counted = " and ".join(f"{count} {words}" for words, count in other.items())
        return f"it changes the gradient of ReLU only, and this network's activations are {counted}"
    if functional:
        return (
            f"{functional} of this network's {functional + calls} ReLUs are function calls and no modules, "
            "so that their gradient cannot be changed"
        )
    return None if calls else "it changes the gradient of ReLU, and this network has none"
