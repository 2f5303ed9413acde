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
    """A package that builds backbones.

    Args:
        preprocessing: architecture → preprocessing of its ImageNet weights, for one channel.
        build: (architecture, outputs, (height, width), drop rate) → a randomly initialised backbone for grey
            images.
        build_pretrained: the same with ImageNet weights below a random last layer.
    """

    preprocessing: Callable[[Architecture], Preprocessing]
    build: Callable[[Architecture, int, tuple[int, int], float], nn.Module]
    build_pretrained: Callable[[Architecture, int, tuple[int, int], float], nn.Module]


def _grey(size: int, mean: Any, std: Any, interpolation: str) -> Preprocessing:
    # The three input filters are summed into one, so mean and standard deviation are averaged.
    mean, std = (sum(values) / len(values) for values in (mean, std))
    return Preprocessing(size=size, mean=mean, std=std, interpolation=interpolation)  # type: ignore[arg-type]


def _timm_config(record: Architecture) -> PretrainedCfg:
    config = timm.get_pretrained_cfg(record.pretrained)
    assert config is not None, record.pretrained  # an error in ARCHITECTURES, which tests would show
    return config


def _timm_preprocessing(record: Architecture) -> Preprocessing:
    config = _timm_config(record)
    return _grey(config.input_size[-1], config.mean, config.std, config.interpolation)


def _timm_options(record: Architecture, size: tuple[int, int], drop_rate: float) -> dict[str, Any]:
    # Position embeddings and attention windows are built for one input size; convolutions take any.
    fixed = {"img_size": size} if _timm_config(record).fixed_input_size else {}
    return {"in_chans": 1, "drop_rate": drop_rate, **fixed, **dict(record.options)}


def _timm_build(record: Architecture, outputs: int, size: tuple[int, int], drop_rate: float) -> nn.Module:
    return timm.create_model(record.pretrained, num_classes=outputs, **_timm_options(record, size, drop_rate))


def _timm_pretrained(
    record: Architecture, outputs: int, size: tuple[int, int], drop_rate: float
) -> nn.Module:
    """ImageNet weights from the Hub; loaded with all 1000 outputs, because timm then loads strictly."""
    if not record.imagenet:
        raise InputError(f"nobody has published any of {record.title}.")
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
        raise InputError(
            f"The file {path} lacks {len(missing)} tensors of {record.pretrained}; delete it to fetch it "
            "again."
        )
    reset: Any = backbone.reset_classifier
    reset(outputs)
    return backbone


def _torchvision_preprocessing(record: Architecture) -> Preprocessing:
    transforms = torchvision.models.get_model_weights(record.name)[record.pretrained].transforms()
    return _grey(transforms.crop_size[0], transforms.mean, transforms.std, transforms.interpolation.value)


def _torchvision_build(
    record: Architecture, outputs: int, size: tuple[int, int], drop_rate: float
) -> nn.Module:
    backbone: nn.Module = torchvision.models.get_model(record.name, num_classes=outputs, dropout=drop_rate)
    _take_grey(backbone)
    return backbone


def _torchvision_pretrained(
    record: Architecture, outputs: int, size: tuple[int, int], drop_rate: float
) -> nn.Module:
    backbone: nn.Module = torchvision.models.get_model(record.name, dropout=drop_rate)
    weights = torchvision.models.get_model_weights(record.name)[record.pretrained]
    backbone.load_state_dict(_download(weights.url))
    _take_grey(backbone)
    classifier = backbone.get_submodule("classifier")
    assert isinstance(classifier, nn.Sequential)
    last = classifier[-1]
    assert isinstance(last, nn.Linear)
    classifier[-1] = nn.Linear(last.in_features, outputs)
    return backbone


def _take_grey(backbone: nn.Module) -> None:
    """Replace the first convolution by one for grey images, whose filters are the sums over the channels."""
    features = backbone.get_submodule("features")
    assert isinstance(features, nn.Sequential)
    features[0] = _one_channel(features[0])


def _one_channel(conv: Any) -> nn.Conv2d:
    grey = nn.Conv2d(1, conv.out_channels, conv.kernel_size, conv.stride, conv.padding)
    assert grey.bias is not None
    with torch.no_grad():
        grey.weight.copy_(conv.weight.sum(1, keepdim=True))
        grey.bias.copy_(conv.bias)
    return grey


def _download(url: str) -> Mapping[str, Tensor]:
    """Load a checkpoint whose name ends in the first digits of its SHA-256, as torchvision's do."""
    name = url.rsplit("/", 1)[-1]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path), progress=False)
        except OSError as error:
            raise InputError(
                f"{name} is neither in the local cache ({path.parent}) nor available from {url} "
                f"({type(error).__name__}); connect to the network once, or copy the file there."
            ) from error
    digits = path.stem.rsplit("-", 1)[-1]
    if not file_sha256(path).startswith(digits):
        raise InputError(
            f"The SHA-256 of {path} differs from the digits in its name; delete the file to fetch it again."
        )
    state: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


LIBRARIES: Final[Mapping[str, Library]] = MappingProxyType(
    {
        "timm": Library(_timm_preprocessing, _timm_build, _timm_pretrained),
        "torchvision": Library(_torchvision_preprocessing, _torchvision_build, _torchvision_pretrained),
    }
)
