"""Networks to explain: real backbones with random weights, and chains small enough to check by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from cxrbench.explain import METHODS, configured_method, parameters_of
from cxrbench.labels import CHEXPERT
from cxrbench.models import Architecture, Classifier, Features, Stage, create
from cxrbench.preprocess import Preprocessing


@dataclass(frozen=True)
class ChainSpec:
    name: str
    labels: tuple[str, ...]
    preprocessing: Preprocessing


class Chain(nn.Module):
    """The contract of a Classifier over named modules called in sequence, without a backbone."""

    def __init__(
        self,
        last_stage: str,
        labels: int = 2,
        preprocessing: Preprocessing | None = None,
        **modules: nn.Module,
    ) -> None:
        super().__init__()
        self.chain = nn.ModuleDict(modules)
        self.stages: Sequence[str] = [*list(modules)[: list(modules).index(last_stage) + 1]]
        self.spec = ChainSpec(
            "chain", tuple(f"finding {i}" for i in range(labels)), preprocessing or Preprocessing(size=4)
        )
        self.architecture = Architecture("chain", "Chain", "", lambda _: (), (last_stage,), mean_pooled=False)
        self.eval()

    def stage(self, name: str | None = None) -> Stage:
        return Stage(name or self.stages[-1])

    def trunk(self, images: torch.Tensor, stage: str | None = None) -> Features:
        stop = self.stage(stage)
        value = images
        for name, module in self.chain.items():
            value = module(value)
            if name == stop.name:
                break
        grid: Any = tuple(value.shape[2:4])  # empty behind a layer that flattens
        return Features(value, (), stop, grid)

    def head(self, features: Features) -> torch.Tensor:
        value = features.value
        names = list(self.chain)
        for name in names[names.index(features.stage.name) + 1 :]:
            value = self.chain[name](value)
        return value

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(images))


@pytest.fixture(scope="session")
def chain() -> Callable[..., Any]:
    return Chain


@cache
def _random(architecture: str) -> Classifier:
    # One small size for all, so that the tests are fast; the labels of CheXpert.
    preprocessing = Preprocessing(size=96)
    return create(architecture, CHEXPERT, preprocessing=preprocessing, seed=3).requires_grad_(False)


@pytest.fixture(scope="session")
def random_model() -> Callable[[str], Classifier]:
    """Architecture → a classifier with random weights, made once per session."""
    return _random


@pytest.fixture(scope="session")
def suitable_model() -> Callable[[str], Classifier]:
    """Name of a method → a classifier with random weights to which it applies."""

    def first(name: str) -> Classifier:
        models = (_random(architecture) for architecture in ("efficientnet_b0", "vit_tiny", "resnet50"))
        return next(model for model in models if METHODS[name].supports(model) is None)

    return first


@pytest.fixture(scope="session")
def images() -> torch.Tensor:
    """Two noisy images in a network's own normalisation, (2, 1, 96, 96)."""
    noise = torch.randn(2, 1, 12, 12, generator=torch.Generator().manual_seed(7))
    return nn.functional.interpolate(noise, size=96, mode="bicubic")


@pytest.fixture(scope="session")
def image(images: torch.Tensor) -> torch.Tensor:
    return images[:1]


@pytest.fixture(scope="session")
def relative() -> Callable[[torch.Tensor, torch.Tensor], float]:
    """Two tensors → the largest difference, relative to the largest value of the second."""

    def measure(ours: torch.Tensor, theirs: torch.Tensor) -> float:
        theirs = torch.as_tensor(theirs)
        return float((torch.as_tensor(ours) - theirs).abs().max() / theirs.abs().max())

    return measure


# Parameters that make a method's computation short.
SHORT = {"steps": 3, "samples": 3, "masks": 20, "stride": 32, "channels": 8}


@pytest.fixture(scope="session")
def short() -> Callable[[str], str]:
    """Name of a method → its key with parameters that make its computation short."""

    def key(name: str) -> str:
        known = [parameter.name for parameter in parameters_of(METHODS[name].parameters)]
        stated = ",".join(f"{each}={value}" for each, value in SHORT.items() if each in known)
        return configured_method(f"{name}({stated})").key

    return key
