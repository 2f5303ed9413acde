"""A backbone that knows its labels and where it can be explained."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor, nn

from cxrbench.errors import InputError
from cxrbench.models.spec import ModelSpec
from cxrbench.models.zoo import Stage, State, architecture

__all__ = ["Classifier", "Features", "check_inference"]


@dataclass(frozen=True)
class Features:
    """What a network holds between two steps: the feature map, and whatever else the rest of it needs.

    Args:
        value: the feature map in the backbone's own layout (NCHW, NHWC or tokens).
        rest: tensors that travel beside it, such as a transformer block's residual stream; constants to an
            explanation at this stage.
        stage: where this is.
        grid: (h, w) of the feature map.
    """

    value: Tensor
    rest: tuple[Tensor, ...]
    stage: Stage
    grid: tuple[int, int]

    def as_maps(self, value: Tensor) -> Tensor:
        """``value``, a tensor in this stage's own layout, as a view (B, C, h, w)."""
        return self.stage.as_maps(value, self.grid)


class Classifier(nn.Module):
    """A multi-label classifier cut in two: ``forward(images) == head(trunk(images))``, bit for bit.

    The cut can be made after any stage of the architecture. Nothing is hooked: the backbone's own forward
    pass is spelled out as steps (``zoo.Architecture.steps``), and a test holds them equal to it.

    Args:
        backbone: the network of ``spec.architecture``, for grey images, with one output per label.
        spec: what the model knows about itself.
        revision: which weights these are: the first digits of their file's SHA-256; empty for unsaved ones.
    """

    def __init__(self, backbone: nn.Module, spec: ModelSpec, *, revision: str = "") -> None:
        super().__init__()
        self.backbone = backbone
        self.spec = spec
        self.revision = revision
        self.architecture: Final = architecture(spec.architecture)

    @property
    def stages(self) -> Sequence[str]:
        """Names of the stages where a map can be read, finest first; the last is the default."""
        return self.architecture.stages

    def stage(self, name: str | None = None) -> Stage:
        """The stage of that name, or the last.

        Raises:
            InputError: no such stage here; the sentence lists those that are.
        """
        name = name or self.stages[-1]
        if name not in self.stages:
            raise InputError(
                f"{self.spec.name} has no stage {name!r}; choose from: {', '.join(self.stages)}."
            )
        prefix = getattr(self.backbone, "num_prefix_tokens", 0)
        return Stage(name, self.architecture.layout, prefix)

    @cached_property
    def grids(self) -> Mapping[str, tuple[int, int]]:
        """Stage → (h, w) of its feature map, at this model's input size; no pixel is computed for it."""
        tensors = (*self.backbone.parameters(), *self.backbone.buffers())
        # A copy of the backbone that shares nothing and holds shapes only.
        shapes = {id(tensor): tensor.detach().to("meta") for tensor in tensors}
        backbone = copy.deepcopy(self.backbone, shapes).eval()
        size = self.spec.preprocessing.size
        state: State = torch.empty(1, 1, size, size, device="meta")
        grids = {}
        with torch.no_grad():
            for name, step in self.architecture.steps(backbone):
                state = step(state)
                if name in self.stages:
                    value = state[-1] if isinstance(state, tuple) else state
                    grids[name] = self._grid(value, (size, size))
        return grids

    def resolution(self, stage: str | None = None) -> tuple[int, int]:
        """(h, w) of the feature map after a stage (default: the last), at this model's input size."""
        return self.grids[self.stage(stage).name]

    def trunk(self, images: Tensor, stage: str | None = None) -> Features:
        """Images (B, C, H, W) → the features after a stage (default: the last)."""
        place = self.stage(stage)
        state: State = images
        for name, step in self.architecture.steps(self.backbone):
            state = step(state)
            if name == place.name:
                break
        *rest, value = state if isinstance(state, tuple) else (state,)
        height, width = images.shape[2:]
        return Features(value, tuple(rest), place, self._grid(value, (height, width)))

    def head(self, features: Features) -> Tensor:
        """Features of any stage → logits (B, L)."""
        state: Any = (*features.rest, features.value) if features.rest else features.value
        steps = self.architecture.steps(self.backbone)
        names = [name for name, _ in steps]
        for _, step in steps[names.index(features.stage.name) + 1 :]:
            state = step(state)
        return self.architecture.head(self.backbone)(state)

    def forward(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) → logits (B, L)."""
        return self.head(self.trunk(images))

    def _grid(self, value: Tensor, size: tuple[int, int]) -> tuple[int, int]:
        """(h, w) of a feature map of images of a size."""
        layout = self.architecture.layout
        if layout == "tokens":
            patches: Any = self.backbone.patch_embed
            return patches.dynamic_feat_size(size)  # tokens do not tell how they lie
        height, width = value.shape[1:3] if layout == "NHWC" else value.shape[2:4]
        return height, width


def check_inference(model: nn.Module, name: str) -> torch.dtype | None:
    """Refuse a model whose answers would be random or rough; nothing of it is changed.

    Setting the flag here instead would change a model that other threads may be using.

    Args:
        model: any network.
        name: how the sentence calls it.

    Returns:
        The type of its parameters, which its images must have: float32 or float64; None where it has none.

    Raises:
        InputError: a module is in train mode (dropout and batch statistics would make the answer random, and
            asking would change the running statistics); parameters of 16 bits, or of several types.
    """
    training = [path for path, module in model.named_modules() if module.training and path]
    if model.training or training:
        more = f" and {len(training) - 1} more modules" if len(training) > 1 else ""
        which = f" ({training[0]}{more})" if training else ""
        raise InputError(f"{name} must be in eval mode, but is in train mode; call its eval() first{which}.")
    kinds = {p.dtype for p in (*model.parameters(), *model.buffers()) if p.is_floating_point()}
    if len(kinds) > 1 or not kinds <= {torch.float32, torch.float64}:
        found = " and ".join(sorted(str(kind).removeprefix("torch.") for kind in kinds))
        raise InputError(
            f"{name} must have parameters of one type, float32 or float64, and has {found}; call its float() "
            "first: in 16 bits scores and maps would be rough."
        )
    return next(iter(kinds), None)
