"""Creates a classifier: a backbone of the zoo for grey images, with labels."""

import threading
from collections.abc import Sequence
from typing import Final

import torch
from torch import nn

from cxrbench.errors import InputError
from cxrbench.models.classifier import Classifier
from cxrbench.models.colour import take_grey_in_colour
from cxrbench.models.libraries import LIBRARIES
from cxrbench.models.spec import ModelSpec
from cxrbench.models.zoo import architecture as find
from cxrbench.preprocess import Preprocessing

__all__ = ["assemble", "create", "default_preprocessing"]

# Initialisation uses the global random generator and restores its state: one model at a time.
_generator: Final = threading.Lock()


def default_preprocessing(name: str) -> Preprocessing:
    """The preprocessing that the ImageNet weights of an architecture were trained with, for one channel.

    Size, mean, standard deviation and interpolation are those of the backbone's own configuration. The input
    filters of the three colour channels are summed into one, so mean and standard deviation are averaged over
    the channels. The centre crop of ImageNet's evaluation is omitted: the network sees the whole radiograph.
    """
    record = find(name)
    return LIBRARIES[record.package].preprocessing(record)


def create(
    architecture: str,
    labels: Sequence[str],
    *,
    pretrained: bool = False,
    name: str | None = None,
    title: str = "",
    preprocessing: Preprocessing | None = None,
    thresholds: Sequence[float] | None = None,
    drop_rate: float = 0.0,
    hidden: int = 0,
    seed: int = 0,
) -> Classifier:
    """Create a classifier with a new last layer, in eval mode, with trainable parameters.

    Args:
        architecture: a key of ``ARCHITECTURES``.
        labels: one name per logit.
        pretrained: start from ImageNet weights (from the local cache or the network), not from random ones.
        name: name of the model; default: the architecture's.
        title: title of the model for display.
        preprocessing: default: ``default_preprocessing``; its size is also the input size of transformers.
        thresholds: one per label, in (0, 1); default: 0.5 each.
        drop_rate: dropout before the last layer, in [0, 1).
        hidden: units of a ReLU layer before the last one, as in Liz et al. 2022 (512); 0 for none.
        seed: seed of the random weights; equal seeds give equal models.

    Raises:
        InputError: an argument is invalid, or ImageNet weights are requested and not available.
    """
    if not 0 <= drop_rate < 1:
        raise InputError(f"drop_rate must lie in [0, 1); got {drop_rate}.")
    spec = ModelSpec(
        name=architecture if name is None else name,
        architecture=architecture,
        labels=tuple(labels),
        preprocessing=preprocessing or default_preprocessing(architecture),
        thresholds=tuple(thresholds) if thresholds is not None else (0.5,) * len(labels),
        title=title,
        hidden=hidden,
    )
    return assemble(spec, pretrained=pretrained, drop_rate=drop_rate, seed=seed)


def assemble(
    spec: ModelSpec, *, pretrained: bool = False, drop_rate: float = 0.0, seed: int = 0, revision: str = ""
) -> Classifier:
    """Build the classifier that a spec describes, in eval mode; with random weights unless ``pretrained``."""
    record = find(spec.architecture)
    library = LIBRARIES[record.package]
    build = library.build_pretrained if pretrained else library.build
    size = spec.preprocessing.input_shape
    with _generator, torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would also reseed accelerators.
        torch.default_generator.manual_seed(seed)
        try:
            backbone = build(record, len(spec.labels), size, 0.0 if spec.hidden else drop_rate)
            if spec.hidden:
                _insert_hidden_layer(backbone, spec.hidden, drop_rate)
            if spec.channels == 3:
                take_grey_in_colour(backbone)
            model = Classifier(backbone, spec, revision=revision).eval()
            _ = model.grids  # computed now, so that threads that share the model only read it
        except InputError as error:
            raise InputError(
                f"There are no ImageNet weights for {spec.architecture}: {error} "
                "Or use random weights (pretrained=False)."
            ) from error
        except (RuntimeError, ValueError, AssertionError, ZeroDivisionError) as error:
            raise InputError(
                f"{spec.architecture} cannot take images of {size[1]} × {size[0]} pixels; its own size is "
                f"{default_preprocessing(spec.architecture).size}."
            ) from error
    return model


def _insert_hidden_layer(backbone: nn.Module, hidden: int, drop_rate: float) -> None:
    """Replace the last linear layer by linear, ReLU, dropout, linear."""
    name, last = [(name, part) for name, part in backbone.named_modules() if isinstance(part, nn.Linear)][-1]
    parent, _, child = name.rpartition(".")
    first = nn.Linear(last.in_features, hidden)
    head = nn.Sequential(first, nn.ReLU(), nn.Dropout(drop_rate), nn.Linear(hidden, last.out_features))
    setattr(backbone.get_submodule(parent), child, head)
