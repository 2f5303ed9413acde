"""``Predictions``: scores and targets of a model on a data set; checked, read and written."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import numpy as np
import pandas as pd

from cxrbench.data.studies import Studies
from cxrbench.errors import InputError
from cxrbench.labels import finding_columns, finding_indices, finding_key
from cxrbench.targets import ground_truth
from cxrbench.writing import open_text

__all__ = ["ABOUT", "DISTANCE", "SCORE_PREFIX", "Predictions", "from_studies", "join", "write_predictions"]

# What is known of each image beside its labels.
ABOUT: Final = ("path", "patient", "study", "split", "sex", "age", "view", "projection")

# Column with the distance of each image from the model's training films, where that is known.
DISTANCE: Final = "distance"

# What stands before a finding in the name of the column of its scores.
SCORE_PREFIX: Final = "score "


@dataclass(frozen=True, eq=False)
class Predictions:
    """The scores of a model for N images and L findings, with their targets.

    Args:
        table: `ABOUT`, one row per image: ``patient`` is never empty; ``split`` is "valid", "test", another
            word or ""; ``sex`` "M", "F" or ""; ``age`` in years or NaN; the rest text, "" where not known.
            `DISTANCE` may follow: relative to the limit of the model's validation films
            (`cxrbench.inference.relative_distances`), NaN where not known.
        labels: L names.
        targets: (N, L) float32: 1, 0, and NaN where uncertain or unknown, which no metric counts.
        scores: (N, L) float32 in [0, 1].
        name: of the model or the file, for captions.
        notes: what the reader left out, took together or had to assume, one sentence each; to be shown.
    """

    table: pd.DataFrame
    labels: tuple[str, ...]
    targets: np.ndarray
    scores: np.ndarray
    name: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = (len(self.table), len(self.labels))
        if self.targets.shape != shape or self.scores.shape != shape:
            raise ValueError(
                f"targets and scores must be {shape}; got {self.targets.shape}, {self.scores.shape}"
            )
        if list(self.table.columns) not in (list(ABOUT), [*ABOUT, DISTANCE]):
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

    @property
    def distances(self) -> np.ndarray:
        """(N,) of the images from the model's training films; NaN where not known."""
        known = self.table.get(DISTANCE)
        return np.full(len(self), np.nan) if known is None else known.to_numpy(dtype=float)

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
        """The same images, these findings only, in this order and spelled like this.

        Raises:
            InputError: one of them is not there.
        """
        known = finding_columns(self.labels)
        missing = [label for label in labels if finding_key(label) not in known]
        if missing:
            raise InputError(
                f"{self.name or 'The predictions'} say nothing of {', '.join(missing)}; "
                f"they have: {', '.join(self.labels)}."
            )
        chosen = [known[finding_key(label)] for label in labels]
        return replace(self, labels=labels, targets=self.targets[:, chosen], scores=self.scores[:, chosen])


def from_studies(
    studies: Studies,
    labels: tuple[str, ...],
    scores: np.ndarray,
    *,
    split: str,
    root: Path,
    name: str = "",
    distances: np.ndarray | None = None,
) -> Predictions:
    """Predictions of studies, with their labels as targets: uncertain is NaN, not mentioned is absent.

    Args:
        studies: N images.
        labels: L findings that the studies have a column for.
        scores: (N, L).
        split: of all images.
        root: folder of the data set; paths are stored relative to it, of files elsewhere the name alone.
        name: of the model.
        distances: (N,) from the model's training films; None where they are not known.
    """
    table = studies.table.assign(split=split)[list(ABOUT)].reset_index(drop=True)
    base, paths = root.absolute(), [Path(path) for path in table["path"]]
    table["path"] = [
        path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name for path in paths
    ]
    if distances is not None and not np.isnan(distances).all():
        table[DISTANCE] = distances
    targets = studies.targets[:, finding_indices(labels, studies.labels)]
    return Predictions(table, labels, ground_truth(targets, labels), scores, name)


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
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def write_predictions(path: Path, predictions: Predictions) -> None:
    """The CSV that `cxrbench.evaluation.read_predictions` reads: 6 digits of a score, nothing for NaN.

    Args:
        path: the file; whole or not there.
        predictions: to be written.

    Raises:
        InputError: the file cannot be written.
    """
    truth = {label: predictions.targets[:, i] for i, label in enumerate(predictions.labels)}
    # Whole numbers that may be missing, so that the file says 1 and not 1.0.
    columns = pd.DataFrame(truth, index=predictions.table.index).astype("Int8")
    scores = {SCORE_PREFIX + label: predictions.scores[:, i] for i, label in enumerate(predictions.labels)}
    score_columns = pd.DataFrame(scores, index=predictions.table.index)
    table = pd.concat([predictions.table, columns, score_columns], axis=1)
    with open_text(path) as stream:
        table.to_csv(stream, index=False, float_format="%.6g")
