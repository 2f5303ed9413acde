"""Judge methods on phantoms with twins: one file per film and model, so that a run can stop and go on."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from cxrbench.data.phantom import Study, plan
from cxrbench.data.phantom.shipped import FRACTIONS, PATIENTS, SIZE
from cxrbench.errors import InputError
from cxrbench.explain import configured_method
from cxrbench.judge import Criterion, criterion
from cxrbench.judge.phantoms import check_criterion, judge_phantom
from cxrbench.models import Classifier
from cxrbench.writing import draft, write_text

__all__ = ["DEFAULT_CRITERIA", "DEFAULT_METHODS", "JudgeSettings", "judge"]

# One of each family, at the settings that are usual, and all controls.
DEFAULT_METHODS: Final = (
    "grad_cam",
    "grad_cam_plus_plus",
    "hires_cam(stage=1)",
    "layer_cam",
    "saliency",
    "integrated_gradients(steps=16)",
    "twin_integrated_gradients(steps=16)",
    "random",
    "centred_gaussian",
    "edges",
    "lung_mask",
    "location_prior",
)
# Those that need no further pass of the network.
DEFAULT_CRITERIA: Final = (
    "single_deletion",
    "single_deletion_mean",
    "target_sensitivity",
    "distractibility",
    "hit",
    "relevance_mass",
    "rank_accuracy",
    "otsu_iou",
    "share_in_lungs",
)

_SETTINGS: Final = "judge.json"


@dataclass(frozen=True)
class JudgeSettings:
    """What is judged.

    Args:
        films: number of test films, those with at least ``findings`` findings, in the order of the data set.
        findings: least number of findings of a film.
        methods: keys of ``METHODS``, with parameters in parentheses.
        criteria: keys of ``CRITERIA``.
        seed: of the criteria's random numbers.
    """

    films: int = 100
    findings: int = 3
    methods: tuple[str, ...] = DEFAULT_METHODS
    criteria: tuple[str, ...] = DEFAULT_CRITERIA
    seed: int = 0

    def checked(self) -> tuple[Criterion, ...]:
        """The records of the criteria.

        Raises:
            InputError: an unknown method or criterion, one that phantoms do not allow, or no film.
        """
        for key in self.methods:
            configured_method(key)
        records = tuple(map(criterion, self.criteria))
        for record in records:
            check_criterion(record)
        if self.films < 1 or self.findings < 1:
            raise InputError(
                f"At least one film with at least one finding must be judged; got {self.films} films of "
                f"{self.findings}."
            )
        return records


def judge(
    out: Path,
    models: Mapping[str, Classifier],
    settings: JudgeSettings,
    *,
    progress: Callable[[int, int], None] | None = None,
    force: bool = False,
) -> pd.DataFrame:
    """Judge the maps of each model on each film; what an earlier run of the same settings did is kept.

    Args:
        out: folder; created if missing. Holds ``judge.json``, one Parquet file per model and film below
            ``films``, and at the end ``judged.parquet``.
        models: name → model in eval mode.
        settings: what is judged.
        progress: called with (done, total) after each film of each model.
        force: judge again what a run with other settings or weights left there.

    Returns:
        One row per model, film, method, finding and criterion: ``model``, ``film``, ``patient``, ``method``,
        ``finding``, ``criterion``, ``value``, ``best``.

    Raises:
        InputError: as ``JudgeSettings.checked``, or the folder holds results of other settings or weights.
    """
    records = settings.checked()
    studies = _studies(settings)
    _claim(out, models, settings, force=force)
    total, done = len(studies) * len(models), 0
    for number, study in enumerate(studies):
        phantom = None
        for name, model in models.items():
            path = out / "films" / name / f"{number:05d}.parquet"
            if not path.is_file():
                if phantom is None:
                    phantom = study.render(study.films[0], SIZE)
                judgements = judge_phantom(model, phantom, settings.methods, records, seed=settings.seed)
                rows = pd.DataFrame(map(asdict, judgements))
                _write(path, rows.assign(model=name, film=study.path, patient=study.patient))
            done += 1
            if progress is not None:
                progress(done, total)
    table = pd.concat(_read(out, models, len(studies)), ignore_index=True)
    _write(out / "judged.parquet", table)
    return table


def _studies(settings: JudgeSettings) -> list[Study]:
    tests = (study for study in plan(PATIENTS, fractions=FRACTIONS) if study.split == "test")
    studies = [study for study in tests if len(study.findings) >= settings.findings]
    if settings.films > len(studies):
        raise InputError(
            f"There are {len(studies)} test films with {settings.findings} findings or more; got --films "
            f"{settings.films}."
        )
    return studies[: settings.films]


def _claim(out: Path, models: Mapping[str, Classifier], settings: JudgeSettings, *, force: bool) -> None:
    """Claim a folder for these settings and weights, or check that it already is theirs.

    The number of films may grow: those that are judged are kept.
    """
    stated = {
        **asdict(settings),
        "films": None,
        "methods": [configured_method(key).key for key in settings.methods],
        "criteria": list(settings.criteria),
        "models": {name: model.revision for name, model in models.items()},
    }
    note = out / _SETTINGS
    if note.is_file():
        existing = json.loads(note.read_text(encoding="utf-8"))
        if existing == stated:
            return
        if not force:
            different = [key for key in stated if stated[key] != existing.get(key)]
            raise InputError(
                f"{out} holds results of other settings ({', '.join(different)}); choose another --out, or "
                "add --force to judge again."
            )
    elif out.is_dir() and any(out.iterdir()) and not force:
        raise InputError(f"{out} holds other files; choose an empty folder, or add --force.")
    for path in (out / "films").glob("*/*.parquet"):
        path.unlink()
    out.mkdir(parents=True, exist_ok=True)
    write_text(note, json.dumps(stated, indent=1) + "\n")


def _read(out: Path, models: Sequence[str] | Mapping[str, Classifier], films: int) -> Iterator[pd.DataFrame]:
    for name in models:
        for number in range(films):
            yield pd.read_parquet(out / "films" / name / f"{number:05d}.parquet")


def _write(path: Path, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft(path) as temporary:
        table.to_parquet(temporary, index=False)
