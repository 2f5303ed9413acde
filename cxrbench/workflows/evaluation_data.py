"""What an evaluation is of: its settings, and the studies that they name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cxrbench.data import Studies, read_chexpert
from cxrbench.errors import InputError

__all__ = ["EvaluationOptions", "Say", "input_files", "read_splits"]

Say = Callable[[str], None]


@dataclass(frozen=True)
class EvaluationOptions:
    """On which images models are evaluated, and how.

    Args:
        data: folder of a data set in CheXpert's form.
        table: in it: the images to evaluate on.
        valid: in it: the images to fit thresholds on; by default valid.csv, if there is one.
        view: "frontal", "lateral" or "all".
        rule: a key of `THRESHOLDS`.
        batch: images per pass.
        resamples: of the bootstrap.
    """

    data: Path
    table: str = "test.csv"
    valid: str | None = None
    view: str = "frontal"
    rule: str = "youden"
    batch: int = 16
    resamples: int = 1000


def read_splits(options: EvaluationOptions, say: Say) -> dict[str, Studies]:
    """Split → its studies: those to evaluate on, and those to fit thresholds on, if there are any."""
    splits = {}
    valid = options.data / (options.valid or "valid.csv")
    if options.valid or (valid.is_file() and options.table != "valid.csv"):
        splits["valid"] = _of_view(read_chexpert(valid, options.data), options.view, say)
    splits["test"] = _of_view(read_chexpert(options.data / options.table, options.data), options.view, say)
    if "valid" in splits:
        shared = set(splits["valid"].table["patient"]) & set(splits["test"].table["patient"])
        if shared:
            say(f"{len(shared)} patients choose the thresholds and are judged, too: figures are too good")
    return splits


def input_files(splits: dict[str, Studies], options: EvaluationOptions) -> list[Path]:
    """Every file that is read: tables and images."""
    tables = [options.data / name for name in (options.table, options.valid or "valid.csv")]
    return tables + [path for studies in splits.values() for path in studies.paths]


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
