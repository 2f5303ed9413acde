"""Three-class heads for U-MultiClass, and their conversion to ordinary ones."""

import copy

import torch
from torch import Tensor, nn

from cxrbench.errors import InputError

__all__ = ["ThreeClass", "fold", "last_layer", "replace_last", "widen", "without_last"]


class ThreeClass(nn.Linear):
    """Last layer with three logits per finding in training (absent, present, uncertain), one in eval mode.

    The one is ``z_present − z_absent``: its sigmoid is the softmax over absent and present, the prediction of
    U-MultiClass at test time. Trained with ``losses.three_class``.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, D) → (B, 3L) in training, (B, L) in eval."""
        logits = super().forward(features)
        if self.training:
            return logits
        absent, present, _ = logits.chunk(3, dim=1)
        return present - absent


def last_layer(model: nn.Module) -> tuple[str, nn.Linear]:
    """Name and module of the linear layer that computes the logits.

    Raises:
        InputError: the model has no linear layer.
    """
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise InputError(f"{type(model).__name__} has no linear layer for the logits; add one.")
    return layers[-1]


def replace_last(model: nn.Module, layer: nn.Module) -> None:
    """Replace the last layer, in place."""
    name, _ = last_layer(model)
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, layer)


def widen(model: nn.Module) -> None:
    """Replace the last layer by a `ThreeClass` layer, in place; scores in eval mode stay the same."""
    _, old = last_layer(model)
    with torch.random.fork_rng(devices=[]):  # the random initial weights are overwritten
        new = ThreeClass(old.in_features, 3 * old.out_features)
    with torch.no_grad():
        half = old.weight / 2
        new.weight.copy_(torch.cat((-half, half, torch.zeros_like(half))))
        bias = torch.zeros(old.out_features) if old.bias is None else old.bias.cpu() / 2
        new.bias.copy_(torch.cat((-bias, bias, torch.zeros_like(bias))))
    replace_last(model, new.to(old.weight.device).train(old.training))


def fold(model: nn.Module) -> None:
    """Undo ``widen``, in place: the difference of two linear maps is linear.

    Raises:
        InputError: the last layer is not a `ThreeClass` layer.
    """
    _, three = last_layer(model)
    if not isinstance(three, ThreeClass):
        raise InputError("The last layer has no three classes to fold; call widen first.")
    absent, present, _ = three.weight.detach().chunk(3)
    below, above, _ = three.bias.detach().chunk(3)
    with torch.random.fork_rng(devices=[]):
        plain = nn.Linear(three.in_features, three.out_features // 3)
    with torch.no_grad():
        plain.weight.copy_(present - absent)
        plain.bias.copy_(above - below)
    replace_last(model, plain.to(three.weight.device).train(three.training))


def without_last(model: nn.Module) -> nn.Module:
    """A copy of the model in eval mode, without its last layer: returns features (B, D)."""
    bare = copy.deepcopy(model).eval()
    replace_last(bare, nn.Identity())
    return bare
