"""Choose cases from a phantom's test studies by rule, explain them with the shipped models, store the maps.

    python -m train.gallery runs/phantom

Run it again whenever a shipped model or a method changes: a test compares what is stored and shipped.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cxrbench import assets, data
from cxrbench.compare import Comparison, Settings, gallery
from cxrbench.compare.run import collect, compare
from cxrbench.data.phantom import read_masks
from cxrbench.errors import InputError
from cxrbench.explain import METHODS
from cxrbench.inference import rescale, scores_of, stream
from cxrbench.models import Classifier, hub
from train.cases import Pool, Rule, choose


def main() -> None:
    """Choose, explain, store, and replace the gallery when all of it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("phantom", type=Path, help="a folder that cxrbench.data.phantom.write made")
    parser.add_argument("--out", type=Path, default=assets.gallery())
    arguments = parser.parse_args()
    try:
        build(arguments.phantom, arguments.out)
    except InputError as error:
        sys.exit(f"error: {error}")


def build(root: Path, out: Path) -> None:
    """The whole gallery, from the phantom's test studies and the models in ``assets/models``."""
    models = {name: hub.load(folder) for name, folder in shipped().items()}
    if not models:
        raise InputError(f"There is no model in {assets.models()} to explain; train one first.")
    settings = Settings(models=tuple(models), methods=tuple(METHODS))
    pool = read_pool(root, next(iter(models.values())))
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".gallery-", dir=out.parent) as scratch:
        new, entries = Path(scratch) / "new", []
        for rule, row in choose(pool).items():
            comparison = explain(root, Path(pool.studies.table["path"][row]), pool, row, settings, models)
            gallery.store(comparison, new / rule.id)
            entries.append(entry(rule, pool, row, root))
            print(f"{rule.id}: {entries[-1]['study']}: {', '.join(entries[-1]['findings'])}", flush=True)
        index = {"models": {name: model.spec.title for name, model in models.items()}, "cases": entries}
        (new / "index.json").write_text(json.dumps({**about(settings), **index}, indent=1) + "\n")
        if out.exists():
            out.rename(Path(scratch) / "old")
        new.rename(out)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{len(entries)} cases, {size / 2**20:.1f} MiB in {out}")


def shipped() -> dict[str, Path]:
    """Name → folder of the models that ship with the bench, no others."""
    return {name: path for name, path in hub.available().items() if path.parent == assets.models()}


def read_pool(root: Path, model: Classifier) -> Pool:
    """The test studies with truth, severity and the model's scores."""
    studies = data.read_chexpert(root / "test.csv")
    truth = pd.read_csv(root / "truth.csv").query("Split == 'test'").reset_index(drop=True)
    if len(truth) != len(studies):
        raise InputError(
            f"{root} holds {len(truth)} test studies in truth.csv, {len(studies)} in test.csv; write it anew."
        )
    shown = list(model.spec.findings)
    labels = tuple(model.spec.labels[index] for index in shown)
    logits = np.stack(list(stream(model, (data.read_image(path).pixels for path in studies.paths))))[:, shown]
    scores = scores_of(logits)
    thresholds = np.array(model.spec.thresholds)[shown]
    severity = truth.reindex(columns=[f"Severity {label}" for label in labels]).to_numpy(float)
    return Pool(
        studies=studies,
        labels=labels,
        truth=truth[list(labels)].to_numpy(float),
        severity=severity,
        scores=scores,
        margin=rescale(scores, thresholds),
    )


def explain(
    root: Path, path: Path, pool: Pool, row: int, settings: Settings, models: Mapping[str, Classifier]
) -> Comparison:
    """One study through all models and methods, with its masks and truth."""
    image = data.read_image(path).pixels
    return collect(
        compare(image, settings, models=models),
        image=image,
        settings=settings,
        masks=read_masks(root / "masks" / path.relative_to(root.resolve())),
        truth={label: int(value) for label, value in zip(pool.labels, pool.truth[row], strict=True)},
    )


def entry(rule: Rule, pool: Pool, row: int, root: Path) -> dict[str, Any]:
    """A case's line in the index."""
    study = pool.studies.table.loc[row]
    present = [label for label, value in zip(pool.labels, pool.truth[row], strict=True) if value == 1]
    return {
        "id": rule.id,
        "title": rule.title,
        "why": rule.why,
        "view": study["projection"],
        "findings": present,
        "study": Path(study["path"]).relative_to(root.resolve()).as_posix(),
    }


def about(settings: Settings) -> dict[str, Any]:
    """How the maps were computed."""
    return {
        "stage": settings.stage,
        "baseline": settings.baseline,
        "steps": settings.steps,
        "methods": {name: METHODS[name].title for name in settings.methods},
    }


if __name__ == "__main__":
    main()
