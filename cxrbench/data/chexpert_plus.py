"""CheXpert Plus (Chambon et al. 2024, arXiv:2405.19538): labels in JSON lines, patients in a CSV."""

from pathlib import Path
from typing import Final

import pandas as pd

from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.headers import read_header
from cxrbench.data.studies import Studies
from cxrbench.data.tables import number_column, read_csv, text_column, translated
from cxrbench.errors import InputError

__all__ = ["is_patient_table", "read_chexpert_plus"]

_SUFFIXES: Final = (".png", ".dcm", ".jpg")
_VIEWS: Final = {"frontal": "frontal", "lateral": "lateral"}
_SEX: Final = {"male": "M", "female": "F"}
_DETAILS: Final = ("path_to_image", "frontal_lateral", "ap_pa", "sex", "age")
_PROBES: Final = 16


def is_patient_table(columns: tuple[str, ...]) -> bool:
    """Whether these are columns of ``df_chexpert_plus_240401.csv``: reports and patients, no labels."""
    return {"path_to_image", "deid_patient_id"} <= set(columns)


def read_chexpert_plus(source: Path, root: Path | None = None) -> Studies:
    """Read labels of CheXpert Plus, joined on ``path_to_image`` to sex, age and view of each image.

    Args:
        source: JSON lines such as ``impression_fixed.json``.
        root: the folder that holds ``df_chexpert_plus_240401.csv`` (or beside the labels) and the images,
            which the tables name ``train/…/view1_frontal.jpg`` and which may be PNG or DICOM files below
            ``PNG`` or ``DICOM``. Without the CSV, sex, age and projection are unknown.

    Raises:
        InputError: as `cxrbench.data.read_chexpert`; or the CSV has none of the images.
    """
    folder = root if root is not None else source.absolute().parent
    studies = _with_files(read_chexpert(source, _image_folder(folder)))
    patients = _patient_table(source, folder)
    if patients is None:
        note = f"{source.name}: no df_chexpert_plus CSV beside it, so sex, age and projection are unknown"
        return Studies(studies.table, studies.labels, "CheXpert Plus", (*studies.notes, note))
    return _joined(studies, patients)


def _image_folder(folder: Path) -> Path:
    """The folder that holds ``train``: the data set's own, or ``PNG`` or ``DICOM`` in it."""
    named = [folder / name for name in ("PNG", "DICOM")]
    return next((place for place in named if place.is_dir()), folder)


def _patient_table(source: Path, folder: Path) -> Path | None:
    for place in dict.fromkeys((folder, source.absolute().parent, source.absolute().parent.parent)):
        for path in sorted(place.glob("*.csv*")):
            if is_patient_table(read_header(path)):
                return path
    return None


def _with_files(studies: Studies) -> Studies:
    """The paths with the suffix that the image files have: the tables say .jpg of PNG and DICOM files."""
    paths = studies.table["path"]
    stems = paths.str.rpartition(".")[0]
    step = max(1, len(stems) // _PROBES)
    for suffix in _SUFFIXES:
        if any(Path(stem + suffix).is_file() for stem in stems.iloc[::step]):
            table = studies.table.assign(path=(stems + suffix).astype("str"))
            return Studies(table, studies.labels, studies.name, studies.notes)
    return studies


def _joined(studies: Studies, patients: Path) -> Studies:
    raw = read_csv(patients, columns=_DETAILS).drop_duplicates("path_to_image")
    # A path is compared by patient, study and view, since the folders above differ.
    rows = pd.Series(range(len(raw)), index=_keys(raw["path_to_image"]))
    found = rows[~rows.index.duplicated()].reindex(_keys(studies.table["path"])).to_numpy()
    known = ~pd.isna(found)
    if not known.any():
        raise InputError(
            f"{patients.name}: has none of the images that the labels name, such as "
            f"{studies.table['path'].iloc[0]!r}; give the CSV of the same data set."
        )
    details = raw.iloc[found[known].astype(int)]
    table = studies.table.copy()
    for column, values in (
        ("sex", text_column(details, "sex", _SEX)),
        ("age", number_column(details, "age")),
        ("projection", text_column(details, "ap_pa")),
        ("view", translated(text_column(details, "frontal_lateral").str.casefold(), _VIEWS)),
    ):
        table.loc[known, column] = list(values)
    missing = int((~known).sum())
    note = (f"{patients.name}: says nothing of {missing:,} labelled images",) if missing else ()
    return Studies(table, studies.labels, "CheXpert Plus", (*studies.notes, *note))


def _keys(paths: pd.Series) -> pd.Index:
    """Split, patient, study and view of each path: ``train/patient00001/study1/view1_frontal``."""
    parts = paths.str.replace("\\", "/").str.rpartition(".")[0].str.split("/").str[-4:]
    return pd.Index(parts.str.join("/"))
