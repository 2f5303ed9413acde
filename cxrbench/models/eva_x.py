"""EVA-X tiny (Yao et al. 2024, arXiv:2405.05237), on the zoo's EVA-02 backbone."""

import argparse
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor

from cxrbench.errors import InputError, look_up
from cxrbench.labels import NIH
from cxrbench.models.build import assemble
from cxrbench.models.classifier import Classifier
from cxrbench.models.folder import check_pinned, fit, read_weights, revision_of
from cxrbench.models.offered import OFFERED
from cxrbench.models.spec import ModelSpec
from cxrbench.preprocess import Preprocessing

__all__ = ["WEIGHTS", "Weights", "from_file", "from_state_dict"]


@dataclass(frozen=True)
class Weights:
    """What the outputs of fine-tuned weights are, and what they take.

    Args:
        labels: one per logit.
        preprocessing: of their evaluation.
    """

    labels: tuple[str, ...]
    preprocessing: Preprocessing


# Mean and standard deviation of their fine-tuning code for networks named EVA; its value for other networks,
# which their Grad-CAM script has for all, is 0.5056 and 0.252. They resize by Pillow's bicubic filter, which
# averages over pixels where it shrinks; here films that shrink by more than half are averaged by area.
_MEAN: Final = 0.49185243
_STD: Final = 0.28509309

# Name of an offered model → its weights.
WEIGHTS: Final[Mapping[str, Weights]] = MappingProxyType(
    {
        "eva-x-tiny-nih": Weights(
            NIH,
            # Resized to 256, of which the centre is taken.
            Preprocessing(
                size=224, mean=_MEAN, std=_STD, interpolation="bicubic", fit="crop", central=224 / 256
            ),
        ),
        "eva-x-tiny-chexpert": Weights(
            ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion"),
            Preprocessing(size=224, mean=_MEAN, std=_STD, interpolation="bicubic", fit="crop"),
        ),
    }
)


def from_file(file: str | Path, name: str) -> Classifier:
    """Build a model from its checkpoint, in eval mode, with frozen parameters.

    Args:
        file: the repository's ``.pth``, or its state dict (the entry ``model``) as ``.safetensors``. The
            former is a pickle: it is opened only if its SHA-256 is the one stated by the Hub, and by
            PyTorch's loader that makes tensors and plain values alone.
        name: a key of ``WEIGHTS``.

    Raises:
        InputError: unknown weights, another ``.pth``, or a file that does not hold a network of this kind.
    """
    look_up("weights of EVA-X", name, WEIGHTS)
    path = Path(file)
    if path.suffix == ".safetensors":
        return from_state_dict(read_weights(path), name, revision=revision_of(path))
    check_pinned(path, OFFERED[name].sha256)
    return from_state_dict(_state_of(path), name, revision=revision_of(path))


def from_state_dict(state: Mapping[str, Tensor], name: str, *, revision: str = "") -> Classifier:
    """Build a model from the state dict of EVA-X tiny, with the labels and preprocessing of ``name``.

    Thresholds are ½: none are published.

    Args:
        state: as their code names it.
        name: a key of ``WEIGHTS``.
        revision: of the file.

    Raises:
        InputError: unknown weights, or a state dict that is not of this network.
    """
    weights = look_up("weights of EVA-X", name, WEIGHTS)
    spec = ModelSpec(
        name=name,
        architecture="eva02_tiny",
        labels=weights.labels,
        preprocessing=weights.preprocessing,
        thresholds=(0.5,) * len(weights.labels),
        title=OFFERED[name].title,
    )
    model = assemble(spec, revision=revision)
    # The rotary embeddings are computed, not learned.
    converted = dict(_converted(key, value) for key, value in state.items() if "rope." not in key)
    fit(converted, model.backbone, name)
    return model.requires_grad_(False)


def _state_of(path: Path) -> Mapping[str, Tensor]:
    """The state dict in a checkpoint of theirs, beside which are the optimizer and the arguments."""
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            checkpoint: Any = torch.load(path, map_location="cpu", weights_only=True)
        state: Mapping[str, Tensor] = checkpoint["model"]
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, EOFError) as error:
        raise InputError(
            f"{path} holds more than a checkpoint of EVA-X, or none ({type(error).__name__}); give its state "
            "dict as .safetensors."
        ) from error
    return state


def _converted(name: str, value: Tensor) -> tuple[str, Tensor]:
    """A tensor by the name that timm gives it, for grey images."""
    name = name.replace(".mlp.w12.", ".mlp.fc1.").replace(".mlp.w3.", ".mlp.fc2.")
    if name == "patch_embed.proj.weight" and value.dim() == 4:
        # Three equal channels: one with the sum of the filters. Patches are not padded.
        value = value.sum(1, keepdim=True)
    return name, value.float()
