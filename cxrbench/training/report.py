"""Model card and evaluation table of a trained model, with clinical data and by study."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cxrbench.data import CLINICAL_FEATURES, Clinical, Studies, group_views
from cxrbench.metrics import ranking
from cxrbench.training.config import TrainConfig
from cxrbench.training.objective.losses import LOSSES
from cxrbench.training.objective.sampling import SAMPLINGS
from cxrbench.training.transfer.late_fusion import fit_fusion

__all__ = ["by_study", "card", "optional_metrics", "table", "with_patient"]


def card(config: TrainConfig, studies: Mapping[str, Studies]) -> str:
    """Text of the model card, in Markdown, without the metrics."""
    phases = ", then ".join(f"{phase.epochs} epochs at {phase.size}²" for phase in config.phases)
    counts = ", ".join(f"{len(part)} {split}" for split, part in studies.items())
    start = "ImageNet weights" if config.pretrained else "random weights"
    start = f"the weights of `{config.init}`" if config.init else start
    uncertain = (
        f"Uncertain training labels: policy `{config.data.policy}`; what is not mentioned counts as absent."
    )
    truth = "Training labels: the phantom's certain truth, not what its labeller says of it."
    lines = [
        f"Trained from {start} by `train/finetune.py`: {phases}; images: {counts}.",
        truth if config.data.certain else uncertain,
    ]
    if config.positive_weights:
        lines.append("Positives were weighed by n₋ / n₊, so scores rank studies; they are not probabilities.")
    if (config.loss, config.sampling, config.label_smoothing) != ("bce", "each", 0):
        lines.append(
            f"Loss: {LOSSES[config.loss].title}; sampling: {SAMPLINGS[config.sampling].summary}; label "
            f"smoothing {config.label_smoothing:g}. What moves scores makes them rank, not probabilities."
        )
    if config.hidden:
        lines.append(
            f"Head: {config.hidden} ReLU units, dropout {config.dropout:g}, then one logit per finding."
        )
    if config.data.phantom_patients:
        lines.append(
            "**It has only ever seen digital chest phantoms**, drawn by `cxrbench.data.phantom`. It knows "
            "nothing of real radiographs: its scores on them mean nothing. It exists so that explanations "
            "can be compared where the truth is known."
        )
    return "\n\n".join(lines)


def optional_metrics(
    config: TrainConfig,
    studies: Mapping[str, Studies],
    targets: Mapping[str, np.ndarray],
    scores: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """The gain from patient data and from further views, each where the recipe asks for it.

    Args:
        config: the recipe.
        studies: of train, valid and test.
        targets: of valid and test, (N, L).
        scores: of valid and test, (N, L).
    """
    found: dict[str, Any] = {}
    if config.clinical:
        found["clinical"] = with_patient(studies, targets, scores)
    if config.studies:
        found["by_study"] = by_study(studies["test"], targets["test"], scores["test"], config.studies)
    return found


def with_patient(
    studies: Mapping[str, Studies], targets: Mapping[str, np.ndarray], scores: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Late fusion with age, sex and view: its coefficients, and the test AUROC with and without it.

    Ages are standardised on the training studies; the fusion is fitted on the validation studies.

    Args:
        studies: of train, valid and test.
        targets: of valid and test, (N, L).
        scores: of valid and test, (N, L).
    """
    clinical = Clinical.fit(studies["train"])
    features = {split: clinical.features(studies[split]) for split in ("valid", "test")}
    fusion = fit_fusion(scores["valid"], features["valid"], targets["valid"])
    fused = fusion.scores(scores["test"], features["test"])
    return {
        "features": ["image", *CLINICAL_FEATURES],
        **clinical.as_dict(),
        "weights": fusion.weights.round(6).tolist(),
        "bias": fusion.bias.round(6).tolist(),
        "without": _mean_auroc(targets["test"], scores["test"]),
        "with": _mean_auroc(targets["test"], fused),
    }


def by_study(studies: Studies, targets: np.ndarray, scores: np.ndarray, how: str) -> dict[str, Any]:
    """Mean AUROC of single images and of studies with pooled scores.

    Args:
        studies: N images.
        targets: (N, L); a study has the targets of its first image.
        scores: (N, L).
        how: a key of ``data.POOLINGS``.
    """
    groups = group_views(studies)
    pooled = groups.pool(scores, how)
    return {
        "pooling": how,
        "studies": len(groups),
        "with_several_images": int((np.bincount(groups.of_row) > 1).sum()),
        "images_alone": _mean_auroc(targets, scores),
        "together": _mean_auroc(targets[groups.first], pooled),
    }


def _mean_auroc(targets: np.ndarray, scores: np.ndarray) -> float | None:
    values = ranking.auroc(targets, scores)
    return None if np.isnan(values).all() else round(float(np.nanmean(values)), 6)


def table(metrics: Mapping[str, Any]) -> str:
    """An evaluation as a table of text."""
    rows = [f"{'finding':28}{'AUROC':>7}{'n+':>6}{'n−':>6}"]
    for label, value in metrics["auroc"].items():
        shown = "–" if value is None else f"{value:.3f}"
        rows.append(f"{label:28}{shown:>7}{metrics['positives'][label]:6}{metrics['negatives'][label]:6}")
    mean = metrics["mean_auroc"]
    shown = "–" if mean is None else f"{mean:.4f}"
    return "\n".join([*rows, f"mean AUROC {shown} over {metrics['studies']} studies"])
