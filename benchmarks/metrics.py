"""Bootstrap intervals beside a loop over scikit-learn: the same resamples, the same numbers, in one run.

    python -m benchmarks.metrics                    # data of the size of CheXNet's test split, drawn here
    python -m benchmarks.metrics --csv scores.csv   # or predictions that `cxrbench evaluate` wrote
    python -m benchmarks.metrics --json figures.json

Both sides get the same patients drawn. Ours does all resamples; the loop over `roc_auc_score` does a few of
them, round after round in turn with ours, and its time for all is the median of one resample times their
number (``extrapolated``: a thousand would take minutes). The largest difference between the two over the
resamples that both did is printed, and so is DeLong's interval beside the bootstrap's.
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


def drawn(images: int, findings: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets (N, L) of prevalences from 0.2 to 20 %, scores of an AUROC of about 0.8, and patients (N,)."""
    random = np.random.default_rng(seed)
    shares = np.geomspace(0.002, 0.2, findings)
    targets = (random.random((images, findings)) < shares).astype(np.float64)
    logits = 1.2 * targets + random.normal(size=targets.shape)
    patients = np.sort(random.integers(0, max(images // 8, 1), images))  # eight images per patient
    return targets, (1 / (1 + np.exp(-logits))).astype(np.float32), patients


def looped(targets: np.ndarray, scores: np.ndarray, copies: np.ndarray) -> np.ndarray:
    """AUROCs (L,) of one resample as people write it: pick the rows, ask scikit-learn finding by finding."""
    rows = np.repeat(np.arange(len(targets)), copies)
    truth, said = targets[rows], scores[rows]
    values = np.full(targets.shape[1], np.nan)
    for finding in range(targets.shape[1]):
        known = ~np.isnan(truth[:, finding])
        values[finding] = roc_auc_score(truth[known, finding], said[known, finding])
    return values


def compare(
    targets: np.ndarray, scores: np.ndarray, patients: np.ndarray, *, count: int, loops: int
) -> dict[str, Any]:
    """Times and differences of both ways."""
    statistics.auroc(targets[:100], scores[:100])(np.ones((100, 1), np.float32))  # imports, once
    ours, theirs, gaps = [], [], []
    weights = np.concatenate(list(resamples(patients, loops)), axis=1).astype(np.intp)
    for one in range(loops):
        started = time.perf_counter()
        interval = bootstrap(statistics.auroc(targets, scores), patients, count=count)
        ours.append(time.perf_counter() - started)
        started = time.perf_counter()
        values = looped(targets, scores, weights[:, one])
        theirs.append(time.perf_counter() - started)
        gaps.append(np.nanmax(np.abs(values - interval.replicates[one])))
    fast, slow = medians.median(ours), medians.median(theirs) * count
    second = [delong(targets[:, i], scores[:, i]).interval() for i in range(targets.shape[1])]
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
        "delong_intervals_by_image": np.round(second, 4).tolist(),
    }


def main() -> None:
    """Measure, say, and perhaps store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--images", type=int, default=22_433)
    parser.add_argument("--findings", type=int, default=14)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--loops", type=int, default=5, help="resamples that the loop over scikit-learn does")
    parser.add_argument("--csv", type=Path, help="predictions to take in place of drawn ones")
    parser.add_argument("--json", type=Path, help="store the figures there")
    options = parser.parse_args()
    # A resample may lack a rare finding; both sides then say NaN.
    warnings.simplefilter("ignore", UndefinedMetricWarning)
    if options.csv:
        said = read_predictions(options.csv)
        given = said.targets, said.scores, said.patients
    else:
        given = drawn(options.images, options.findings)
    figures = compare(*given, count=options.resamples, loops=options.loops)
    for name, value in figures.items():
        if not isinstance(value, list):
            print(f"{name:32}{value:.4g}" if isinstance(value, float) else f"{name:32}{value}")
    if options.json:
        write_text(options.json, json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
