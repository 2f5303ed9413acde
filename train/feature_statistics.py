"""Measure the features of the shipped models on their training films, and store them beside the weights.

    python -m train.feature_statistics [MODEL ...] [--nih TABLE]

Prints how well the distance tells held-out phantoms from other pictures (AUROC), and how many of each are
beyond the limit: the table of docs/film-checks.md. About 10 minutes on one idle core for rendering, then 1
to 6 per model.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch

from cxrbench.inference import LIMIT, fit_statistics, pooled_features
from cxrbench.metrics import auroc
from cxrbench.models import Classifier, hub
from cxrbench.models import folder as files
from cxrbench.models.feature_statistics import write_statistics
from train.unusual_films import CHANGES, look, noise, photographs, real_films, shipped_films

TRAINING: Final = 400  # films
VALIDATION: Final = 150
OTHERS: Final = 60  # of each kind
_BATCH: Final = 8

Films = Sequence[np.ndarray]


def main() -> None:
    """Measure, store, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", default=list(hub.available()))
    parser.add_argument("--nih", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    training, validation, held_out = (
        shipped_films(split, count)[0]
        for split, count in (("train", TRAINING), ("valid", VALIDATION), ("test", OTHERS))
    )
    others = unusual(held_out, real_films(options.nih) if options.nih else [])
    print("| model | bytes | held-out phantoms | " + " | ".join(others) + " |")
    for name in options.models:
        folder = hub.available()[name]
        model = hub.load(folder)
        model.feature_statistics = fit_statistics(features(model, training), features(model, validation))
        write_statistics(folder / files.STATISTICS, model.feature_statistics, weights=model.revision)
        size = (folder / files.STATISTICS).stat().st_size
        print(f"| {name} | {size:,} | " + " | ".join(measured(model, held_out, others)) + " |")


def unusual(held_out: Films, real: Films) -> dict[str, Films]:
    """Kind → pictures that no shipped model was trained on."""
    rng = np.random.default_rng(0)
    kinds: dict[str, Films] = {
        "real films (NIH)": real,
        "photographs": photographs(OTHERS),
        "noise": noise(OTHERS),
        "phantoms in other looks": [look(film, rng) for film in held_out],
        **{f"phantoms, {name}": [change(film) for film in held_out] for name, change in CHANGES.items()},
    }
    return {kind: films for kind, films in kinds.items() if films}


def features(model: Classifier, films: Films) -> np.ndarray:
    """Features of films, (N, D)."""
    batches = (films[start : start + _BATCH] for start in range(0, len(films), _BATCH))
    preprocessing = model.spec.preprocessing
    return pooled_features(
        model,
        (torch.stack([preprocessing(np.ascontiguousarray(film)) for film in batch]) for batch in batches),
    )


def measured(model: Classifier, held_out: Films, others: Mapping[str, Films]) -> list[str]:
    """Per kind: the AUROC against held-out phantoms, and the share beyond the limit."""
    statistics = model.feature_statistics
    assert statistics is not None
    usual = statistics.distances(features(model, held_out)) / statistics.limit
    cells = [f"{(usual > LIMIT).mean():.0%} beyond"]
    for films in others.values():
        distances = statistics.distances(features(model, films)) / statistics.limit
        targets = np.repeat([0.0, 1.0], [len(usual), len(distances)])[:, None]
        value = float(auroc(targets, np.concatenate([usual, distances])[:, None])[0])
        cells.append(f"{value:.3f}, {(distances > LIMIT).mean():.0%} beyond")
    return cells


if __name__ == "__main__":
    main()
