"""`FORMS`: the published data sets that a folder can hold, by what their tables look like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.chexpert_plus import read_chexpert_plus
from cxrbench.data.cxr_lt import read_cxr_lt
from cxrbench.data.nih import read_nih
from cxrbench.data.one_finding import read_rsna, read_siim
from cxrbench.data.padchest import read_padchest
from cxrbench.data.studies import Studies
from cxrbench.data.vindr import read_vindr, read_vindr_labels
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT, finding_columns, finding_key

__all__ = ["FORMS", "Form", "Signature"]

Reader = Callable[[Path, Path | None], Studies]
Division = Callable[[Studies, Path], Mapping[str, np.ndarray]]


_SCORE: Final = "score "  # begins the columns of scores in this program's predictions.csv


@dataclass(frozen=True)
class Signature:
    """What a label table of a data set has in its header, and the function that reads it.

    Args:
        columns: names that must be there, in lower case.
        read: (table, folder of the images; None for the table's own) → studies.
        findings: labels of which at least one must be a column, in any spelling; none if labels are values.
    """

    columns: frozenset[str]
    read: Reader
    findings: tuple[str, ...] = ()

    def fits(self, columns: tuple[str, ...]) -> bool:
        """Whether a table with these columns is one of this kind; predictions of a model are none."""
        if any(column.startswith(_SCORE) for column in columns):
            return False
        if not self.columns <= {column.casefold() for column in columns}:
            return False
        known = finding_columns(columns)
        return not self.findings or any(finding_key(finding) in known for finding in self.findings)


@dataclass(frozen=True)
class Form:
    """A published data set: how its files are recognised and read, and how to get it.

    Args:
        title: as written in tables.
        signatures: of its label tables; of several tables of one split that of the earliest signature is
            read.
        files: the published names of its files, for people.
        images: number of images as published.
        source: where to get it.
        terms: under what terms.
        reference: arXiv or DOI; "" if there is none.
        preferred: parts of file names: of several tables of one split the first named here is read.
        divide: (studies, folder) → split → their rows (N,) bool, where one table holds several splits.
        unique_names: whether no two images have the same file name, so that one can be found by it; other
            data sets' readers find their images themselves.
    """

    title: str
    signatures: tuple[Signature, ...]
    files: str
    images: int
    source: str
    terms: str
    reference: str
    preferred: tuple[str, ...] = ()
    divide: Division | None = None
    unique_names: bool = True


def _by_folder(studies: Studies, folder: Path) -> dict[str, np.ndarray]:
    """CheXpert Plus: rows by the part of their path that names the split."""
    parts = studies.table["path"].str.rsplit("/", n=4).str[1].to_numpy(dtype=str)
    return {split: parts == split for split in ("train", "valid", "test") if (parts == split).any()}


def _by_list(studies: Studies, folder: Path) -> dict[str, np.ndarray]:
    """NIH: rows by the official lists of file names, where they are in the folder."""
    names = np.array([path.name for path in studies.paths], dtype=str)
    rows: dict[str, np.ndarray] = {}
    for split, file in (("train", "train_val_list.txt"), ("test", "test_list.txt")):
        path = folder / file
        if not path.is_file():
            return {}
        try:
            listed = path.read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} cannot be read ({error}); give one file name per line.") from error
        rows[split] = np.isin(names, listed)
    rest = ~np.logical_or.reduce(list(rows.values()))
    return {split: mask for split, mask in {**rows, "unlisted": rest}.items() if mask.any()}


FORMS: Final[Mapping[str, Form]] = {
    "chexpert": Form(
        "CheXpert",
        (
            Signature(frozenset({"path"}), read_chexpert, CHEXPERT),
            Signature(frozenset({"study"}), read_chexpert, CHEXPERT),
        ),
        "train.csv, valid.csv, test.csv (also test_labels.csv, train_visualCheXbert.csv)",
        224_316,
        "https://aimi.stanford.edu/datasets/chexpert-chest-x-rays",
        "Stanford's research use agreement: free after registration, for non-commercial research; not to be "
        "passed on.",
        "arXiv:1901.07031",
        ("train.csv", "valid.csv", "test.csv"),
        unique_names=False,
    ),
    "chexpert_plus": Form(
        "CheXpert Plus",
        (Signature(frozenset({"path_to_image"}), read_chexpert_plus, CHEXPERT),),
        "df_chexpert_plus_240401.csv, and impression_fixed.json from chexbert_labels.zip",
        223_462,
        "https://aimi.stanford.edu/datasets/chexpert-plus",
        "Stanford's research use agreement: free after registration, for non-commercial research; not to be "
        "passed on.",
        "arXiv:2405.19538",
        # CheXpert's own labels were made from the impressions, too. Of findings alone, a section that is
        # missing counts as No Finding.
        ("impression", "report", "findings"),
        _by_folder,
        unique_names=False,
    ),
    "nih": Form(
        "NIH ChestX-ray14",
        (Signature(frozenset({"image index", "finding labels", "patient id"}), read_nih),),
        "Data_Entry_2017_v2020.csv, train_val_list.txt, test_list.txt",
        112_120,
        "https://nihcc.app.box.com/v/ChestXray-NIHCC",
        "Free to use without registration; name the NIH Clinical Center as the source and cite the paper.",
        "arXiv:1705.02315",
        ("v2020",),
        _by_list,
    ),
    "vindr": Form(
        "VinDr-CXR",
        (
            Signature(frozenset({"image_id"}), read_vindr_labels, ("Aortic enlargement",)),
            Signature(frozenset({"image_id", "class_name", "x_min"}), read_vindr),
        ),
        "image_labels_train.csv and image_labels_test.csv (PhysioNet), or train.csv (Kaggle)",
        18_000,
        "https://physionet.org/content/vindr-cxr/",
        "PhysioNet's credentialed health data licence: an account with training in research ethics; not to "
        "be passed on.",
        "arXiv:2012.15029",
    ),
    "rsna": Form(
        "RSNA pneumonia challenge",
        (Signature(frozenset({"patientid", "target", "x", "y", "width", "height"}), read_rsna),),
        "stage_2_train_labels.csv",
        26_684,
        "https://www.kaggle.com/competitions/rsna-pneumonia-detection-challenge",
        "The rules of the Kaggle competition: free after accepting them, for research and education; the "
        "images are NIH's.",
        "doi:10.1148/ryai.2019180041",
    ),
    "siim": Form(
        "SIIM-ACR pneumothorax challenge",
        (Signature(frozenset({"imageid", "encodedpixels"}), read_siim),),
        "train-rle.csv",
        12_047,
        "https://www.kaggle.com/competitions/siim-acr-pneumothorax-segmentation",
        "The rules of the Kaggle competition: free after accepting them, for research and education; the "
        "images are NIH's.",
        "",
    ),
    "padchest": Form(
        "PadChest",
        (Signature(frozenset({"imageid", "imagedir", "patientid", "labels"}), read_padchest),),
        "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv",
        160_861,
        "https://bimcv.cipf.es/bimcv-projects/padchest/",
        "BIMCV's research use agreement: free after registration, for non-commercial research; not to be "
        "passed on.",
        "arXiv:1901.07441",
    ),
    "cxr_lt": Form(
        "CXR-LT",
        (
            Signature(frozenset({"dicom_id", "subject_id"}), read_cxr_lt, CHEXPERT),
            Signature(frozenset({"id", "subj_id"}), read_cxr_lt, CHEXPERT),
        ),
        "train.csv, development.csv and test.csv (MIMIC-CXR-JPG's images), or nih-cxr-lt_….csv (NIH's)",
        377_110,
        "https://physionet.org/content/cxr-lt-iccv-workshop-cvamd/",
        "Labels and images on PhysioNet: its credentialed health data licence; labels of NIH's images: as "
        "NIH ChestX-ray14.",
        "arXiv:2310.16112",
    ),
}
