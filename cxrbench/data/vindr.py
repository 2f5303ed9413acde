"""VinDr-CXR's label tables (Nguyen et al. 2022, arXiv:2012.15029)."""

from pathlib import Path
from typing import IO, Final

import numpy as np
import pandas as pd

from cxrbench.data.studies import Studies
from cxrbench.data.tables import find_column, label_column, left_out, read_csv, table_name, text_column
from cxrbench.errors import InputError
from cxrbench.labels import finding_key

__all__ = ["VINDR", "read_vindr", "read_vindr_labels"]

# The classes with boxes, in the files' spelling.
VINDR: Final = (
    "Aortic enlargement",
    "Atelectasis",
    "Calcification",
    "Cardiomegaly",
    "Consolidation",
    "ILD",
    "Infiltration",
    "Lung Opacity",
    "Nodule/Mass",
    "Other lesion",
    "Pleural effusion",
    "Pleural thickening",
    "Pneumothorax",
    "Pulmonary fibrosis",
)
_NOTHING: Final = "No finding"


def read_vindr(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """Read VinDr-CXR's table of boxes: one row per reader and box, or per box of the readers' consensus.

    Of the 15,000 training images, each read by three radiologists: 1 where at least two of the three marked
    the class, −1 (uncertain) where one did, 0 where none did. Where the table names no reader, as that of the
    3,000 test images, a class is 1 where it has a box, else 0. The table names no patients, so every image
    counts as a patient of its own: a split cannot keep the images of one patient together.

    Args:
        source: ``train.csv`` of Kaggle's VinBigData challenge, or ``annotations_train.csv`` or
            ``annotations_test.csv`` of PhysioNet.
        root: the folder of the images; without one ``path`` is the image's name only.

    Raises:
        InputError: no CSV, or a column missing.
    """
    name = table_name(source)
    raw = read_csv(source)
    image, finding = _column(raw, "image_id", name), _column(raw, "class_name", name)
    classes = text_column(raw, finding)
    by_key = {finding_key(label): label for label in (*VINDR, _NOTHING)}
    known = classes.map({word: by_key.get(finding_key(word), "") for word in classes.unique()})
    unknown = list(dict.fromkeys(classes[known == ""]))
    reader = find_column(raw, ("rad_id",), name)
    readers = raw[reader] if reader else pd.Series("", index=raw.index)
    marks = pd.DataFrame({"image": text_column(raw, image), "class": known, "reader": readers})
    counted = marks.drop_duplicates().groupby(["image", "class"])["reader"].nunique().unstack(fill_value=0)
    counts = counted.reindex(columns=list(VINDR), fill_value=0)
    images = pd.Series(counts.index.astype("str"), dtype="str")
    note = left_out(unknown, "since VinDr-CXR has no such class")
    targets = _votes(counts.to_numpy(), of_readers=reader is not None)
    return _studies(images, VINDR, targets, root, (f"{name}: {note}",) if note else ())


def read_vindr_labels(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """Read PhysioNet's ``image_labels_train.csv`` or ``image_labels_test.csv``: one column per class.

    With a column of readers: 1 where at least two marked the class, −1 where one did, else 0. Without one the
    labels are the readers' consensus. All columns of the file other than image and reader are labels. As in
    `read_vindr`, every image counts as a patient of its own.

    Raises:
        InputError: no CSV, a column missing, or a value that is no label.
    """
    name = table_name(source)
    raw = read_csv(source)
    image = _column(raw, "image_id", name)
    reader = find_column(raw, ("rad_id",), name)
    labels = tuple(column for column in raw.columns if column not in (image, reader))
    marks = pd.DataFrame({label: label_column(raw[label], name) == 1 for label in labels})
    counts = marks.groupby(text_column(raw, image)).sum()
    images = pd.Series(counts.index.astype("str"), dtype="str")
    return _studies(images, labels, _votes(counts.to_numpy(), of_readers=reader is not None), root, ())


def _column(raw: pd.DataFrame, column: str, name: str) -> str:
    found = find_column(raw, (column,), name)
    if found is None:
        raise InputError(
            f"{name}: expected the column {column!r}, got the columns {', '.join(raw.columns[:6])}; give a "
            "table of VinDr-CXR."
        )
    return found


def _votes(counts: np.ndarray, *, of_readers: bool) -> np.ndarray:
    """Targets (N, L) from the number of readers who marked a class (N, L)."""
    return np.select([counts >= (2 if of_readers else 1), counts == 1], [1.0, -1.0], 0.0)


def _studies(
    images: pd.Series,
    labels: tuple[str, ...],
    targets: np.ndarray,
    root: Path | str | None,
    notes: tuple[str, ...],
) -> Studies:
    table = pd.DataFrame(
        {
            "path": images if root is None else Path(root).absolute().as_posix() + "/" + images + ".dicom",
            "patient": images,
            "study": images,
            "view": "frontal",
            "projection": "PA",
            "sex": "",
            "age": np.nan,
            **dict(zip(labels, targets.T, strict=True)),
        }
    )
    return Studies(table, labels, "VinDr-CXR", notes)
