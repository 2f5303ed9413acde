"""Select cases from a phantom's test studies by rule, explain them with the shipped models, store the maps.

    python -m train.gallery runs/phantom_models

Run it again whenever a shipped model or a method changes: a test compares what is stored and shipped.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from cxrbench import assets, data
from cxrbench.compare import Settings, gallery
from cxrbench.compare.run import collect, compare
from cxrbench.data.phantom import plan, read_masks
from cxrbench.data.phantom.shortcuts import plant
from cxrbench.errors import InputError
from cxrbench.evaluation import read_predictions
from cxrbench.explain import method
from cxrbench.inference import predict, rescale
from cxrbench.models import Classifier, hub
from cxrbench.writing import draft_folder, write_text
from train import further_maps
from train.cases import Pool, choose, highest_positive, lowest_negative
from train.gallery_twins import store_twins

# Steps of integrated gradients: with 32, the sum of most maps is within 3 % of the change in score, at less
# computing time than the usual 50.
STEPS = 32
# The methods that a case opens with.
DEFAULT_METHODS = ("grad_cam", "grad_cam_plus_plus", "integrated_gradients")


@dataclass(frozen=True)
class CaseFilm:
    """One case before it is explained.

    Args:
        entry: its entry in the index.
        image: (H, W) float32 in [0, 1], in 8-bit steps.
        masks: finding → (H, W) bool.
        truth: label → 0 or 1.
    """

    entry: dict[str, Any]
    image: np.ndarray
    masks: dict[str, np.ndarray]
    truth: dict[str, int]


def main() -> None:
    """Build the gallery, and replace the old one when it is complete."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "phantom",
        type=Path,
        help="folder of the phantom on whose test images the shipped models were evaluated",
    )
    parser.add_argument("--out", type=Path, default=assets.gallery())
    parser.add_argument("--force", action="store_true", help="replace a folder that is not a gallery")
    arguments = parser.parse_args()
    out: Path = arguments.out
    if out.exists() and not (out / "index.json").is_file() and not arguments.force:
        sys.exit(f"error: {out} is not a gallery; choose another --out, or add --force to replace it.")
    try:
        build(arguments.phantom, arguments.out)
    except InputError as error:
        sys.exit(f"error: {error}")


def build(root: Path, out: Path) -> None:
    """Build the gallery from the phantom's test studies and the models in ``assets/models``."""
    models = shipped()
    if not models:
        raise InputError(f"{assets.models()} contains no model to explain; train one first.")
    settings = Settings(models=tuple(models), methods=gallery.STORED_METHODS, steps=STEPS)
    pool = read_pool(root, next(iter(models.values())))
    chosen = [*films(root, pool, next(iter(models))), *marked_films(root, pool)]
    with draft_folder(out) as new:
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as workers:
            waiting = [workers.submit(store, film, settings, new / film.entry["id"]) for film in chosen]
            for film, done in zip(chosen, waiting, strict=True):
                done.result()
                print(f"{film.entry['id']}: {film.entry['study']}: {film.entry['findings']}", flush=True)
        titles = {name: hub.load(folder).spec.title for name, folder in models.items()}
        index = {**about(settings), "models": titles, "cases": [film.entry for film in chosen]}
        text = json.dumps(further_maps.with_further(index), indent=1)
        write_text(new / "index.json", f"{text}\n")
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{len(chosen)} cases, {size / 2**20:.1f} MiB in {out}")


def store(film: CaseFilm, settings: Settings, folder: Path) -> None:
    """Explain one image with all models and methods, in a separate process."""
    torch.set_num_threads(1)
    events = compare(film.image, settings, models=loaded())
    comparison = collect(events, image=film.image, settings=settings, masks=film.masks, truth=film.truth)
    gallery.store(comparison, folder)
    store_twins(folder, comparison, gallery.read_case(film.entry), loaded())
    further_maps.add(film.image, film.entry["finding"], loaded(), folder)


@lru_cache(maxsize=1)
def loaded() -> dict[str, Classifier]:
    """The shipped models, loaded once per process."""
    return {name: hub.load(folder) for name, folder in shipped().items()}


def shipped() -> dict[str, Path]:
    """Name → folder of the models that ship with the workbench."""
    return {name: path for name, path in hub.available().items() if path.parent == assets.models()}


def read_pool(root: Path, folder: Path) -> Pool:
    """The test studies with truth, severity and the scores of a model's evaluation."""
    spec, predictions = hub.load(folder).spec, read_predictions(folder / "predictions.csv").split("test")
    studies = data.read_chexpert(root / "test.csv")
    truth = pd.read_csv(root / "truth.csv").query("Split == 'test'").reset_index(drop=True)
    below = [Path(path).relative_to(root.absolute()).as_posix() for path in studies.paths]
    if below != predictions.table["path"].tolist() or len(truth) != len(below):
        raise InputError(
            f"{folder.name} was evaluated on other test images than those of {root}; give the phantom of its "
            "recipe."
        )
    labels = tuple(spec.labels[index] for index in spec.findings)
    scores = predictions.columns(labels).scores
    severity = truth.reindex(columns=[f"Severity {label}" for label in labels]).to_numpy(float)
    return Pool(
        studies=studies,
        labels=labels,
        truth=truth[list(labels)].to_numpy(float),
        severity=severity,
        scores=scores,
        margin=rescale(scores, np.array(spec.thresholds)[list(spec.findings)]),
    )


def films(root: Path, pool: Pool, model: str) -> Iterator[CaseFilm]:
    """The cases that the rules select by the scores of this model."""
    for rule, row in choose(pool).items():
        words = {"id": rule.id, "title": rule.title, "why": rule.why}
        yield film(root, pool, row, {**words, **opening(rule.finding or highest_positive(pool, row), model)})


def opening(finding: str, model: str) -> dict[str, Any]:
    """What a case opens with: its finding, model and methods."""
    return {"finding": finding, "models": [model], "methods": list(DEFAULT_METHODS)}


def marked_films(root: Path, pool: Pool) -> Iterator[CaseFilm]:
    """For each model trained on a planted marker, a negative image with the marker planted."""
    for folder in shipped().values():
        shortcut = hub.evaluation(folder).get("shortcut")
        if not shortcut:
            continue
        model = hub.load(folder)
        finding, kind = shortcut["finding"], shortcut["kind"]
        row = lowest_negative(pool, finding)
        entry = {
            "id": f"shortcut-{shortcut['kind']}",
            "title": f"Shortcut: {finding}",
            "why": f"Shortcut: {finding} is absent, on the radiograph where its score is lowest. Planted on "
            f"it: the {shortcut['title']}, which {model.spec.title} has learned instead of the finding.",
            **opening(finding, model.spec.name),
            "planted": kind,
        }
        plain = film(root, pool, row, entry)
        image = plant(plain.image, kind, np.random.default_rng(row))[0]
        image = np.rint(image * 255).astype(np.float32) / np.float32(255)
        score = predict(model, image).scores[0, model.spec.labels.index(finding)]
        print(f"{entry['id']}: {finding} {score:.2f} with the marker", flush=True)
        yield CaseFilm(plain.entry, image, plain.masks, plain.truth)


def film(root: Path, pool: Pool, row: int, words: dict[str, Any]) -> CaseFilm:
    """A test image with its index entry, masks and truth."""
    study = pool.studies.table.loc[row]
    path = Path(study["path"]).relative_to(root.absolute())
    truth = {label: int(value) for label, value in zip(pool.labels, pool.truth[row], strict=True)}
    entry = {
        **words,
        "view": study["projection"] or study["view"].capitalize(),
        "findings": [label for label, value in truth.items() if value],
        "study": path.as_posix(),
        "phantom": arguments_of(root)[path.as_posix()],
    }
    masks = {k: mask for k, mask in read_masks(root / "masks" / path).items() if k in entry["findings"]}
    return CaseFilm(entry, data.read_image(root / path).pixels, masks, truth)


@lru_cache(maxsize=1)
def arguments_of(root: Path) -> dict[str, dict[str, Any]]:
    """Path of a film → the arguments of ``data.phantom.render`` that render it again."""
    recipe = json.loads((root / "phantom.json").read_text(encoding="utf-8"))
    studies = plan(recipe["patients"], seed=recipe["seed"], fractions=tuple(recipe["fractions"]))
    return {
        film.path: {
            "seed": study.seed,
            "findings": study.findings,
            "view": film.view,
            "size": recipe["size"],
            "exposure": study.number,
        }
        for study in studies
        for film in study.films
    }


def about(settings: Settings) -> dict[str, Any]:
    """Settings of the maps, for the index."""
    return {
        "stage": settings.stage,
        "baseline": settings.baseline,
        "steps": settings.steps,
        "methods": {name: method(name).title for name in settings.methods},
    }


if __name__ == "__main__":
    main()
