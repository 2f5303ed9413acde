"""Logits and scores of radiographs; the model is left unchanged."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

import numpy as np

from cxrbench.data.images import CONSTANT
from cxrbench.errors import InputError

if TYPE_CHECKING:  # whoever only thresholds or combines stored scores needs no torch
    from torch import Tensor

    from cxrbench.models import Classifier

__all__ = ["Outputs", "predict", "rescale", "sigmoid", "stream"]

_CHANNELS: Final = (1, 3, 4)  # of a picture whose last axis is its colours; no radiograph is so narrow


@dataclass(frozen=True)
class Outputs:
    """What a model says about N radiographs.

    Args:
        logits: (N, L) float32.
        scores: (N, L) float32 in [0, 1]: the sigmoid of the logits.
        notes: one sentence per radiograph on what must be known to read its scores; "" for nothing.
    """

    logits: np.ndarray
    scores: np.ndarray
    notes: tuple[str, ...] = ()


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logits of any shape → scores in [0, 1]: s = 1 ÷ (1 + exp(−z)), without overflow at either end."""
    import torch

    return torch.sigmoid(torch.as_tensor(logits)).numpy()


def rescale(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Scores moved so that one half is the operating point, for display beside other models.

    s ↦ s ÷ 2t below the threshold t, 1 − (1 − s) ÷ 2(1 − t) from there on: increasing, so that no ranking
    changes, but no longer a probability; explanations are of logits, never of this.

    Args:
        scores: (..., L) in [0, 1].
        thresholds: (L,) in (0, 1).

    Returns:
        (..., L) in [0, 1], 0.5 at the threshold.

    Reference: the calibration of torchxrayvision's models, Cohen et al. 2020, arXiv:2002.02497.
    """
    scores, thresholds = np.asarray(scores), np.asarray(thresholds)
    below = scores / (2 * thresholds)
    above = 1 - (1 - scores) / (2 * (1 - thresholds))
    return np.where(scores < thresholds, below, above)


def predict(
    model: "Classifier", images: np.ndarray | Iterable[np.ndarray], *, batch_size: int = 8
) -> Outputs:
    """Logits and scores of radiographs.

    Args:
        model: in eval mode, as ``create`` and ``load`` give it.
        images: one grey radiograph (H, W), or several: an array (N, H, W), or one after the other of any
            sizes; float in [0, 1], as ``read_image`` gives.
        batch_size: radiographs in one forward pass; only so many are held at once.

    Raises:
        InputError: a module of the model is in train mode, its parameters have 16 bits, or an image is not a
            grey one in [0, 1]; a colour picture (H, W, 3) is not taken for H radiographs.
    """
    notes: list[str] = []

    def noted() -> Iterator[np.ndarray]:
        for image in _several(images):
            notes.append(_note(image))
            yield image

    rows = list(stream(model, noted(), batch_size=batch_size))
    logits = np.stack(rows) if rows else np.empty((0, len(model.spec.labels)), np.float32)
    return Outputs(logits, sigmoid(logits), tuple(notes))


def stream(model: "Classifier", images: Iterable[np.ndarray], *, batch_size: int = 8) -> Iterator[np.ndarray]:
    """The logits (L,) of one radiograph after the other; arguments and errors as in ``predict``.

    Never more than ``batch_size`` radiographs are held, however many there are to come.
    """
    import torch

    from cxrbench.models.classifier import check_inference

    check_inference(model, model.spec.name)
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1; got {batch_size}.")
    remaining = iter(_several(images))
    while batch := [model.spec.preprocessing(image) for image in islice(remaining, batch_size)]:
        yield from _logits(model, torch.stack(batch))


def _logits(model: "Classifier", images: "Tensor") -> np.ndarray:
    import torch

    parameter = next(model.parameters())
    # Not around a yield: whoever consumes the stream would run without gradients, too.
    with torch.no_grad():
        return model(images.to(parameter.device, parameter.dtype)).float().cpu().numpy()


def _several(images: "np.ndarray | Tensor | Iterable[np.ndarray]") -> Iterable[np.ndarray]:
    """Radiographs one by one; one alone as the only one."""
    shape = getattr(images, "shape", None)
    if shape is None:
        return images
    if len(shape) == 2:
        return [np.asarray(images)]
    if len(shape) != 3 or shape[-1] in _CHANNELS:
        raise InputError(
            f"images must be one grey radiograph (H, W), or several (N, H, W); got shape {tuple(shape)}: "
            "take one channel of a colour picture or their mean, or let read_image open its file."
        )
    return images


def _note(image: np.ndarray) -> str:
    """What must be known of a radiograph to read its scores; "" for nothing."""
    grey = np.asarray(image)
    return CONSTANT if grey.size and grey.min() == grey.max() else ""
