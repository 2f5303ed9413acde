"""Reads the studies of a recipe, and splits them by patient."""

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from cxrbench import assets, data
from cxrbench.data import Studies, phantom
from cxrbench.errors import InputError, look_up
from cxrbench.labels import finding_columns, finding_key
from cxrbench.terminal import ProgressBar
from cxrbench.training.config import DataConfig, TrainConfig
from cxrbench.training.run.status import StopRequested

__all__ = ["FORMATS", "SPLITS", "data_root", "read_studies"]

SPLITS: Final = ("train", "valid", "test")

# Format → function from the path of a table to its studies.
FORMATS: Final = MappingProxyType({"chexpert": data.read_chexpert, "nih": data.read_nih})

Say = Callable[[str], None]


def data_root(settings: DataConfig) -> Path:
    """Folder of a recipe's data; ``runs/…`` is below the folder of runs (CXRBENCH_RUNS)."""
    root = Path(settings.root)
    return assets.runs() / root.relative_to("runs") if root.parts[:1] == ("runs",) else root


def read_studies(
    config: TrainConfig, *, say: Say = print, should_stop: Callable[[], bool] = lambda: False
) -> dict[str, Studies]:
    """Read the studies of each split; a phantom that does not exist is written first.

    Args:
        config: the recipe.
        say: called with each line of progress.
        should_stop: checked before the phantom is written and after each of its images.

    Returns:
        Split → studies.

    Raises:
        InputError: a table is missing, damaged, or lacks a label of the recipe; or a split has no images.
        StopRequested: ``should_stop`` returned True; the images written so far are kept.
    """
    settings = config.data
    look_up("format", settings.format, FORMATS)
    _write_phantom(settings, say, should_stop)
    tables = (
        _split_by_patient(settings)
        if settings.fractions
        else {split: _read_table(settings, split) for split in SPLITS}
    )
    if settings.certain:
        tables["train"] = _with_true_labels(tables["train"], data_root(settings))
    for note in dict.fromkeys(note for studies in tables.values() for note in studies.notes):
        say(note)
    for split, studies in tables.items():
        known = finding_columns(studies.labels)
        missing = [label for label in config.labels if finding_key(label) not in known]
        if missing:
            raise InputError(
                f"The {split} table in {data_root(settings)} has no column {', '.join(missing)}; "
                f"it has: {', '.join(studies.labels)}."
            )
        if settings.view:
            tables[split] = studies.take((studies.table["view"] == settings.view).to_numpy())
        if not len(tables[split]):
            raise InputError(
                f"The {split} table in {data_root(settings)} has no {settings.view or ''} image; use another "
                "table or view."
            )
    return tables


def _write_phantom(settings: DataConfig, say: Say, should_stop: Callable[[], bool]) -> None:
    bar = ProgressBar("phantom images written", final_line=False)

    def count(done: int, total: int) -> None:
        if should_stop():
            raise StopRequested(f"stopped after {done} of {total} phantoms; run the same command to resume")
        bar(done, total)
        if not bar.visible and done * 10 // total != (done - 1) * 10 // total:
            say(f"phantom: {done} of {total} images")

    root = data_root(settings)
    if settings.phantom_patients and not (root / "truth.csv").exists():
        if should_stop():
            raise StopRequested("stopped before the phantom was started")
        with bar:
            phantom.write(
                root,
                patients=settings.phantom_patients,
                seed=settings.phantom_seed,
                size=settings.phantom_size,
                fractions=(
                    settings.phantom_fractions[0],
                    settings.phantom_fractions[1],
                    settings.phantom_fractions[2],
                ),
                shortcuts=settings.phantom_shortcuts,
                progress=count,
            )


def _read_table(settings: DataConfig, split: str) -> Studies:
    path = data_root(settings) / getattr(settings, split)
    if not path.is_file():
        raise InputError(f"{path} does not exist; set root and {split} in the recipe's [data].")
    return FORMATS[settings.format](path)


def _split_by_patient(settings: DataConfig) -> dict[str, Studies]:
    """Split the train table by patient."""
    studies = _read_table(settings, "train")
    listed = settings.test.endswith(".txt")
    if len(settings.fractions) != (2 if listed else 3):
        raise InputError(
            f"fractions must have {'two values with a list of test images' if listed else 'three values'}; "
            f"got {len(settings.fractions)}."
        )
    if not listed:
        parts = data.split(studies, settings.fractions, seed=settings.split_seed)
        return {split: studies.take(part) for split, part in zip(SPLITS, parts, strict=True)}
    in_test = _listed(studies, data_root(settings) / settings.test)
    others = ~np.isin(studies.table["patient"].to_numpy(str), studies.table["patient"].to_numpy(str)[in_test])
    rest = studies.take(others)
    train, valid = data.split(rest, settings.fractions, seed=settings.split_seed)
    return {"train": rest.take(train), "valid": rest.take(valid), "test": studies.take(in_test)}


def _listed(studies: Studies, path: Path) -> np.ndarray:
    """(N,) bool: images whose file name is in a text file, one name per line."""
    try:
        names = set(path.read_text(encoding="utf8").split())
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path} cannot be read; give a text file with one image name per line.") from None
    is_listed = np.array([image.name in names for image in studies.paths])
    if not is_listed.any():
        raise InputError(
            f"{path} lists none of the table's images; give names such as {studies.paths[0].name}."
        )
    return is_listed


def _with_true_labels(studies: Studies, root: Path) -> Studies:
    """The same images with the labels of the phantom's truth.csv."""
    if not (root / "truth.csv").is_file():
        raise InputError(
            f"certain = true needs the truth.csv of a phantom, but {root} has none; set it to false."
        )
    truth = data.read_chexpert(root / "truth.csv")
    rows = truth.table.reset_index().set_index("path")["index"].reindex(studies.table["path"])
    if rows.isna().any():
        raise InputError(f"truth.csv has no row for {studies.table['path'][int(np.argmax(rows.isna()))]}.")
    return truth.take(rows.to_numpy(np.intp))
