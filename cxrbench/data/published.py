"""Label tables that lie inside the installed torchxrayvision package; its code is never imported."""

import gzip
import io
from ast import literal_eval
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

import numpy as np
import pandas as pd

from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.nih import read_nih, read_nih_boxes
from cxrbench.data.studies import Studies
from cxrbench.data.tables import read_csv, text_column, translated
from cxrbench.errors import InputError

__all__ = ["PUBLISHED", "Published", "published_nih_boxes", "read_published"]

# PadChest's terms (Bustos et al. 2020, arXiv:1901.07441) → the finding's usual name. The rest of its
# terms has no counterpart in the other data sets.
PADCHEST: Final = {
    "normal": "No Finding",
    "atelectasis": "Atelectasis",
    "laminar atelectasis": "Atelectasis",
    "lobar atelectasis": "Atelectasis",
    "total atelectasis": "Atelectasis",
    "cardiomegaly": "Cardiomegaly",
    "consolidation": "Consolidation",
    "pleural effusion": "Pleural Effusion",
    "pulmonary edema": "Edema",
    "emphysema": "Emphysema",
    "pulmonary fibrosis": "Fibrosis",
    "hiatal hernia": "Hernia",
    "infiltrates": "Infiltration",
    "mass": "Mass",
    "pulmonary mass": "Mass",
    "nodule": "Nodule",
    "multiple nodules": "Nodule",
    "pneumonia": "Pneumonia",
    "pneumothorax": "Pneumothorax",
    "pleural thickening": "Pleural Thickening",
    "apical pleural thickening": "Pleural Thickening",
    "fracture": "Fracture",
    "rib fracture": "Fracture",
    "callus rib fracture": "Fracture",
}

# VinDr-CXR's classes (Nguyen et al. 2022, arXiv:2012.15029), as the file spells them.
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

_PROJECTIONS = {"PA": "PA", "AP": "AP", "AP_horizontal": "AP", "L": "LL", "COSTAL": "COSTAL"}


def read_published(name: str, root: Path | str | None = None) -> Studies:
    """A published label table → studies, without a download.

    Args:
        name: one of `PUBLISHED`.
        root: the folder of the images, if you have them; else ``path`` is the data set's own name of it.

    Returns:
        The studies, one row an image.

    Raises:
        InputError: an unknown name, or torchxrayvision is not installed.
    """
    entry = PUBLISHED.get(name)
    if entry is None:
        raise InputError(f"Label table {name!r} is not known; choose from: {', '.join(PUBLISHED)}.")
    # An open file has no folder of its own, so the paths stay the data set's where no root is given.
    return entry.read(io.BytesIO(gzip.decompress(_packaged(entry.file).read_bytes())), root)


def published_nih_boxes() -> pd.DataFrame:
    """NIH's 984 boxes on 880 images, as `cxrbench.data.nih.read_nih_boxes` gives them."""
    return read_nih_boxes(_packaged("BBox_List_2017.csv.gz"))


def read_padchest(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """PadChest's table of 160k images: 1 where one of the terms of `PADCHEST` was reported, else 0.

    An image without a list of labels (103 of them) has NaN throughout. The age is the
    study's year less the year of birth.
    """
    columns = [
        "ImageID",
        "ImageDir",
        "StudyDate_DICOM",
        "StudyID",
        "PatientID",
        "PatientBirth",
        "PatientSex_DICOM",
        "Projection",
        "Labels",
    ]
    raw = read_csv(source, columns=columns)
    labels = tuple(dict.fromkeys(PADCHEST.values()))
    years = pd.to_numeric(raw["StudyDate_DICOM"], errors="coerce") // 10_000
    projection = text_column(raw, "Projection")
    folder = text_column(raw, "ImageDir")
    path = text_column(raw, "ImageID")
    table = pd.DataFrame(
        {
            "path": path if root is None else Path(root).absolute().as_posix() + "/" + folder + "/" + path,
            "patient": text_column(raw, "PatientID"),
            "study": text_column(raw, "StudyID"),
            "view": np.where(projection == "L", "lateral", np.where(projection == "COSTAL", "", "frontal")),
            "projection": translated(projection, _PROJECTIONS),
            "sex": text_column(raw, "PatientSex_DICOM", {"m": "M", "f": "F"}),
            "age": (years - pd.to_numeric(raw["PatientBirth"], errors="coerce")).astype(float),
            **dict(zip(labels, _padchest_targets(raw["Labels"], labels).T, strict=True)),
        }
    )
    return Studies(table, labels, "PadChest")


def read_vindr(source: Path | str | IO[bytes], root: Path | str | None = None) -> Studies:
    """VinDr-CXR's 15,000 training images, each read by three radiologists.

    1 where at least two of the three marked the class, −1 (uncertain) where one did, 0 where none. The table
    names no patient: every image counts as one of its own, which a split should know about.
    """
    raw = read_csv(source, columns=["image_id", "class_name", "rad_id"])
    readers = (
        raw.drop_duplicates().groupby(["image_id", "class_name"])["rad_id"].nunique().unstack(fill_value=0)
    )
    counts = readers.reindex(columns=list(VINDR), fill_value=0)
    images = pd.Series(counts.index.astype("str"), dtype="str")
    targets = np.select([counts >= 2, counts == 1], [1.0, -1.0], 0.0)
    table = pd.DataFrame(
        {
            "path": images if root is None else Path(root).absolute().as_posix() + "/" + images + ".dicom",
            "patient": images,
            "study": images,
            "view": "frontal",
            "projection": "PA",
            "sex": "",
            "age": np.nan,
            **dict(zip(VINDR, targets.T, strict=True)),
        }
    )
    return Studies(table, VINDR, "VinDr-CXR")


@dataclass(frozen=True)
class Published:
    """A label table in the package: its file, its reader, and what it is."""

    file: str
    read: Callable[..., Studies]
    summary: str


PUBLISHED: Final[dict[str, Published]] = {
    "chexpert": Published("chexpert_train.csv.gz", read_chexpert, "CheXpert, 223,414 training images"),
    "nih": Published("Data_Entry_2017_v2020.csv.gz", read_nih, "NIH ChestX-ray14, 112,120 images"),
    "padchest": Published(
        "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv.gz", read_padchest, "PadChest, 160,861 images"
    ),
    "vindr": Published("vinbigdata-train.csv.gz", read_vindr, "VinDr-CXR, 15,000 training images"),
}


def _packaged(file: str) -> Path:
    # find_spec only looks: importing torchxrayvision would load torch and skimage, and print.
    spec = find_spec("torchxrayvision")
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            "The published label tables come with the package torchxrayvision; pip install torchxrayvision."
        )
    return Path(spec.submodule_search_locations[0]) / "data" / file


def _padchest_targets(lists: pd.Series, labels: tuple[str, ...]) -> np.ndarray:
    """Python lists as text → (N, L) of 1, 0, and NaN where there is none."""
    # 160k rows hold only some ten thousand different lists.
    rows = {}
    for text in lists.dropna().unique():
        found = {PADCHEST.get(term.strip()) for term in literal_eval(text)}
        rows[text] = [float(label in found) for label in labels]
    nothing = [np.nan] * len(labels)
    return np.array([rows.get(text, nothing) for text in lists], np.float64)
