"""Predictions from a CSV file: matching of score and target columns, and checks."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from cxrbench.data.studies import count_of, first_rows, normal_paths
from cxrbench.data.tables import find_column, label_column, left_out, number_column, read_csv, text_column
from cxrbench.errors import InputError
from cxrbench.evaluation.predictions import ABOUT, DISTANCE, SCORE_PREFIX, Predictions
from cxrbench.labels import canonical, finding_key

__all__ = ["read_predictions"]

_LARGEST: Final = 512 << 20  # bytes of CSV; a quarter of a million images of 14 findings take about 50 MiB
_MOST_LABELS: Final = 1000
_SEX: Final = {"m": "M", "male": "M", "f": "F", "female": "F"}


def read_predictions(source: Path | bytes, name: str = "") -> Predictions:
    """Predictions from a CSV file: one column per finding with the truth, and ``score FINDING`` beside it.

    The truth is 1, 0, −1 (uncertain) or nothing. Findings may be spelled in any known way, the two columns of
    one also differently; ``labels`` have their canonical names (`cxrbench.labels.canonical`). Of `ABOUT` any
    column may be missing: without ``patient`` every image counts as a patient of its own (so that intervals
    are too narrow where patients have several), without ``split`` all are of "test". Columns that are left
    out, images that occur twice, and a missing ``patient`` are stated in ``notes``.

    Args:
        source: a path (may be gzipped), or the bytes of an uploaded file.
        name: for captions and messages; by default the file's.

    Raises:
        InputError: not a CSV, too large, no finding with both columns, a column that occurs twice, a score
            that is missing, not a number or outside [0, 1], a wrong label, or an image that occurs twice with
            different truth or scores; one sentence that names row and column.
    """
    name = name or (source.name if isinstance(source, Path) else "The uploaded file")
    size = source.stat().st_size if isinstance(source, Path) and source.is_file() else 0
    if (size or (len(source) if isinstance(source, bytes) else 0)) > _LARGEST:
        raise InputError(f"{name} is larger than {_LARGEST >> 20} MiB; give fewer rows or fewer columns.")
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        raw = read_csv(stream)
    except InputError as error:  # of bytes, the reader knows no name
        raise InputError(str(error).replace("CSV: ", f"{name}: ", 1)) from error
    about = {column: find_column(raw, (column,), name) for column in (*ABOUT, DISTANCE)}
    pairs, others = _columns([column for column in raw.columns if column not in about.values()], name)
    targets = np.stack([label_column(raw[truth], name) for truth, _ in pairs.values()], axis=1)
    scores = np.stack([_scores(raw[score], name) for _, score in pairs.values()], axis=1)
    targets = np.where(targets == -1, np.nan, targets).astype(np.float32)
    table, notes = _about(raw, about)
    notes = [left_out(others, "since a finding needs a column with its truth and one with its score"), *notes]
    read = Predictions(table, tuple(pairs), targets, scores.astype(np.float32), name)
    return _once_per_path(replace(read, notes=tuple(note for note in notes if note)))


def _columns(columns: Sequence[str], name: str) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Finding → its columns of truth and scores, in order of the truth; and the columns of no such pair."""
    truths, scores = _by_finding(columns, name)
    pairs = {truths[key]: (key, scores[key]) for key in truths if key in scores}
    found = {canonical(truth): (truth, scores[key]) for truth, (key, _) in pairs.items()}
    if not found:
        scored = [_finding(column) for column in scores.values()]
        got = (
            f"scores of {', '.join(scored[:5])} but no column with their truth"
            if scored
            else f"the columns {', '.join(columns[:8])}"
        )
        raise InputError(
            f"{name}: expected for each finding a column with the truth ('Edema': 1, 0 or nothing) and one "
            f"with the score ('score Edema': 0 to 1), got {got}; rename the columns."
        )
    if len(found) > _MOST_LABELS:
        raise InputError(f"{name}: at most {_MOST_LABELS} findings can be shown, got {len(found)}.")
    used = {column for pair in found.values() for column in pair}
    return found, [column for column in columns if column not in used]


def _by_finding(columns: Sequence[str], name: str) -> tuple[dict[str, str], dict[str, str]]:
    """`finding_key` → the column that has its truth, and the one that has its scores."""
    truths: dict[str, str] = {}
    scores: dict[str, str] = {}
    for column in columns:
        kind, finding = (scores, _finding(column)) if _is_score(column) else (truths, column)
        first = kind.setdefault(finding_key(finding), column)
        if first != column:
            raise InputError(f"{name}: {first!r} and {column!r} are columns of one finding; drop one.")
    return truths, scores


def _is_score(column: str) -> bool:
    return column.replace("_", " ").casefold().startswith(SCORE_PREFIX)


def _finding(column: str) -> str:
    """The finding of a column of scores."""
    return column[len(SCORE_PREFIX) :].strip()


def _scores(column: pd.Series, name: str) -> np.ndarray:
    numbers = number_column(column.to_frame(), str(column.name))
    wrong = ~((numbers >= 0) & (numbers <= 1))  # NaN is wrong, too
    if wrong.any():
        row = int(np.argmax(wrong))
        value = repr(column.iloc[row]) if column.iloc[row].strip() else "nothing"
        point = " and write decimals with a point," if "," in column.iloc[row] else ""
        raise InputError(
            f"{name}: expected a score from 0 to 1, got {value} in row {row + 1}, column {column.name!r} "
            f"({int(wrong.sum()):,} of {len(wrong):,} scores there are like that); "
            f"give probabilities (the sigmoid of a logit),{point} and drop rows without a score."
        )
    return numbers


def _about(raw: pd.DataFrame, columns: Mapping[str, str | None]) -> tuple[pd.DataFrame, list[str]]:
    """What is known of each image, and what had to be assumed."""
    about = {known: text_column(raw, columns[known]) for known in ABOUT}
    about["sex"] = text_column(raw, columns["sex"], _SEX)
    if columns["split"] is None:
        about["split"] = pd.Series("test", index=raw.index, dtype="str")
    unnamed = about["patient"] == ""
    rows = pd.Series([f"row {i + 1}" for i in range(len(raw))], index=raw.index, dtype="str")
    about["patient"] = about["patient"].where(~unnamed, rows)
    ages = pd.Series(number_column(raw, columns["age"]), index=raw.index)
    table = pd.DataFrame({**about, "age": ages})
    if columns[DISTANCE] is not None:
        table[DISTANCE] = number_column(raw, columns[DISTANCE])
    table = table.reset_index(drop=True)
    if columns["patient"] is None:
        what = "there is no column 'patient', so each image counts as a patient of its own"
    elif unnamed.any():
        what = f"{int(unnamed.sum()):,} rows name no patient, so each of these counts as a patient of its own"
    else:
        return table, []
    return table, [f"{what}: intervals are too narrow if patients have several images"]


def _once_per_path(predictions: Predictions) -> Predictions:
    """The first row of every path within a split; a path that occurs with other values is refused."""
    table = predictions.table
    named = np.flatnonzero(table["path"] != "")
    if not len(named):
        return predictions
    within = table["split"].iloc[named] + "\0" + normal_paths(table["path"].iloc[named])
    first = named[first_rows(within)]
    repeats = named[first != named]
    if not len(repeats):
        return predictions
    values = np.nan_to_num(np.hstack([predictions.targets, predictions.scores]), nan=-1)
    origin = first[first != named]
    differs = (values[repeats] != values[origin]).any(axis=1)
    count = len(np.unique(origin))
    if differs.any():
        place = int(np.argmax(differs))
        raise InputError(
            f"{predictions.name}: {count_of(count)} more than once, {len(np.unique(origin[differs])):,} with "
            f"different truth or scores, for example {table['path'].iloc[origin[place]]!r} in rows "
            f"{origin[place] + 1} and {repeats[place] + 1}; keep one row per image."
        )
    note = f"{count_of(count)} more than once, with the same truth and scores: each is counted once"
    kept = predictions.take(np.setdiff1d(np.arange(len(table)), repeats))
    return replace(kept, notes=(*predictions.notes, note))
