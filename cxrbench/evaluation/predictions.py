"""The table of what a model said of a data set, beside what is true: read, checked and written."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
import pandas as pd

from cxrbench.data.tables import label_column, read_csv, text_column
from cxrbench.errors import InputError
from cxrbench.writing import open_text

__all__ = ["ABOUT", "Predictions", "join", "read_predictions", "write_predictions"]

# What is known of each image beside its labels.
ABOUT: Final = ("path", "patient", "study", "split", "sex", "age", "view", "projection")

_PREFIX: Final = "score "
_LARGEST: Final = 512 << 20  # bytes of CSV; a quarter of a million images of 14 findings take about 50 MiB
_MOST_LABELS: Final = 1000
_SEX: Final = {"m": "M", "male": "M", "f": "F", "female": "F"}


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model said of N images about L findings.

    Args:
        table: `ABOUT`, a row an image: ``patient`` is never empty; ``split`` is "valid", "test", another word
            or ""; ``sex`` "M", "F" or ""; ``age`` in years or NaN; the rest text, "" where not known.
        labels: L names.
        targets: (N, L) float32: 1, 0, and NaN where uncertain or unknown, which no figure counts.
        scores: (N, L) float32 in [0, 1].
        name: of the model or the file, for captions.
    """

    table: pd.DataFrame
    labels: tuple[str, ...]
    targets: np.ndarray
    scores: np.ndarray
    name: str = ""

    def __post_init__(self) -> None:
        shape = (len(self.table), len(self.labels))
        if self.targets.shape != shape or self.scores.shape != shape:
            raise ValueError(
                f"targets and scores must be {shape}; got {self.targets.shape}, {self.scores.shape}"
            )
        if list(self.table.columns) != list(ABOUT):
            raise ValueError(f"table must have the columns {ABOUT}; got {list(self.table.columns)}")

    def __len__(self) -> int:
        return len(self.table)

    @property
    def patients(self) -> np.ndarray:
        """(N,) text: whose image it is; what is resampled together."""
        return self.table["patient"].to_numpy(dtype=str)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits there are, in order of appearance."""
        return tuple(self.table["split"].unique())

    def take(self, rows: np.ndarray) -> Self:
        """The images at these positions, or where this mask (N,) holds."""
        table = self.table[rows] if rows.dtype == bool else self.table.iloc[rows]
        return replace(
            self,
            table=table.reset_index(drop=True),
            targets=self.targets[rows],
            scores=self.scores[rows],
        )

    def split(self, name: str) -> Self:
        """The images of one split; perhaps none."""
        return self.take((self.table["split"] == name).to_numpy())

    def columns(self, labels: tuple[str, ...]) -> Self:
        """The same images, these findings only, in this order.

        Raises:
            InputError: one of them is not there.
        """
        missing = [label for label in labels if label not in self.labels]
        if missing:
            raise InputError(
                f"{self.name or 'The predictions'} say nothing of {', '.join(missing)}; "
                f"they have: {', '.join(self.labels)}."
            )
        at = [self.labels.index(label) for label in labels]
        return replace(self, labels=labels, targets=self.targets[:, at], scores=self.scores[:, at])


def join(parts: Sequence[Predictions]) -> Predictions:
    """Predictions of the same findings below each other, as of a validation and a test split."""
    if len({part.labels for part in parts}) != 1:
        raise ValueError(f"parts must have the same labels; got {[part.labels for part in parts]}")
    return Predictions(
        pd.concat([part.table for part in parts], ignore_index=True),
        parts[0].labels,
        np.concatenate([part.targets for part in parts]),
        np.concatenate([part.scores for part in parts]),
        parts[0].name,
    )


def read_predictions(source: Path | bytes, name: str = "") -> Predictions:
    """Predictions from a CSV file: a column a finding with the truth, and ``score FINDING`` beside it.

    The truth is 1, 0, −1 (uncertain) or nothing. Of `ABOUT` any column may be missing: without ``patient``
    every image counts as a patient of its own (so that intervals are too narrow where patients have several),
    without ``split`` all are of "test". Other columns are left out.

    Args:
        source: a path (may be gzipped), or the bytes of an uploaded file.
        name: for captions and messages; by default the file's.

    Raises:
        InputError: not a CSV, too large, no finding with both columns, a score that is missing, not a number
            or outside [0, 1], or a wrong label; one sentence that names row and column.
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
    labels = _labels(raw, name)
    targets = np.stack([label_column(raw[label], name) for label in labels], axis=1)
    scores = np.stack([_scores(raw[_PREFIX + label], name) for label in labels], axis=1)
    targets = np.where(targets == -1, np.nan, targets).astype(np.float32)
    return Predictions(_about(raw), labels, targets, scores.astype(np.float32), name)


def write_predictions(path: Path, predictions: Predictions) -> None:
    """The CSV that `read_predictions` reads; scores with 6 digits, NaN targets as nothing.

    Args:
        path: the file; whole or not there.
        predictions: to be written.

    Raises:
        InputError: the file cannot be written.
    """
    truth = {label: predictions.targets[:, i] for i, label in enumerate(predictions.labels)}
    # Whole numbers that may be missing, so that the file says 1 and not 1.0.
    columns = pd.DataFrame(truth, index=predictions.table.index).astype("Int8")
    scores = {_PREFIX + label: predictions.scores[:, i] for i, label in enumerate(predictions.labels)}
    said = pd.DataFrame(scores, index=predictions.table.index)
    table = pd.concat([predictions.table, columns, said], axis=1)
    with open_text(path) as stream:
        table.to_csv(stream, index=False, float_format="%.6g")


def _labels(raw: pd.DataFrame, name: str) -> tuple[str, ...]:
    columns = list(raw.columns)
    if len(set(columns)) < len(columns):
        raise InputError(f"{name}: every column needs its own name; rename one of those that are alike.")
    labels = tuple(column for column in columns if _PREFIX + column in columns)
    scored = [c.removeprefix(_PREFIX) for c in columns if c.startswith(_PREFIX)]
    if not labels:
        found = (
            f"scores of {', '.join(scored[:5])} but no column with their truth"
            if scored
            else f"the columns {', '.join(columns[:8])}"
        )
        raise InputError(
            f"{name}: expected for each finding a column with the truth ('Edema': 1, 0 or nothing) and one "
            f"with the score ('score Edema': 0 to 1), got {found}; rename the columns."
        )
    if len(labels) > _MOST_LABELS:
        raise InputError(f"{name}: at most {_MOST_LABELS} findings can be shown, got {len(labels)}.")
    return labels


def _scores(column: pd.Series, name: str) -> np.ndarray:
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = ~((numbers >= 0) & (numbers <= 1))  # NaN is wrong, too
    if wrong.any():
        row = int(np.argmax(wrong))
        value = "nothing" if pd.isna(column.iloc[row]) else repr(column.iloc[row])
        raise InputError(
            f"{name}: expected a score from 0 to 1, got {value} in row {row + 1}, column {column.name!r} "
            f"({int(wrong.sum()):,} of {len(wrong):,} scores there are like that); "
            "give probabilities (the sigmoid of a logit), and drop rows without a score."
        )
    return numbers


def _about(raw: pd.DataFrame) -> pd.DataFrame:
    about = {column: text_column(raw, column) for column in ABOUT}
    about["sex"] = text_column(raw, "sex", _SEX)
    rows = pd.Series([f"row {i + 1}" for i in range(len(raw))], index=raw.index, dtype="str")
    patient = about["patient"]
    about["patient"] = patient.where(patient != "", rows)
    if "split" not in raw:
        about["split"] = pd.Series("test", index=raw.index, dtype="str")
    ages = raw["age"] if "age" in raw else pd.Series(np.nan, index=raw.index)
    about["age"] = pd.to_numeric(ages, errors="coerce").astype(float)
    return pd.DataFrame(about).reset_index(drop=True)
