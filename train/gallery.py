"""Choose cases from a phantom's test studies by rule, explain them with the shipped models, store the maps.

    python -m train.gallery runs/phantom

Run it again whenever a shipped model or a method changes: a test compares what is stored and shipped.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Pool:
    """The test studies and what the first model says of them.

    Args:
        studies: the table, labels as the model has them.
        truth: (N, L) 0 or 1.
        severity: (N, L) in (0, 1]; NaN where absent.
        scores: (N, L).
        margin: (N, L) scores moved so that the threshold is one half: above it, the model says yes.
    """

    studies: data.Studies
    labels: tuple[str, ...]
    truth: np.ndarray
    severity: np.ndarray
    scores: np.ndarray
    margin: np.ndarray

    def of(self, finding: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Truth, margin and severity of one finding, each (N,)."""
        index = self.labels.index(finding)
        return self.truth[:, index], self.margin[:, index], self.severity[:, index]

    @property
    def ill(self) -> np.ndarray:
        """(N,) how many findings each study has, devices and "No Finding" not counted."""
        counted = [i for i, label in enumerate(self.labels) if label not in ("No Finding", "Support Devices")]
        return self.truth[:, counted].sum(axis=1)


# Per study how much it is wanted, (N,); −inf where the rule does not hold.
Wish = Callable[[Pool], np.ndarray]


@dataclass(frozen=True)
class Rule:
    """How one case is chosen: the study with the greatest wish that no earlier rule took."""

    id: str
    title: str
    why: str
    wish: Wish


def where(holds: np.ndarray, wish: np.ndarray) -> np.ndarray:
    """The wish where a condition holds."""
    return np.where(holds, wish, -np.inf)


def right(finding: str) -> Wish:
    """Present and found, alone where it can be: the surest of those with the fewest other findings."""

    def wish(pool: Pool) -> np.ndarray:
        truth, margin, _ = pool.of(finding)
        return where((truth == 1) & (margin >= 0.5), margin - pool.ill)

    return wish


def subtle(finding: str) -> Wish:
    """Present, slight, and found all the same: the least severe of those found."""

    def wish(pool: Pool) -> np.ndarray:
        truth, margin, severity = pool.of(finding)
        return where((truth == 1) & (margin >= 0.5), -severity)

    return wish


def missed(finding: str) -> Wish:
    """Present and denied: the lowest score among them."""

    def wish(pool: Pool) -> np.ndarray:
        truth, margin, _ = pool.of(finding)
        return where((truth == 1) & (margin < 0.5), -margin)

    return wish


def false_alarm(finding: str, *, beside: str = "") -> Wish:
    """Absent and claimed: the highest score among them, where something else is present if so asked."""

    def wish(pool: Pool) -> np.ndarray:
        truth, margin, _ = pool.of(finding)
        holds = (truth == 0) & (margin >= 0.5)
        return where(holds & (pool.of(beside)[0] == 1) if beside else holds, margin)

    return wish


def normal(pool: Pool) -> np.ndarray:
    """Nothing present and nothing claimed: the lowest of the highest scores."""
    counted = [i for i, label in enumerate(pool.labels) if label != "No Finding"]
    return where(pool.truth[:, counted].sum(axis=1) == 0, -pool.margin[:, counted].max(axis=1))


def several(pool: Pool) -> np.ndarray:
    """The most findings at once, the surer model on a tie."""
    present = np.where(pool.truth == 1, pool.margin, np.nan)
    return pool.ill + np.nanmean(np.column_stack([present, np.zeros(len(present))]), axis=1)


def found(finding: str) -> Rule:
    """The rule of a case in which the model is right about a finding."""
    slug = finding.lower().replace(" ", "-")
    why = f"Right: {finding} is present and found; of these the surest, with as little else as there is."
    return Rule(slug, finding, why, right(finding))


RULES = (
    found("Pleural Effusion"),
    found("Cardiomegaly"),
    found("Pneumothorax"),
    found("Lung Lesion"),
    Rule("normal", "Nothing there", "Right: nothing is present, and no score is high.", normal),
    found("Consolidation"),
    found("Edema"),
    found("Support Devices"),
    Rule(
        "several",
        "Many findings at once",
        "The study with the most findings: does each map find its own?",
        several,
    ),
    Rule(
        "subtle-effusion",
        "A slight effusion",
        "Right, and hard: the least severe Pleural Effusion that was found.",
        subtle("Pleural Effusion"),
    ),
    Rule(
        "missed-lesion",
        "A lesion overlooked",
        "Wrong: Lung Lesion is present and has the lowest score of all that are.",
        missed("Lung Lesion"),
    ),
    Rule(
        "missed-pneumothorax",
        "A pneumothorax overlooked",
        "Wrong: Pneumothorax is present and has the lowest score of all that are.",
        missed("Pneumothorax"),
    ),
    Rule(
        "false-alarm-cardiomegaly",
        "A heart called too large",
        "Wrong and confident: Cardiomegaly is absent and has the highest score of all that are not.",
        false_alarm("Cardiomegaly"),
    ),
    Rule(
        "devices-and-pneumothorax",
        "Is it the tube?",
        "Wrong: Pneumothorax is absent and claimed beside Support Devices. See what the map marks.",
        false_alarm("Pneumothorax", beside="Support Devices"),
    ),
)


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


def choose(pool: Pool) -> dict[Rule, int]:
    """Rule → row of its study; a rule that no study fits is left out, and said."""
    taken: dict[Rule, int] = {}
    for rule in RULES:
        wish = rule.wish(pool)
        wish[list(taken.values())] = -np.inf
        best = int(np.argmax(wish))
        if np.isfinite(wish[best]):
            taken[rule] = best
        else:
            print(f"{rule.id}: no study fits; left out", flush=True)
    return taken


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
