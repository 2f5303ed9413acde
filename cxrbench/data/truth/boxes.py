"""Boxes of findings: NIH ChestX-ray14, VinDr-CXR and RSNA's pneumonia challenge."""

from pathlib import Path
from typing import IO, Final

import numpy as np
import pandas as pd

from cxrbench.data.nih import read_nih_boxes
from cxrbench.data.tables import number_column, read_csv, table_name, text_column
from cxrbench.data.truth.regions import Region, boxed_regions
from cxrbench.errors import InputError
from cxrbench.labels import finding_key

__all__ = ["read_nih_regions", "read_rsna_regions", "read_vindr_regions"]

_SQUARE: Final = (1024, 1024)  # pixels of NIH's and RSNA's published images
_NOTHING: Final = finding_key("No Finding")


def read_nih_regions(source: Path | str | IO[bytes]) -> list[Region]:
    """Read NIH's ``BBox_List_2017.csv`` (Wang et al. 2017, arXiv:1705.02315); boxes in pixels of 1024².

    Raises:
        InputError: as ``read_nih_boxes``, or a box without area.
    """
    name, table = table_name(source), read_nih_boxes(source)
    corners = _corners(table[["x", "y", "width", "height"]].to_numpy(float), name)
    films = table["image"].str.removesuffix(".png")
    return boxed_regions(
        list(zip(films, films.str.split("_").str[0], table["finding"], corners, strict=True)), _SQUARE
    )


def read_rsna_regions(source: Path | str | IO[bytes]) -> list[Region]:
    """Read RSNA's ``stage_2_train_labels.csv`` (Shih et al. 2019, doi:10.1148/ryai.2019180041).

    One row per box, in pixels of 1024². The boxes mark opacities that suggest a pneumonia; films with
    ``Target`` 0 have an empty one and are left out.

    Raises:
        InputError: another table, a target other than 0 and 1, or a present finding without a box.
    """
    name = table_name(source)
    raw = read_csv(source, columns=["patientId", "x", "y", "width", "height", "Target"])
    target = number_column(raw, "Target")
    if not np.isin(target, (0, 1)).all():
        row = int(np.argmax(~np.isin(target, (0, 1))))
        raise InputError(
            f"{name}: expected a Target of 0 or 1, got {raw['Target'].iloc[row]!r} in row {row + 1}; "
            "correct the file."
        )
    present = raw[target == 1]
    corners = _corners(_numbers(present, ("x", "y", "width", "height")), name)
    films = text_column(present, "patientId")
    return boxed_regions(
        [(film, film, "Pneumonia", box) for film, box in zip(films, corners, strict=True)], _SQUARE
    )


def read_vindr_regions(source: Path | str | IO[bytes]) -> list[Region]:
    """Read VinDr-CXR's training annotations (Nguyen et al. 2022, arXiv:2012.15029).

    One row per reader and box, in pixels of the original DICOM images; of the three readers of an image each
    may have drawn several. Rows of "No finding" have no box and are left out.

    Raises:
        InputError: another table, or a finding without a box.
    """
    name = table_name(source)
    sides = ("x_min", "y_min", "x_max", "y_max")
    raw = read_csv(source, columns=["image_id", "class_name", "rad_id", *sides])
    classes = text_column(raw, "class_name")
    nothing = classes.map({word: finding_key(word) == _NOTHING for word in classes.unique()})
    marked = raw[~nothing.to_numpy(bool)]
    values = _numbers(marked, sides)
    values[:, 2:] -= values[:, :2]
    corners = _corners(values, name)
    films = text_column(marked, "image_id")
    rows = [
        (film, film, finding, box)
        for film, finding, box in zip(films, text_column(marked, "class_name"), corners, strict=True)
    ]
    return boxed_regions(rows, None, text_column(marked, "rad_id").tolist())


def _numbers(table: pd.DataFrame, columns: tuple[str, ...]) -> np.ndarray:
    return np.stack([number_column(table, column) for column in columns], axis=1)


def _corners(boxes: np.ndarray, name: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom of boxes (T, 4) given as left, top, width, height."""
    usable = np.isfinite(boxes).all(1) & (boxes[:, 2:] > 0).all(1)
    if not usable.all():
        raise InputError(
            f"{name}: expected four numbers with a width and a height above 0 for each box, got "
            f"{boxes[~usable][0].tolist()} for box {int(np.argmin(usable)) + 1}; correct the file."
        )
    return [(x, y, x + width, y + height) for x, y, width, height in boxes.tolist()]
