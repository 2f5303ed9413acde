"""Data sets of one finding: RSNA's pneumonia challenge and the SIIM-ACR pneumothorax challenge."""

from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from cxrbench.data.studies import Studies
from cxrbench.data.tables import number_column, read_csv, table_name, text_column
from cxrbench.errors import InputError

__all__ = ["read_rsna", "read_siim"]


def read_rsna(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """Read RSNA's ``stage_2_train_labels.csv`` (Shih et al. 2019, doi:10.1148/ryai.2019180041).

    One row per box; an image is 1 for Pneumonia where its ``Target`` is 1: an opacity that suggests a
    pneumonia was marked. The file's ``patientId`` is an image's name, and images of one patient are not
    known, so every image counts as a patient of its own.

    Args:
        source: the CSV file.
        root: the folder that holds ``stage_2_train_images``; without one ``path`` is the image's name only.

    Raises:
        InputError: no CSV, a column missing, a target other than 0 and 1, or an image with both.
    """
    name = table_name(source)
    raw = read_csv(source, columns=["patientId", "Target"])
    target = number_column(raw, "Target")
    wrong = ~np.isin(target, (0, 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{name}: expected a Target of 0 or 1, got {raw['Target'].iloc[row]!r} in row {row + 1}; "
            "correct the file."
        )
    images = text_column(raw, "patientId")
    targets = pd.Series(target, index=raw.index).groupby(images, sort=False)
    both = targets.nunique() > 1
    if both.any():
        raise InputError(
            f"{name}: {both[both].index[0]} has a Target of 0 in one row and 1 in another; correct the file."
        )
    return _studies(targets.max(), "Pneumonia", "stage_2_train_images", root, "RSNA pneumonia challenge")


def read_siim(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """Read SIIM-ACR's ``train-rle.csv``: the columns ``ImageId`` and `` EncodedPixels``.

    An image is 1 for Pneumothorax where it has a mask in any of its rows, 0 where it has -1. The table names
    no patients, so every image counts as a patient of its own.

    Args:
        source: the CSV file.
        root: the folder that holds ``dicom-images-train``; without one ``path`` is the image's name only.

    Raises:
        InputError: no CSV, or a column missing.
    """
    raw = read_csv(source, columns=["ImageId", "EncodedPixels"])
    present = (text_column(raw, "EncodedPixels") != "-1").astype(float)
    targets = present.groupby(text_column(raw, "ImageId"), sort=False).max()
    return _studies(targets, "Pneumothorax", "dicom-images-train", root, "SIIM-ACR pneumothorax challenge")


def _studies(targets: pd.Series, label: str, folder: str, root: Path | str | None, name: str) -> Studies:
    """Studies of one label from a series of targets whose index names the images."""
    images = pd.Series(targets.index.astype("str"), dtype="str")
    table = pd.DataFrame(
        {
            "path": images
            if root is None
            else f"{Path(root).absolute().as_posix()}/{folder}/" + images + ".dcm",
            "patient": images,
            "study": images,
            "view": "frontal",
            "projection": "",
            "sex": "",
            "age": np.nan,
            label: targets.to_numpy(np.float64),
        }
    )
    return Studies(table, (label,), name)
