"""Logits and scores of radiographs; the model is left unchanged."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cxrbench.data.images import CONSTANT
from cxrbench.errors import InputError
from cxrbench.inference.out_of_distribution import pool, relative_distances

if TYPE_CHECKING:  # thresholds and ensembles of stored scores need no torch
    from torch import Tensor

    from cxrbench.models import Classifier

__all__ = ["Outputs", "Row", "forward", "predict", "rescale", "sigmoid", "stream", "stream_rows"]

_CHANNELS: Final = (1, 3, 4)  # of an image with channels last; no radiograph is so narrow


@dataclass(frozen=True)
class Outputs:
    """Logits and scores of a model for N radiographs.

    Args:
        logits: (N, L) float32.
        scores: (N, L) float32 in [0, 1]: the sigmoid of the logits.
        notes: one sentence per radiograph, where its scores need an explanation; "" elsewhere.
        distances: (N,) float64, of each radiograph from the model's training films, relative to its
            validation films (``relative_distances``); NaN where the training films were not measured.
    """

    logits: np.ndarray
    scores: np.ndarray
    notes: tuple[str, ...] = ()
    distances: np.ndarray = field(default_factory=lambda: np.empty(0))


class Row(NamedTuple):
    """What a model says of one radiograph.

    Args:
        logits: (L,) float32.
        distance: from the training films, as in ``Outputs.distances``.
    """

    logits: np.ndarray
    distance: float


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Scores in [0, 1] of logits of any shape: s = 1 ÷ (1 + exp(−z)), without overflow."""
    import torch

    scores: np.ndarray = torch.sigmoid(torch.as_tensor(logits)).numpy()
    return scores


def rescale(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Rescale scores so that 0.5 is the operating point, for display beside other models.

    s ↦ s ÷ 2t below the threshold t, 1 − (1 − s) ÷ 2(1 − t) from there on: increasing, so that the ranking
    stays, but no longer a probability. Explanations are of logits, not of rescaled scores.

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
    rescaled: np.ndarray = np.where(scores < thresholds, below, above)
    return rescaled


def predict(
    model: "Classifier", images: np.ndarray | Iterable[np.ndarray], *, batch_size: int = 8
) -> Outputs:
    """Predict logits and scores of radiographs.

    Args:
        model: in eval mode, as ``create`` and ``load`` return it.
        images: one grey radiograph (H, W), or several: an array (N, H, W), or an iterable of any sizes; float
            in [0, 1], as ``read_image`` returns.
        batch_size: radiographs per forward pass; only so many are held at once.

    Raises:
        InputError: a module of the model is in train mode, its parameters have 16 bits, or an image is not
            grey in [0, 1]; a colour image (H, W, 3) is not mistaken for H radiographs.
    """
    notes: list[str] = []

    def with_notes() -> Iterator[np.ndarray]:
        for image in _as_iterable(images):
            notes.append(_note(image))
            yield image

    rows = list(stream_rows(model, with_notes(), batch_size=batch_size))
    logits = (
        np.stack([row.logits for row in rows]) if rows else np.empty((0, len(model.spec.labels)), np.float32)
    )
    return Outputs(logits, sigmoid(logits), tuple(notes), np.array([row.distance for row in rows]))


def stream(model: "Classifier", images: Iterable[np.ndarray], *, batch_size: int = 8) -> Iterator[np.ndarray]:
    """Yield the logits (L,) of each radiograph; arguments and errors as for ``predict``.

    At most ``batch_size`` radiographs are held at a time.
    """
    for row in stream_rows(model, images, batch_size=batch_size):
        yield row.logits


def stream_rows(model: "Classifier", images: Iterable[np.ndarray], *, batch_size: int = 8) -> Iterator[Row]:
    """Yield what the model says of each radiograph, as ``stream`` does, with its distance."""
    import torch

    from cxrbench.models.classifier import check_inference

    check_inference(model, model.spec.name)
    if batch_size < 1:
        raise InputError(f"batch_size must be at least 1; got {batch_size}.")
    remaining = iter(_as_iterable(images))
    while batch := [model.spec.preprocessing(image) for image in islice(remaining, batch_size)]:
        yield from map(Row, *forward(model, torch.stack(batch)))


def forward(model: "Classifier", images: "Tensor") -> tuple[np.ndarray, list[float]]:
    """One pass of preprocessed images (B, C, H, W), moved to the model's device and precision.

    Returns:
        Logits (B, L) float32, and the B distances from the training films (``Outputs.distances``).
    """
    import torch

    parameter = next(model.parameters())
    # Not around a yield: the consumer of the stream would run without gradients, too.
    with torch.no_grad():
        features, pooled = pool(model.all_features(images.to(parameter.device, parameter.dtype)))
        logits: np.ndarray = model.head(features).float().cpu().numpy()
    return logits, relative_distances(model, pooled).tolist()


def _as_iterable(images: "np.ndarray | Tensor | Iterable[np.ndarray]") -> Iterable[np.ndarray]:
    """Radiographs one by one; a single one (H, W) becomes a list of one."""
    shape = getattr(images, "shape", None)
    if shape is None:
        return images
    if len(shape) == 2:
        return [np.asarray(images)]
    if len(shape) != 3 or shape[-1] in _CHANNELS:
        raise InputError(
            f"images must be one grey radiograph (H, W), or several (N, H, W); got shape {tuple(shape)}: "
            "take one channel of a colour image or the mean of all, or open its file with read_image."
        )
    return images


def _note(image: np.ndarray) -> str:
    """Explanation that the scores of a radiograph need; "" for none."""
    grey = np.asarray(image)
    return CONSTANT if grey.size and grey.min() == grey.max() else ""
