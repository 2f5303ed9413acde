"""``TRUTHS``: the data sets whose annotations are read, and the images that belong to them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cxrbench.data.published import packaged
from cxrbench.data.truth.boxes import read_nih_regions, read_rsna_regions, read_vindr_regions
from cxrbench.data.truth.chexlocalize import read_chexlocalize_regions
from cxrbench.data.truth.regions import Region
from cxrbench.data.truth.siim import read_siim_regions
from cxrbench.errors import InputError, look_up

__all__ = ["TRUTHS", "TruthSource", "film_files", "truth_file"]

_IMAGES: Final = (".png", ".jpg", ".jpeg", ".dcm", ".dicom", ".tif", ".tiff")


@dataclass(frozen=True)
class TruthSource:
    """A data set with known places of findings.

    Args:
        title: as written in tables.
        read: the file of annotations → regions.
        file: name of that file, as published.
        packaged: the same file inside torchxrayvision; "" if it has none.
        reference: arXiv or DOI.
    """

    title: str
    read: Callable[[Path], list[Region]]
    file: str
    packaged: str
    reference: str


TRUTHS: Final[Mapping[str, TruthSource]] = {
    "chexlocalize": TruthSource(
        "CheXlocalize",
        read_chexlocalize_regions,
        "gt_segmentations_val.json",
        "",
        "doi:10.1038/s42256-022-00536-x",
    ),
    "nih": TruthSource(
        "NIH ChestX-ray14",
        read_nih_regions,
        "BBox_List_2017.csv",
        "BBox_List_2017.csv.gz",
        "arXiv:1705.02315",
    ),
    "vindr": TruthSource(
        "VinDr-CXR", read_vindr_regions, "train.csv", "vinbigdata-train.csv.gz", "arXiv:2012.15029"
    ),
    "rsna": TruthSource(
        "RSNA pneumonia challenge",
        read_rsna_regions,
        "stage_2_train_labels.csv",
        "kaggle_stage_2_train_labels.csv.zip",
        "doi:10.1148/ryai.2019180041",
    ),
    "siim": TruthSource(
        "SIIM-ACR pneumothorax challenge",
        read_siim_regions,
        "train-rle.csv",
        "siim-pneumothorax-train-rle.csv.gz",
        "",
    ),
}


def truth_file(name: str, file: Path | None = None) -> Path:
    """The annotations of a data set: a file, or the one inside torchxrayvision.

    Args:
        name: a key of ``TRUTHS``.
        file: the annotations; by default those in torchxrayvision.

    Raises:
        InputError: an unknown name, or no file where torchxrayvision has none or is not installed.
    """
    source = look_up("data set", name, TRUTHS)
    if file is not None:
        return file
    if not source.packaged:
        raise InputError(f"The annotations of {source.title} are needed; give the file: {source.file}.")
    return packaged(source.packaged)


def film_files(folder: Path, films: Iterable[str]) -> dict[str, Path]:
    """The image files of films in a folder and below, in the order of ``films``; others are left out.

    A film is found by its file's name without the suffix, or by the last three parts of its path joined by
    "_": ``patient64541/study1/view1_frontal.jpg`` is the film ``patient64541_study1_view1_frontal``.

    Raises:
        InputError: no such folder, or two files of one film.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give that of the images.")
    wanted = dict.fromkeys(films)
    found: dict[str, Path] = {}
    for path in folder.rglob("*"):
        if path.suffix.casefold() not in _IMAGES:
            continue
        for film in {path.stem, "_".join((*path.parts[-3:-1], path.stem))} & wanted.keys():
            if film in found:
                raise InputError(f"{film} has two image files, {found[film]} and {path}; keep one of them.")
            found[film] = path
    return {film: found[film] for film in wanted if film in found}
