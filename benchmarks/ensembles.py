"""Which ensemble is best depends on the metric (Liz et al. 2022, arXiv:2207.14408).

    python -m benchmarks.ensembles                                  # all shipped models that have predictions
    python -m benchmarks.ensembles --models vit_tiny densenet121 --rule half
    python -m benchmarks.ensembles --json results.json

Reads the predictions stored with the weights; no network is run. Thresholds and ensemble weights are fitted
on the validation images. Metrics are of the test images: means over the findings, with 95 % confidence
intervals of the AUROC.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cxrbench.errors import InputError
from cxrbench.evaluation import Predictions, System, fit_systems, ranked, read_predictions, row
from cxrbench.inference import THRESHOLDS
from cxrbench.metrics import bootstrap, statistics
from cxrbench.models import folder as files
from cxrbench.models import hub
from cxrbench.writing import write_text

SHOWN = ("auroc", "auroc_of_calls", "f1", "f1_macro", "hamming_loss", "subset_accuracy")


def stored(names: Sequence[str]) -> dict[str, Predictions]:
    """Stored predictions of the named models; default: of all models but those with a shortcut."""
    available = {
        entry.spec.name: read_predictions(entry.folder / files.PREDICTIONS, entry.spec.name)
        for entry in hub.scan()
        if entry.spec and (entry.folder / files.PREDICTIONS).is_file()
    }
    unknown = [name for name in names if name not in available]
    if unknown or not available:
        raise InputError(
            f"No predictions are stored of {', '.join(unknown) or 'any model'}; choose from: "
            f"{', '.join(available) or 'none'}."
        )
    # A model that was trained with a shortcut is for demonstration, not for ensembles.
    chosen = names or [name for name in available if "shortcut" not in name]
    return {name: available[name] for name in chosen}


def leaderboard(systems: Sequence[System], resamples: int) -> dict[str, Any]:
    """One row per model or ensemble, with an interval of its AUROC, and the best one by each metric."""
    rows = [row(system) for system in systems]
    table = []
    for system, metrics in zip(systems, rows, strict=True):
        predictions = system.shown
        mean = statistics.macro(statistics.auroc(predictions.targets, predictions.scores))
        interval = bootstrap(mean, predictions.patients, count=resamples)
        ends = [float(interval.low[0]), float(interval.high[0])]
        table.append({**asdict(metrics), "auroc_interval": ends})
    return {"rows": table, "first": ranked(rows)}


def main() -> None:
    """Print the table and the best by each metric, and write them if requested."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", nargs="*", default=[], help="default: all but those with a shortcut")
    parser.add_argument("--rule", choices=THRESHOLDS, default="youden", help="rule for the thresholds")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="write the results to this file")
    options = parser.parse_args()
    try:
        results = leaderboard(fit_systems(stored(options.models), rule=options.rule), options.resamples)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    print(f"{'':26}" + "".join(f"{name.replace('_', ' '):>17}" for name in SHOWN) + "   AUROC 95 %")
    for entry in results["rows"]:
        low, high = entry["auroc_interval"]
        values = "".join(f"{entry[name]:17.4f}" for name in SHOWN)
        print(f"{entry['title']:26}{values}   [{low:.3f}, {high:.3f}]")
    for name, title in results["first"].items():
        print(f"best by {name.replace('_', ' ')}: {title}")
    if options.json:
        write_text(options.json, json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
