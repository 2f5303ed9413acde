"""Label tables inside the installed torchxrayvision package; its code is never imported."""

import gzip
import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pandas as pd

from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.nih import read_nih, read_nih_boxes
from cxrbench.data.padchest import read_padchest
from cxrbench.data.padchest_terms import PADCHEST
from cxrbench.data.studies import Studies
from cxrbench.data.vindr import read_vindr
from cxrbench.errors import InputError

__all__ = [
    "PADCHEST",
    "PUBLISHED",
    "Published",
    "packaged",
    "published_nih_boxes",
    "read_padchest",
    "read_published",
]


def read_published(name: str, root: Path | str | None = None) -> Studies:
    """Read a published label table, without a download.

    Args:
        name: one of `PUBLISHED`.
        root: the folder of the images, if you have them; otherwise ``path`` is the path in the data set.

    Returns:
        The studies, one row per image.

    Raises:
        InputError: an unknown name, or torchxrayvision is not installed.
    """
    entry = PUBLISHED.get(name)
    if entry is None:
        raise InputError(f"Label table {name!r} is not known; choose from: {', '.join(PUBLISHED)}.")
    # An open file has no folder, so without a root the paths remain those of the data set.
    return entry.read(io.BytesIO(gzip.decompress(packaged(entry.file).read_bytes())), root)


def published_nih_boxes() -> pd.DataFrame:
    """NIH's 984 boxes on 880 images, as returned by `cxrbench.data.nih.read_nih_boxes`."""
    return read_nih_boxes(packaged("BBox_List_2017.csv.gz"))


@dataclass(frozen=True)
class Published:
    """A label table in the package: its file, its reader, and a summary."""

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


def packaged(file: str) -> Path:
    """Path of a table inside torchxrayvision.

    Raises:
        InputError: it is not installed.
    """
    # find_spec does not import: importing torchxrayvision would load torch and skimage, and print.
    spec = find_spec("torchxrayvision")
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            "The published label tables come with the package torchxrayvision; pip install torchxrayvision."
        )
    return Path(spec.submodule_search_locations[0]) / "data" / file
