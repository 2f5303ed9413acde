"""The exponential moving average of a model's weights."""

from typing import cast

import torch
from torch import Tensor, nn

__all__ = ["WeightAverage"]


class WeightAverage:
    """Exponential moving average of weights: ``a ← d·a + (1 − d)·w``.

    The decay starts low, ``d = min(decay, (1 + t) / (10 + t))`` after t steps, so that the initial
    weights soon have no effect. Floating-point buffers are averaged too; integer buffers are copied.

    Reference:
        Polyak & Juditsky 1992, doi:10.1137/0330046; the warm-up is TensorFlow's.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.weights = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Update the average after one training step."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        state = model.state_dict()
        floats = [name for name, value in self.weights.items() if value.is_floating_point()]
        torch._foreach_lerp_([self.weights[n] for n in floats], [state[n] for n in floats], 1 - decay)
        for name in self.weights.keys() - set(floats):
            self.weights[name].copy_(state[name])

    def state_dict(self) -> dict[str, int | dict[str, Tensor]]:
        """State for a checkpoint."""
        return {"steps": self.steps, "weights": self.weights}

    def load_state_dict(self, state: dict[str, int | dict[str, Tensor]]) -> None:
        """Restore the state of a checkpoint, in place: the weights stay on their device."""
        self.steps = cast(int, state["steps"])
        for name, value in cast(dict[str, Tensor], state["weights"]).items():
            self.weights[name].copy_(value)
