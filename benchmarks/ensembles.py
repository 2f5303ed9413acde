"""Which ensemble is best? It depends on the figure: the lesson of Liz et al. 2022 (arXiv:2207.14408), here.

    python -m benchmarks.ensembles                                  # all shipped models that have predictions
    python -m benchmarks.ensembles --models vit_tiny densenet121 --rule half
    python -m benchmarks.ensembles --json figures.json

Reads the predictions that lie beside the weights; no network is run. Thresholds and weights are fitted on the
validation images, figures are of the test images: means over the findings, with 95 % intervals of the AUROC.
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
    """Predictions of the models that can be found, or of those named."""
    found = {
        one.spec.name: read_predictions(one.folder / files.PREDICTIONS, one.spec.name)
        for one in hub.scan()
        if one.spec and (one.folder / files.PREDICTIONS).is_file()
    }
    unknown = [name for name in names if name not in found]
    if unknown or not found:
        raise InputError(
            f"No predictions of {', '.join(unknown) or 'any model'}; there are: {', '.join(found)}."
        )
    # A model that was taught a shortcut is there to be caught, not to vote.
    chosen = names or [name for name in found if "shortcut" not in name]
    return {name: found[name] for name in chosen}


def figures_of(systems: Sequence[System], resamples: int) -> dict[str, Any]:
    """One row per model or ensemble, its AUROC with an interval, and the best by each metric."""
    rows = [row(system) for system in systems]
    table = []
    for system, of in zip(systems, rows, strict=True):
        said = system.shown
        mean = statistics.macro(statistics.auroc(said.targets, said.scores))
        interval = bootstrap(mean, said.patients, count=resamples)
        ends = [float(interval.low[0]), float(interval.high[0])]
        table.append({**asdict(of), "auroc_interval": ends})
    return {"rows": table, "first": ranked(rows)}


def main() -> None:
    """Print the table and who is first; perhaps store them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", nargs="*", default=[], help="default: all but those taught a shortcut")
    parser.add_argument("--rule", choices=THRESHOLDS, default="youden", help="that chooses thresholds")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--json", type=Path, help="store the figures there")
    options = parser.parse_args()
    try:
        figures = figures_of(fit_systems(stored(options.models), rule=options.rule), options.resamples)
    except InputError as error:
        parser.exit(2, f"{error}\n")
    print(f"{'':26}" + "".join(f"{name.replace('_', ' '):>17}" for name in SHOWN) + "   AUROC 95 %")
    for one in figures["rows"]:
        low, high = one["auroc_interval"]
        values = "".join(f"{one[name]:17.4f}" for name in SHOWN)
        print(f"{one['title']:26}{values}   [{low:.3f}, {high:.3f}]")
    for name, title in figures["first"].items():
        print(f"first by {name.replace('_', ' ')}: {title}")
    if options.json:
        write_text(options.json, json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
