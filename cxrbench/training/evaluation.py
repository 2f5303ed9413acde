"""What a trained model is worth: scores, operating points, and a file of figures beside the weights."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader

from cxrbench.metrics import ranking
from cxrbench.training.dataset import Images

__all__ = ["evaluate", "scores_of", "youden"]


@torch.no_grad()
def scores_of(
    model: nn.Module, images: Images, *, batch: int = 64, accelerator: Accelerator | None = None
) -> np.ndarray:
    """Scores of every image, in order, in float32 and eval mode; the train flag is given back as it was.

    Args:
        model: images (B, 1, S, S) → logits (B, L).
        images: which.
        batch: images a pass.
        accelerator: shares the images out between its processes, each of which gets all scores; without one,
            this process computes them all.

    Returns:
        (N, L) float32 in [0, 1].
    """
    device = next(model.parameters()).device
    loader = DataLoader(images, batch_size=batch, generator=torch.Generator())
    if accelerator:
        loader = accelerator.prepare_data_loader(loader)
    training = model.training
    model.eval()
    parts = []
    try:
        for pixels, _, _ in loader:
            logits = model(pixels.to(device).contiguous(memory_format=torch.channels_last))
            scores = logits.float().sigmoid()
            parts.append((accelerator.gather_for_metrics(scores) if accelerator else scores).cpu())
    finally:
        model.train(training)
    return torch.cat(parts).numpy()


def youden(targets: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Operating points: for each finding the threshold with the largest sensitivity + specificity.

    The threshold lies half-way between the lowest score that is called positive and the next lower one, so
    that rounding the weights does not flip the study that set it.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1].

    Returns:
        (L,) in (0, 1); 0.5 where a finding has no positive or no negative.

    Reference:
        Youden 1950, doi:10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.
    """
    thresholds = np.full(targets.shape[1], 0.5)
    for index, (truth, score) in enumerate(zip(targets.T, scores.T, strict=True)):
        known = ~np.isnan(truth)
        truth, score = truth[known] > 0, score[known].astype(np.float64)
        if truth.all() or not truth.any():
            continue
        cuts = np.unique(score)
        order = np.argsort(score, kind="stable")
        below = np.searchsorted(score[order], cuts)  # how many scores lie below each cut
        hits = np.concatenate(([0], np.cumsum(truth[order])))[below]
        missed, cleared = hits / truth.sum(), (below - hits) / (~truth).sum()
        best = int(np.argmax(cleared - missed))
        thresholds[index] = (cuts[best] + cuts[max(best - 1, 0)]) / 2
    return np.clip(thresholds, 1e-4, 1 - 1e-4)


def evaluate(
    targets: np.ndarray, scores: np.ndarray, labels: Sequence[str], thresholds: Sequence[float]
) -> dict[str, Any]:
    """Figures as plain values, for ``evaluation.json``.

    Args:
        targets: (N, L) of 1, 0 or NaN.
        scores: (N, L) in [0, 1].
        labels: L names.
        thresholds: L operating points.

    Returns:
        ``studies``; ``mean_auroc`` over the findings where it is defined; and by finding ``auroc``,
        ``positives``, ``negatives``, ``sensitivity`` and ``specificity`` at the threshold. Undefined is None.
    """
    positive, negative = targets == 1, targets == 0
    called = scores >= np.asarray(thresholds)
    aurocs = ranking.auroc(targets, scores)
    defined = aurocs[~np.isnan(aurocs)]
    with np.errstate(invalid="ignore"):
        sensitivity = (called & positive).sum(0) / positive.sum(0)
        specificity = (~called & negative).sum(0) / negative.sum(0)
    columns = {
        "auroc": aurocs,
        "sensitivity": sensitivity,
        "specificity": specificity,
    }
    figures: dict[str, Any] = {
        "studies": len(targets),
        "mean_auroc": float(defined.mean()) if len(defined) else None,
    }
    for name, values in columns.items():
        figures[name] = {
            label: None if math.isnan(v) else float(v) for label, v in zip(labels, values, strict=True)
        }
    for name, counts in (("positives", positive.sum(0)), ("negatives", negative.sum(0))):
        figures[name] = {label: int(n) for label, n in zip(labels, counts, strict=True)}
    return figures
