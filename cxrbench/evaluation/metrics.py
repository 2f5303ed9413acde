"""The metrics of a model on a data set, each with its interval; the content of evaluation.json."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cxrbench.errors import InputError, look_up
from cxrbench.evaluation.predictions import Predictions
from cxrbench.metrics import DECISIONS, averages, sets, statistics
from cxrbench.metrics.intervals import Interval, Statistic, bootstrap

__all__ = ["METRICS", "SETS", "Metric", "evaluate", "measure", "metric"]

# targets (N, L), scores (N, L), thresholds (L,) → what can be resampled
Make = Callable[[np.ndarray, np.ndarray, np.ndarray], Statistic]


@dataclass(frozen=True)
class Metric:
    """A metric of scores, or of the binary predictions that thresholds make of them.

    Args:
        name: its key.
        title: for tables.
        make: targets (N, L), scores (N, L), thresholds (L,) → a statistic.
        higher_is_better: whether larger values are better.
        at_threshold: whether it depends on the thresholds.
        summary: one sentence for a reader.
    """

    name: str
    title: str
    make: Make
    higher_is_better: bool
    at_threshold: bool
    summary: str


def _decision(of: Callable[..., np.ndarray]) -> Make:
    return lambda targets, scores, cuts: statistics.decision(of, targets, scores >= cuts)


# One value per finding.
METRICS: Final[dict[str, Metric]] = {
    record.name: record
    for record in (
        Metric(
            "auroc",
            "AUROC",
            lambda t, s, _: statistics.auroc(t, s),
            True,
            False,
            "How often a positive scores above a negative: 0.5 by chance, 1 at best.",
        ),
        Metric(
            "average_precision",
            "average precision",
            lambda t, s, _: statistics.average_precision(t, s),
            True,
            False,
            "The area under the precision–recall steps: by chance the share of positives, 1 at best.",
        ),
        Metric(
            "brier",
            "Brier",
            lambda t, s, _: statistics.mean((s - t) ** 2),
            False,
            False,
            "The mean squared distance of score and truth: 0 at best.",
        ),
        Metric(
            "calibration_error",
            "ECE",
            lambda t, s, _: statistics.calibration_error(t, s),
            False,
            False,
            "How far scores and shares of positives lie apart on the mean, in ten bins: 0 at best.",
        ),
        *(
            Metric(record.name, record.title, _decision(record.compute), True, True, record.summary)
            for record in DECISIONS.values()
        ),
    )
}

# One value per image.
SETS: Final[dict[str, Metric]] = {
    record.name: record
    for record in (
        Metric(
            "hamming_loss",
            "Hamming loss",
            lambda t, s, cuts: statistics.mean(sets.hamming_loss(t, s >= cuts)),
            False,
            True,
            "The share of wrong answers of an image: 0 at best.",
        ),
        Metric(
            "subset_accuracy",
            "subset accuracy",
            lambda t, s, cuts: statistics.mean(sets.subset_accuracy(t, s >= cuts)),
            True,
            True,
            "The share of images with every answer right.",
        ),
        Metric(
            "label_ranking_precision",
            "LRAP",
            lambda t, s, _: statistics.mean(sets.label_ranking_precision(t, s)),
            True,
            False,
            "How pure an image's list of findings is, from the highest score down to each true one.",
        ),
        Metric(
            "coverage",
            "coverage",
            lambda t, s, _: statistics.mean(sets.coverage(t, s)),
            False,
            False,
            "How many findings one reads from the highest score down until all true ones are seen.",
        ),
    )
}


def metric(name: str) -> Metric:
    """The metric of this name, per finding or per image.

    Raises:
        InputError: an unknown name; the message lists the known ones.
    """
    return look_up("metric", name, {**METRICS, **SETS})


def measure(
    predictions: Predictions,
    thresholds: Sequence[float] | np.ndarray,
    names: Sequence[str] = tuple(METRICS),
    *,
    count: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Metrics with 95 % confidence intervals from a patient-level bootstrap.

    Args:
        predictions: of one split.
        thresholds: L operating points, chosen on other studies.
        names: keys of `METRICS` (one value per finding, (L,)) or `SETS` (one value, ()).
        count: resamples.
        seed: of the resamples, which are the same for every metric and model on these images.

    Raises:
        InputError: there is no image, or a metric is unknown.
    """
    if not len(predictions):
        raise InputError(f"{predictions.name or 'The predictions'} hold no image to measure; choose a split.")
    cuts = np.asarray(thresholds, np.float64)
    return {
        name: bootstrap(
            metric(name).make(predictions.targets, predictions.scores, cuts),
            predictions.patients,
            count=count,
            seed=seed,
        )
        for name in names
    }


def evaluate(
    predictions: Predictions, thresholds: Sequence[float] | np.ndarray, *, count: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """All metrics as plain values, for ``evaluation.json``; undefined is None.

    Args:
        predictions: of the images to evaluate on.
        thresholds: L operating points, chosen on other studies.
        count: resamples.
        seed: of the resamples.

    Returns:
        ``studies`` (images), ``patients``, ``mean_auroc``; by finding ``positives``, ``negatives``,
        ``threshold`` and every key of `METRICS`; ``intervals``: key → finding → [low, high]; ``means``: key →
        value, findings averaged and left out, low and high; ``sets``: the keys of `SETS`, as means are;
        ``bootstrap``: how the intervals came about.
    """
    truth, labels = predictions.targets, predictions.labels
    cuts = np.asarray(thresholds, np.float64)
    measured = measure(predictions, cuts, (*METRICS, *SETS), count=count, seed=seed)
    by_finding = {name: measured[name] for name in METRICS}
    means = {name: _mean(interval) for name, interval in by_finding.items()}
    return {
        "studies": len(predictions),
        "patients": len(np.unique(predictions.patients)),
        "mean_auroc": means["auroc"]["value"],
        "positives": dict(zip(labels, (truth == 1).sum(0).tolist(), strict=True)),
        "negatives": dict(zip(labels, (truth == 0).sum(0).tolist(), strict=True)),
        "threshold": dict(zip(labels, cuts.tolist(), strict=True)),
        **{name: _by_label(labels, interval.estimate) for name, interval in by_finding.items()},
        "intervals": {
            name: {
                label: _ends(low, high)
                for label, low, high in zip(labels, interval.low, interval.high, strict=True)
            }
            for name, interval in by_finding.items()
        },
        "means": means,
        "sets": {
            name: {"value": _plain(interval.estimate), **_named(interval.low, interval.high)}
            for name, interval in ((name, measured[name]) for name in SETS)
        },
        "bootstrap": {"resamples": count, "level": 0.95, "unit": "patient", "seed": seed},
    }


def _mean(interval: Interval) -> Mapping[str, Any]:
    """The mean over defined findings, with its own percentile interval from the same resamples."""
    average = averages.macro(interval.estimate)
    kept = ~np.isnan(interval.estimate)
    drawn = interval.replicates[:, kept].mean(1) if kept.any() else np.full(1, np.nan)
    drawn = drawn[~np.isnan(drawn)]  # a resample that loses a finding averages over others
    enough = len(drawn) > 0.9 * len(interval.replicates)
    low, high = np.quantile(drawn, [0.025, 0.975]) if enough else (np.nan, np.nan)
    return {
        "value": _plain(average.value),
        "findings": average.findings,
        "left_out": average.left_out,
        **_named(low, high),
    }


def _plain(value: float | np.ndarray) -> float | None:
    return None if math.isnan(value) else float(value)


def _ends(low: float, high: float) -> list[float] | None:
    return None if math.isnan(low) else [float(low), float(high)]


def _named(low: float | np.ndarray, high: float | np.ndarray) -> dict[str, float | None]:
    return {"low": _plain(low), "high": _plain(high)}


def _by_label(labels: Sequence[str], values: np.ndarray) -> dict[str, float | None]:
    return {label: _plain(value) for label, value in zip(labels, values, strict=True)}
