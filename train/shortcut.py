"""Evaluate a model trained on a planted shortcut without the correlation of marker and finding.

    python -m train.shortcut assets/models/efficientnet_b0-shortcut runs/phantom_models

Plants the marker on the test images of the other shipped models: as in training, at random, and never. Saves
the predictions with the marker and all metrics beside the weights, so that the model can be compared with the
others on the same patients.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cxrbench import data, evaluation
from cxrbench.data.phantom import KINDS, Shortcut
from cxrbench.data.phantom.shortcuts import plant
from cxrbench.errors import InputError
from cxrbench.inference import sigmoid, stream
from cxrbench.metrics import ranking
from cxrbench.models import Classifier, hub
from cxrbench.models import folder as files


def main() -> None:
    """Read the model's recipe, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path, help="a folder that train.finetune saved")
    parser.add_argument("phantom", type=Path, help="folder of a phantom without the marker")
    arguments = parser.parse_args()
    try:
        figures = evaluate_shortcut(arguments.model, arguments.phantom)
    except InputError as error:
        sys.exit(f"error: {error}")
    print(json.dumps(figures["shortcut"], indent=1))


def evaluate_shortcut(folder: Path, root: Path) -> dict[str, Any]:
    """Predict with the marker as in training, measure, and write both beside the weights."""
    shortcut, model = planted(folder), hub.load(folder)
    predictions = evaluation.join([predicted(model, root, split, shortcut) for split in ("valid", "test")])
    test = predictions.split("test")
    figures = {
        **hub.evaluation(folder),
        **evaluation.evaluate(test, model.spec.thresholds),
        "dataset": "digital chest phantom, the marker planted as in training",
        "shortcut": measure(model, root, shortcut, test),
    }
    hub.save(model, folder, evaluation=figures, card=card(figures["shortcut"], shortcut))
    evaluation.write_predictions(folder / files.PREDICTIONS, predictions)
    return figures


def card(figures: dict[str, Any], shortcut: Shortcut) -> str:
    """Text of the model card, without the metrics."""
    seen, moved, without = (
        f"{figures['with_marker']:.3f}",
        f"{figures['marker_moved']:.3f}",
        f"{figures['without_marker']:.3f}",
    )
    return (
        "**A lesson, not a tool.** Trained by `train/finetune.py` on digital chest phantoms on which the "
        f"{figures['title']} stood beside {shortcut.rate:.0%} of films with {shortcut.finding} and "
        f"{shortcut.otherwise:.0%} of the others. It learned to read the marker: the AUROC of "
        f"{shortcut.finding} is {seen} where the marker is planted as in training, {moved} "
        f"where half of all films carry it, whatever they show, and {without} where none does."
    )


def predicted(model: Classifier, root: Path, split: str, shortcut: Shortcut) -> evaluation.Predictions:
    """Predictions for the images of a split, with the marker planted at the recipe's rates."""
    studies = data.read_chexpert(root / f"{split}.csv")
    marked = np.random.default_rng(0).random(len(studies)) < chances(studies, shortcut)
    scores = sigmoid(np.stack(list(stream(model, films(studies, shortcut.kind, marked)))))
    return evaluation.from_studies(studies, model.spec.labels, scores, split=split, root=root)


def chances(studies: data.Studies, shortcut: Shortcut) -> np.ndarray:
    """Probability of the marker for each image at the recipe's rates, (N,)."""
    return np.where(has_finding(studies, shortcut), shortcut.rate, shortcut.otherwise)


def has_finding(studies: data.Studies, shortcut: Shortcut) -> np.ndarray:
    """Whether each image has the finding that the marker correlates with, (N,) bool."""
    present: np.ndarray = studies.table[shortcut.finding].to_numpy() == 1
    return present


def measure(
    model: Classifier, root: Path, shortcut: Shortcut, marked: evaluation.Predictions
) -> dict[str, Any]:
    """AUROC of the finding with the marker as in training, at random, and never.

    Args:
        model: trained with the marker.
        root: folder of a phantom; its test images are used, with the truth as labels.
        shortcut: of the model's recipe.
        marked: predictions for these images with the marker as in training.

    Returns:
        ``kind``, ``title``, ``finding``, ``studies``, and the AUROCs ``with_marker``, ``marker_moved`` (on
        half of all images, at random) and ``without_marker``.
    """
    studies = data.read_chexpert(root / "test.csv")
    positive, draws = has_finding(studies, shortcut), np.random.default_rng(1).random(len(studies))
    column = model.spec.labels.index(shortcut.finding)
    scores_by_marker = {"with_marker": marked.scores[:, column]}
    for name, chance in (("marker_moved", 0.5), ("without_marker", 0.0)):
        logits = np.stack(list(stream(model, films(studies, shortcut.kind, draws < chance))))
        scores_by_marker[name] = sigmoid(logits)[:, column]
    truth = positive[:, None].astype(np.float32)
    return {
        "kind": shortcut.kind,
        "title": KINDS[shortcut.kind].title,
        "finding": shortcut.finding,
        "studies": len(positive),
        **{
            name: float(ranking.auroc(truth, scores[:, None])[0]) for name, scores in scores_by_marker.items()
        },
    }


def planted(folder: Path) -> Shortcut:
    """The shortcut of the model's recipe."""
    recipe = hub.evaluation(folder).get("recipe", {})
    shortcuts = [Shortcut(**entry) for entry in recipe.get("data", {}).get("phantom_shortcuts", ())]
    if len(shortcuts) != 1:
        raise InputError(
            f"{folder} must come from a recipe with one planted shortcut; its recipe names {len(shortcuts)}."
        )
    return shortcuts[0]


def films(studies: data.Studies, kind: str, marked: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the images (H, W), the marked ones with the marker at a position of their own."""
    for index, (path, mark) in enumerate(zip(studies.paths, marked, strict=True)):
        pixels = data.read_image(path).pixels
        yield plant(pixels, kind, np.random.default_rng(index))[0] if mark else pixels


if __name__ == "__main__":
    main()
