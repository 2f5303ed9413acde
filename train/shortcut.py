"""What is left of a model that learned from a planted shortcut when the marker no longer betrays the finding.

    python -m train.shortcut assets/models/efficientnet_b0-shortcut runs/phantom_models

Plants the marker on a phantom's test films anew: as in training, at random, and never. The figures go into
``evaluation.json`` beside the weights.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cxrbench import data
from cxrbench.data.phantom import KINDS, Shortcut
from cxrbench.data.phantom.shortcuts import plant
from cxrbench.errors import InputError
from cxrbench.inference import scores_of, stream
from cxrbench.metrics import ranking
from cxrbench.models import hub


def main() -> None:
    """Read the model's recipe, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path, help="a folder that train.finetune saved")
    parser.add_argument("phantom", type=Path, help="a tree of phantoms without the marker")
    arguments = parser.parse_args()
    try:
        figures = measure(arguments.model, arguments.phantom)
    except InputError as error:
        sys.exit(f"error: {error}")
    file = arguments.model / "evaluation.json"
    evaluation = json.loads(file.read_text(encoding="utf8"))
    file.write_text(json.dumps({**evaluation, "shortcut": figures}, indent=1) + "\n", encoding="utf8")
    print(json.dumps(figures, indent=1))


def measure(folder: Path, root: Path) -> dict[str, Any]:
    """AUROC of the finding with the marker as in training, at random, and never.

    Args:
        folder: of a model whose recipe planted one shortcut.
        root: a phantom's tree; its test films are used, with the truth as labels.

    Returns:
        ``kind``, ``title``, ``finding``, ``studies``, and the AUROCs ``with_marker`` (planted at the recipe's
        rates), ``marker_moved`` (planted on half of all films, whatever they show) and ``without_marker``.

    Raises:
        InputError: the recipe planted no shortcut, or more than one.
    """
    shortcut = planted(folder)
    model, studies = hub.load(folder), data.read_chexpert(root / "test.csv")
    there = studies.targets[:, studies.labels.index(shortcut.finding)] == 1
    chances = np.where(there, shortcut.rate, shortcut.otherwise)
    settings = {
        "with_marker": chances,
        "marker_moved": np.full(len(there), 0.5),
        "without_marker": 0 * chances,
    }
    draws = np.random.default_rng(0).random(len(there))
    column = model.spec.labels.index(shortcut.finding)
    found = {}
    for name, chance in settings.items():
        logits = np.stack(list(stream(model, films(studies, shortcut.kind, draws < chance))))
        scores = scores_of(logits)[:, column]
        found[name] = float(ranking.auroc(there[:, None].astype(np.float32), scores[:, None])[0])
    title = KINDS[shortcut.kind].title
    return {
        "kind": shortcut.kind,
        "title": title,
        "finding": shortcut.finding,
        "studies": len(there),
        **found,
    }


def planted(folder: Path) -> Shortcut:
    """The shortcut that the model's recipe planted."""
    recipe = hub.evaluation(folder).get("recipe", {})
    shortcuts = [Shortcut(**entry) for entry in recipe.get("data", {}).get("phantom_shortcuts", ())]
    if len(shortcuts) != 1:
        raise InputError(
            f"{folder} must come from a recipe with one planted shortcut; its recipe names {len(shortcuts)}."
        )
    return shortcuts[0]


def films(studies: data.Studies, kind: str, marked: np.ndarray) -> Iterator[np.ndarray]:
    """The films (H, W), some of them with the marker; each film's marker has its own place."""
    for index, (path, mark) in enumerate(zip(studies.paths, marked, strict=True)):
        pixels = data.read_image(path).pixels
        yield plant(pixels, kind, np.random.default_rng(index))[0] if mark else pixels


if __name__ == "__main__":
    main()
