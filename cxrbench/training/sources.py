"""The studies of a recipe: its tables, split by patient where it says so."""

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
from cxrbench.training.run.status import StopAsked

__all__ = ["FORMATS", "SPLITS", "data_root", "read_studies"]

SPLITS: Final = ("train", "valid", "test")

# Whose tables: a path → its studies.
FORMATS: Final = MappingProxyType({"chexpert": data.read_chexpert, "nih": data.read_nih})

Say = Callable[[str], None]


def data_root(of: DataConfig) -> Path:
    """The folder of a recipe's data; ``runs/…`` lies in the folder of runs, which CXRBENCH_RUNS may name."""
    root = Path(of.root)
    return assets.runs() / root.relative_to("runs") if root.parts[:1] == ("runs",) else root


def read_studies(
    config: TrainConfig, *, say: Say = print, asked: Callable[[], bool] = lambda: False
) -> dict[str, Studies]:
    """Split → its studies; the phantom is written first where the recipe asks for one that is not there.

    Args:
        config: the recipe.
        say: what to do with a line of progress.
        asked: whether to stop; looked at before the phantom and after each of its films.

    Raises:
        InputError: a table that is missing, damaged, or lacks a label of the recipe; a split without images.
        StopAsked: ``asked`` said so; the films are kept.
    """
    of = config.data
    look_up("format", of.format, FORMATS)
    _phantom(of, say, asked)
    tables = _shared_out(of) if of.fractions else {split: _read(of, split) for split in SPLITS}
    if of.certain:
        tables["train"] = _certain(tables["train"], data_root(of))
    for note in dict.fromkeys(note for studies in tables.values() for note in studies.notes):
        say(note)
    for split, studies in tables.items():
        known = finding_columns(studies.labels)
        lacking = [label for label in config.labels if finding_key(label) not in known]
        if lacking:
            raise InputError(
                f"The {split} table in {data_root(of)} has no column {', '.join(lacking)}; "
                f"it has: {', '.join(studies.labels)}."
            )
        if of.view:
            tables[split] = studies.take((studies.table["view"] == of.view).to_numpy())
        if not len(tables[split]):
            raise InputError(
                f"The {split} table in {data_root(of)} has no {of.view or ''} image; give another."
            )
    return tables


def _phantom(of: DataConfig, say: Say, asked: Callable[[], bool]) -> None:
    bar = ProgressBar("films of the phantom drawn", final_line=False)

    def count(done: int, total: int) -> None:
        if asked():
            raise StopAsked(f"stopped after {done} of {total} phantoms; the same command goes on from there")
        bar(done, total)
        if not bar.visible and done * 10 // total != (done - 1) * 10 // total:
            say(f"phantom: {done} of {total} images")

    root = data_root(of)
    if of.phantom_patients and not (root / "truth.csv").exists():
        if asked():
            raise StopAsked("stopped before the phantom was begun")
        with bar:
            phantom.write(
                root,
                patients=of.phantom_patients,
                seed=of.phantom_seed,
                size=of.phantom_size,
                fractions=(of.phantom_fractions[0], of.phantom_fractions[1], of.phantom_fractions[2]),
                shortcuts=of.phantom_shortcuts,
                progress=count,
            )


def _read(of: DataConfig, split: str) -> Studies:
    path = data_root(of) / getattr(of, split)
    if not path.is_file():
        raise InputError(f"There is no {path}; the recipe's [data] names its root and its {split} table.")
    return FORMATS[of.format](path)


def _shared_out(of: DataConfig) -> dict[str, Studies]:
    """One table in three, by patient."""
    whole = _read(of, "train")
    listed = of.test.endswith(".txt")
    if len(of.fractions) != (2 if listed else 3):
        raise InputError(
            f"fractions must be {'two beside a list of test images' if listed else 'three'}: "
            f"got {len(of.fractions)}."
        )
    if not listed:
        sides = data.split(whole, of.fractions, seed=of.split_seed)
        return {split: whole.take(side) for split, side in zip(SPLITS, sides, strict=True)}
    held = _listed(whole, data_root(of) / of.test)
    kept = ~np.isin(whole.table["patient"].to_numpy(str), whole.table["patient"].to_numpy(str)[held])
    rest = whole.take(kept)
    train, valid = data.split(rest, of.fractions, seed=of.split_seed)
    return {"train": rest.take(train), "valid": rest.take(valid), "test": whole.take(held)}


def _listed(studies: Studies, path: Path) -> np.ndarray:
    """(N,) bool: whose file name stands in a list, one per line."""
    try:
        names = set(path.read_text(encoding="utf8").split())
    except (OSError, UnicodeDecodeError):
        raise InputError(f"{path} cannot be read; give a text file with one image name a line.") from None
    found = np.array([image.name in names for image in studies.paths])
    if not found.any():
        raise InputError(
            f"{path} lists none of the table's images; give names such as {studies.paths[0].name}."
        )
    return found


def _certain(studies: Studies, root: Path) -> Studies:
    """The same images with the labels that the phantom's truth.csv gives them."""
    if not (root / "truth.csv").is_file():
        raise InputError(
            f"certain = true needs the truth.csv of a phantom, but {root} holds none; leave it out."
        )
    truth = data.read_chexpert(root / "truth.csv")
    rows = truth.table.reset_index().set_index("path")["index"].reindex(studies.table["path"])
    if rows.isna().any():
        raise InputError(f"truth.csv has no row for {studies.table['path'][int(np.argmax(rows.isna()))]}.")
    return truth.take(rows.to_numpy(np.intp))
