"""A backbone that knows its labels and where it can be explained."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor, nn

from cxrbench.errors import InputError
from cxrbench.models.feature_statistics import FeatureStatistics
from cxrbench.models.spec import ModelSpec
from cxrbench.models.zoo import NetworkState, Stage, architecture

__all__ = ["Classifier", "Features", "check_inference"]


@dataclass(frozen=True)
class Features:
    """The state of a network after a step: the feature map, and what else the remaining steps need.

    Args:
        value: the feature map in the backbone's own layout (NCHW, NHWC or tokens).
        rest: other tensors that the next step takes, such as a transformer block's residual stream; constants
            to an explanation at this stage.
        stage: the stage that the features belong to.
        grid: (h, w) of the feature map.
    """

    value: Tensor
    rest: tuple[Tensor, ...]
    stage: Stage
    grid: tuple[int, int]

    def as_maps(self, value: Tensor) -> Tensor:
        """``value``, a tensor in this stage's own layout, as a view (B, C, h, w)."""
        return self.stage.as_maps(value, self.grid)

    def pooled(self) -> Tensor:
        """Mean of each channel over the feature map, (B, C)."""
        return self.as_maps(self.value).mean((2, 3))


class Classifier(nn.Module):
    """A multi-label classifier in two parts: ``forward(images) == head(trunk(images))``, bit for bit.

    It can be split after any stage of the architecture. There are no hooks: the backbone's own forward pass
    is written out as steps (``zoo.Architecture.steps``), and a test checks that the two are equal.

    Args:
        backbone: the network of ``spec.architecture``, for grey images, with one output per label.
        spec: specification of the model.
        revision: identifies the weights: the first digits of their file's SHA-256; empty for unsaved ones.

    Attributes:
        feature_statistics: of the features of its training films; None where they were not measured.
    """

    def __init__(self, backbone: nn.Module, spec: ModelSpec, *, revision: str = "") -> None:
        super().__init__()
        self.backbone = backbone
        self.spec = spec
        self.revision = revision
        self.feature_statistics: FeatureStatistics | None = None
        self.architecture: Final = architecture(spec.architecture)

    @property
    def stages(self) -> Sequence[str]:
        """Names of the stages where a feature map can be read, finest first; the last is the default."""
        return self.architecture.stages

    def stage(self, name: str | None = None) -> Stage:
        """The stage with a name; default: the last.

        Raises:
            InputError: the model has no such stage; the message lists its stages.
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
        """Stage → (h, w) of its feature map at this model's input size; computed from shapes alone."""
        tensors = (*self.backbone.parameters(), *self.backbone.buffers())
        # A copy of the backbone on the meta device: shapes without data.
        shapes = {id(tensor): tensor.detach().to("meta") for tensor in tensors}
        backbone = copy.deepcopy(self.backbone, shapes).eval()
        size = self.spec.preprocessing.input_shape
        state: NetworkState = torch.empty(1, 1, *size, device="meta")
        grids = {}
        with torch.no_grad():
            for name, step in self.architecture.steps(backbone):
                state = step(state)
                if name in self.stages:
                    value = state[-1] if isinstance(state, tuple) else state
                    grids[name] = self._grid(value, size)
        return grids

    def resolution(self, stage: str | None = None) -> tuple[int, int]:
        """(h, w) of the feature map after a stage (default: the last), at this model's input size."""
        return self.grids[self.stage(stage).name]

    def trunk(self, images: Tensor, stage: str | None = None) -> Features:
        """Images (B, C, H, W) → the features after a stage (default: the last)."""
        target = self.stage(stage)
        return next(features for features in self.all_features(images) if features.stage.name == target.name)

    def all_features(self, images: Tensor) -> Iterator[Features]:
        """Images (B, C, H, W) → the features after each stage in one pass, finest first.

        Read them before the next ones are asked for: a later step of the network may overwrite them.
        """
        state: NetworkState = images
        height, width = images.shape[2:]
        for name, step in self.architecture.steps(self.backbone):
            state = step(state)
            if name in self.stages:
                *rest, value = state if isinstance(state, tuple) else (state,)
                grid = self._grid(value, (height, width))
                yield Features(value, tuple(rest), self.stage(name), grid)
                if name == self.stages[-1]:
                    return

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
        """(h, w) of the feature map ``value`` of images of ``size`` (height, width)."""
        layout = self.architecture.layout
        if layout == "tokens":
            patches: Any = self.backbone.patch_embed
            rows, columns = patches.dynamic_feat_size(size)  # the shape of tokens does not contain it
            return rows, columns
        height, width = value.shape[1:3] if layout == "NHWC" else value.shape[2:4]
        return height, width


def check_inference(model: nn.Module, name: str) -> torch.dtype | None:
    """Check that a model is in eval mode and in single or double precision; the model is not changed.

    Setting eval mode here instead would change a model that other threads may be using.

    Args:
        model: any network.
        name: name of the model in the error message.

    Returns:
        The dtype of its parameters, which its images must have: float32 or float64; None without parameters.

    Raises:
        InputError: a module is in train mode (dropout and batch statistics would make outputs random, and a
            forward pass would change the running statistics); parameters of 16 bits, or of several dtypes.
    """
    training = [path for path, module in model.named_modules() if module.training and path]
    if model.training or training:
        more = f" and {len(training) - 1} more modules" if len(training) > 1 else ""
        which = f" ({training[0]}{more})" if training else ""
        raise InputError(f"{name} must be in eval mode, but is in train mode; call its eval() first{which}.")
    kinds = {p.dtype for p in (*model.parameters(), *model.buffers()) if p.is_floating_point()}
    if len(kinds) > 1 or not kinds <= {torch.float32, torch.float64}:
        names = " and ".join(sorted(str(kind).removeprefix("torch.") for kind in kinds))
        raise InputError(
            f"{name} must have parameters of one type, float32 or float64, and has {names}; call its float() "
            "first: in 16 bits scores and maps would be imprecise."
        )
    return next(iter(kinds), None)
