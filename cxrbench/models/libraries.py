"""Timm and torchvision: how each builds a backbone for grey images, with or without ImageNet weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import timm
import torch
import torchvision
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.models import PretrainedCfg
from torch import Tensor, nn

from cxrbench.errors import InputError
from cxrbench.models.fetch import fetch
from cxrbench.models.zoo import Architecture
from cxrbench.preprocess import Preprocessing
from cxrbench.writing import file_sha256

__all__ = ["LIBRARIES", "Library"]

_WEIGHTS: Final = "model.safetensors"


@dataclass(frozen=True)
class Library:
    """A package of backbones.

    Args:
        preprocessing: what the ImageNet weights of an architecture were trained with, turned to one channel.
        build: (architecture, outputs, size, drop rate) → a randomly initialised backbone for grey images.
        build_pretrained: the same with ImageNet weights below a random last layer.
    """

    preprocessing: Callable[[Architecture], Preprocessing]
    build: Callable[[Architecture, int, int, float], nn.Module]
    build_pretrained: Callable[[Architecture, int, int, float], nn.Module]


def _grey(size: int, mean: Any, std: Any, interpolation: str) -> Preprocessing:
    # The three input filters are summed into one, so a grey pixel should meet the mean of their recipes.
    mean, std = (sum(values) / len(values) for values in (mean, std))
    return Preprocessing(size=size, mean=mean, std=std, interpolation=interpolation)  # type: ignore[arg-type]


def _timm_config(record: Architecture) -> PretrainedCfg:
    config = timm.get_pretrained_cfg(record.pretrained)
    assert config is not None, record.pretrained  # a mistake in the table of the zoo, which tests would show
    return config


def _timm_preprocessing(record: Architecture) -> Preprocessing:
    config = _timm_config(record)
    return _grey(config.input_size[-1], config.mean, config.std, config.interpolation)


def _timm_options(record: Architecture, size: int, drop_rate: float) -> dict[str, Any]:
    # Position embeddings and attention windows are laid out for one input size; convolutions take any.
    fixed = {"img_size": size} if _timm_config(record).fixed_input_size else {}
    return {"in_chans": 1, "drop_rate": drop_rate, **fixed, **dict(record.options)}


def _timm_build(record: Architecture, outputs: int, size: int, drop_rate: float) -> nn.Module:
    return timm.create_model(record.pretrained, num_classes=outputs, **_timm_options(record, size, drop_rate))


def _timm_pretrained(record: Architecture, outputs: int, size: int, drop_rate: float) -> nn.Module:
    """ImageNet weights from the Hub; with all 1000 outputs first, for then timm loads them strictly."""
    path = fetch(str(_timm_config(record).hf_hub_id), _WEIGHTS)
    try:
        backbone = timm.create_model(
            record.pretrained,
            pretrained=True,
            pretrained_cfg_overlay={"file": str(path), "custom_load": False},
            **_timm_options(record, size, drop_rate),
        )
        missing = set(backbone.state_dict()) - set(load_file(path)) if record.surplus else ()
    except (RuntimeError, KeyError, SafetensorError) as error:
        raise InputError(
            f"The file {path} does not hold the weights of {record.pretrained}; delete it to fetch it again."
        ) from error
    if missing:
        raise InputError(f"The file {path} lacks {len(missing)} tensors of {record.pretrained}; delete it.")
    reset: Any = backbone.reset_classifier
    reset(outputs)
    return backbone


def _torchvision_preprocessing(record: Architecture) -> Preprocessing:
    recipe = torchvision.models.get_model_weights(record.name)[record.pretrained].transforms()
    return _grey(recipe.crop_size[0], recipe.mean, recipe.std, recipe.interpolation.value)


def _torchvision_build(record: Architecture, outputs: int, size: int, drop_rate: float) -> nn.Module:
    backbone = torchvision.models.get_model(record.name, num_classes=outputs, dropout=drop_rate)
    backbone.features[0] = _one_channel(backbone.features[0])
    return backbone


def _torchvision_pretrained(record: Architecture, outputs: int, size: int, drop_rate: float) -> nn.Module:
    backbone = torchvision.models.get_model(record.name, dropout=drop_rate)
    weights = torchvision.models.get_model_weights(record.name)[record.pretrained]
    backbone.load_state_dict(_download(weights.url))
    backbone.features[0] = _one_channel(backbone.features[0])
    last = backbone.classifier[-1]
    backbone.classifier[-1] = nn.Linear(last.in_features, outputs)
    return backbone


def _one_channel(conv: Any) -> nn.Conv2d:
    grey = nn.Conv2d(1, conv.out_channels, conv.kernel_size, conv.stride, conv.padding)
    with torch.no_grad():
        grey.weight.copy_(conv.weight.sum(1, keepdim=True))
        grey.bias.copy_(conv.bias)  # type: ignore[union-attr]
    return grey


def _download(url: str) -> Mapping[str, Tensor]:
    """A checkpoint whose name ends in the first digits of its SHA-256, as torchvision's do."""
    name = url.rsplit("/", 1)[-1]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path), progress=False)
        except OSError as error:
            raise InputError(
                f"{name} is neither in the local cache ({path.parent}) nor to be had from {url} "
                f"({type(error).__name__}); connect to the network once, or copy the file there."
            ) from error
    digits = path.stem.rsplit("-", 1)[-1]
    if not file_sha256(path).startswith(digits):
        raise InputError(f"The file {path} is not what its name says (its SHA-256 differs); delete it.")
    return torch.load(path, map_location="cpu", weights_only=True)


LIBRARIES: Final[Mapping[str, Library]] = MappingProxyType(
    {
        "timm": Library(_timm_preprocessing, _timm_build, _timm_pretrained),
        "torchvision": Library(_torchvision_preprocessing, _torchvision_build, _torchvision_pretrained),
    }
)
