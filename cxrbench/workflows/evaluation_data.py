"""What an evaluation is of: its settings, and the studies that they name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cxrbench.data import Studies
from cxrbench.data.datasets import evaluated_split, read_data_set, read_table, recognise
from cxrbench.errors import InputError

__all__ = ["EvaluationData", "EvaluationOptions", "Listener", "Say", "read_splits"]

Say = Callable[[str], None]


@dataclass(frozen=True)
class Listener:
    """Who is told of an evaluation while it runs.

    Args:
        say: called with each sentence about what was left out.
        progress: called with (what is counted, images done, total) after each batch; None for nobody. An
            exception that it raises ends the evaluation; the scores until then are kept.
    """

    say: Say
    progress: Callable[[str, int, int], None] | None = None


@dataclass(frozen=True)
class EvaluationOptions:
    """On which images models are evaluated, and how.

    Args:
        data: folder of a data set that `cxrbench.data.datasets.recognise` knows.
        form: a key of `cxrbench.data.datasets.FORMS`, where the folder holds several; None to tell it by the
            files.
        table: in the folder: the images to evaluate on; by default the data set's test images, or else all,
            or else its validation images.
        valid: in the folder: the images to fit thresholds on; by default the data set's validation images,
            or with a ``table`` valid.csv, if there is one.
        view: "frontal", "lateral" or "all".
        rule: a key of `THRESHOLDS`.
        batch: images per pass.
        resamples: of the bootstrap.
    """

    data: Path
    form: str | None = None
    table: str | None = None
    valid: str | None = None
    view: str = "frontal"
    rule: str = "youden"
    batch: int = 16
    resamples: int = 1000


@dataclass(frozen=True)
class EvaluationData:
    """The studies of an evaluation, and the tables that they were read from.

    Args:
        splits: "test", those to evaluate on, and "valid", those to fit thresholds on, if there are any.
        tables: the files.
    """

    splits: Mapping[str, Studies]
    tables: tuple[Path, ...]

    @property
    def files(self) -> list[Path]:
        """Every file that is read: tables and images."""
        return [*self.tables, *(path for studies in self.splits.values() for path in studies.paths)]


def read_splits(options: EvaluationOptions, say: Say) -> EvaluationData:
    """Read the studies to evaluate on, and those to fit thresholds on, if there are any.

    Raises:
        InputError: a folder that is not recognised, a table that cannot be read, or no image of the view.
    """
    found = _of_tables(options) if options.table else _of_data_set(options, say)
    splits = {split: _of_view(studies, options.view, say) for split, studies in found.splits.items()}
    if "valid" in splits:
        shared = set(splits["valid"].table["patient"]) & set(splits["test"].table["patient"])
        if shared:
            say(f"{len(shared)} patients choose the thresholds and are judged, too: figures are too good")
    return replace(found, splits=splits)


def _of_tables(options: EvaluationOptions) -> EvaluationData:
    """The tables that are named, and valid.csv."""
    tables = {"test": options.data / str(options.table)}
    valid = options.data / (options.valid or "valid.csv")
    if options.valid or (valid.is_file() and options.table != "valid.csv"):
        tables = {"valid": valid, **tables}
    splits = {split: read_table(table, options.data) for split, table in tables.items()}
    return EvaluationData(splits, tuple(tables.values()))


def _of_data_set(options: EvaluationOptions, say: Say) -> EvaluationData:
    """The test and validation images of the data set in a folder."""
    found = recognise(options.data, options.form)
    wanted = {split: table for split, table in found.tables.items() if split != "train"}
    found = replace(found, tables=wanted or found.tables)
    studies = read_data_set(found)
    split = evaluated_split(studies)
    if split != "test":
        chosen = "all its images" if split == "all" else f"its {split} images"
        say(f"{found.record.title} has no table of test images here: evaluated on {chosen}")
    tables = list(found.tables.values())
    splits = {"test": studies[split]}
    if options.valid:
        splits = {"valid": read_table(options.data / options.valid, options.data), **splits}
        tables.append(options.data / options.valid)
    elif "valid" in studies and split != "valid":
        splits = {"valid": studies["valid"], **splits}
    return EvaluationData(splits, tuple(tables))


def _of_view(studies: Studies, view: str, say: Say) -> Studies:
    """The images of one view, or all; those that do not tell theirs count as frontal."""
    for text in studies.notes:
        say(text)
    views = studies.table["view"].to_numpy(dtype=str)
    kept = np.where(views == "", "frontal", views) == view if view != "all" else np.ones(len(views), bool)
    if not kept.any():
        raise InputError(f"The data set holds no {view} image; choose another --view.")
    if not kept.all():
        say(f"images of another view left out: {(~kept).sum()}")
    return studies.take(kept)
