"""Bootstrap intervals compared with a loop over scikit-learn: same resamples, same numbers.

    python -m benchmarks.metrics                    # random data of the size of CheXNet's test split
    python -m benchmarks.metrics --csv scores.csv   # or predictions that `cxrbench evaluate` wrote
    python -m benchmarks.metrics --json results.json

Both use the same resamples of patients. This library computes all of them; the loop over `roc_auc_score`
computes a few, in turn with this library, and its time for all is extrapolated as the median time of one
resample times their number, because a thousand would take minutes. The largest difference over the resamples
that both computed is printed, and DeLong's intervals beside those of the bootstrap.
"""

import argparse
import json
import statistics as medians
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import roc_auc_score

from cxrbench.evaluation import read_predictions
from cxrbench.metrics import auroc, bootstrap, delong, statistics
from cxrbench.metrics.intervals import resamples
from cxrbench.writing import write_text


def random_predictions(
    images: int, findings: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets (N, L) with prevalences from 0.2 to 20 %, scores with an AUROC of about 0.8, patients (N,)."""
    random = np.random.default_rng(seed)
    prevalences = np.geomspace(0.002, 0.2, findings)
    targets = (random.random((images, findings)) < prevalences).astype(np.float64)
    logits = 1.2 * targets + random.normal(size=targets.shape)
    patients = np.sort(random.integers(0, max(images // 8, 1), images))  # eight images per patient
    return targets, (1 / (1 + np.exp(-logits))).astype(np.float32), patients


def looped(targets: np.ndarray, scores: np.ndarray, copies: np.ndarray) -> np.ndarray:
    """AUROCs (L,) of one resample by scikit-learn, finding by finding."""
    rows = np.repeat(np.arange(len(targets)), copies)
    truth, predicted = targets[rows], scores[rows]
    values = np.full(targets.shape[1], np.nan)
    for finding in range(targets.shape[1]):
        known = ~np.isnan(truth[:, finding])
        values[finding] = roc_auc_score(truth[known, finding], predicted[known, finding])
    return values


def compare(
    targets: np.ndarray, scores: np.ndarray, patients: np.ndarray, *, count: int, loops: int
) -> dict[str, Any]:
    """Times of both, and their differences."""
    statistics.auroc(targets[:100], scores[:100])(np.ones((100, 1), np.float32))  # imports, once
    ours, theirs, gaps = [], [], []
    weights = np.concatenate(list(resamples(patients, loops)), axis=1).astype(np.intp)
    for index in range(loops):
        started = time.perf_counter()
        interval = bootstrap(statistics.auroc(targets, scores), patients, count=count)
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        values = looped(targets, scores, weights[:, index])
        theirs.append(time.perf_counter() - started)
        gaps.append(np.nanmax(np.abs(values - interval.replicates[index])))
    fast, slow = medians.median(ours), medians.median(theirs) * count
    delong_intervals = [delong(targets[:, i], scores[:, i]).interval() for i in range(targets.shape[1])]
    return {
        "images": len(targets),
        "patients": len(np.unique(patients)),
        "findings": targets.shape[1],
        "resamples": count,
        "ours_seconds": fast,
        "sklearn_seconds_extrapolated": slow,
        "sklearn_resamples_run": loops,
        "bootstrap_vs_sklearn": slow / fast,
        "largest_difference": float(max(gaps)),
        "plain_auroc_identical": bool(
            np.array_equal(auroc(targets, scores), interval.estimate, equal_nan=True)
        ),
        "bootstrap_intervals": np.stack([interval.low, interval.high], 1).round(4).tolist(),
        "delong_intervals_by_image": np.round(delong_intervals, 4).tolist(),
    }


def main() -> None:
    """Measure, print, and write the results if requested."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=22_433)
    parser.add_argument("--findings", type=int, default=14)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--loops", type=int, default=5, help="resamples of the loop over scikit-learn")
    parser.add_argument("--csv", type=Path, help="predictions to use instead of random ones")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    options = parser.parse_args()
    # A resample may have no positives of a rare finding; the AUROC is then NaN on both sides.
    warnings.simplefilter("ignore", UndefinedMetricWarning)
    if options.csv:
        predictions = read_predictions(options.csv)
        data = predictions.targets, predictions.scores, predictions.patients
    else:
        data = random_predictions(options.images, options.findings)
    results = compare(*data, count=options.resamples, loops=options.loops)
    for name, value in results.items():
        if not isinstance(value, list):
            print(f"{name:32}{value:.4g}" if isinstance(value, float) else f"{name:32}{value}")
    if options.json:
        write_text(options.json, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
