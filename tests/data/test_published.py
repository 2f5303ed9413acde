import gzip
import subprocess
import sys
from functools import cache
from io import BytesIO
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from cxrbench.data.published import (
    PADCHEST,
    PUBLISHED,
    packaged,
    published_nih_boxes,
    read_published,
)
from cxrbench.data.studies import Studies
from cxrbench.data.vindr import read_vindr
from cxrbench.errors import InputError

# Positive, uncertain, negative, blank in CheXpert's training file.
CHEXPERT_COUNTS = {
    "No Finding": (22381, 0, 0, 201033),
    "Enlarged Cardiomediastinum": (10798, 12403, 21638, 178575),
    "Cardiomegaly": (27000, 8087, 11116, 177211),
    "Lung Opacity": (105581, 5598, 6599, 105636),
    "Lung Lesion": (9186, 1488, 1270, 211470),
    "Edema": (52246, 12984, 20726, 137458),
    "Consolidation": (14783, 27742, 28097, 152792),
    "Pneumonia": (6039, 18770, 2799, 195806),
    "Atelectasis": (33376, 33739, 1328, 154971),
    "Pneumothorax": (19448, 3145, 56341, 144480),
    "Pleural Effusion": (86187, 11628, 35396, 90203),
    "Pleural Other": (3523, 2653, 316, 216922),
    "Fracture": (9040, 642, 2512, 211220),
    "Support Devices": (116001, 1079, 6137, 100197),
}


@cache
def published(name: str) -> Studies:
    return read_published(name)


def test_chexpert_has_every_label_of_every_row() -> None:
    studies = published("chexpert")
    assert len(studies) == 223_414
    for label, counts in CHEXPERT_COUNTS.items():
        values = studies.table[label]
        assert ((values == 1).sum(), (values == -1).sum(), (values == 0).sum(), values.isna().sum()) == counts


def test_chexpert_has_every_patient_view_and_sex() -> None:
    table = published("chexpert").table
    assert table["patient"].nunique() == 64_540
    assert table["study"].nunique() == 187_641
    assert table["view"].value_counts().to_dict() == {"frontal": 191_027, "lateral": 32_387}
    projections = {"AP": 161_590, "PA": 29_420, "LL": 16, "RL": 1, "": 32_387}
    assert table["projection"].value_counts().to_dict() == projections
    assert table["sex"].value_counts().to_dict() == {"M": 132_636, "F": 90_777, "": 1}
    assert (table["age"].min(), table["age"].max(), (table["age"] == 0).sum()) == (0, 90, 3)


def test_the_hierarchy_stays_open_as_in_the_file() -> None:
    table = published("chexpert").table
    assert table.loc[table["Cardiomegaly"] == 1, "Enlarged Cardiomediastinum"].isna().sum() == 24_616


def test_nih_has_every_image_and_box() -> None:
    studies = published("nih")
    assert len(studies) == 112_120
    assert studies.table["patient"].nunique() == 30_805
    assert studies.table["Hernia"].sum() == 227
    boxes = published_nih_boxes()
    assert (len(boxes), boxes["image"].nunique()) == (984, 880)
    assert set(boxes["image"]) <= set(studies.table["path"])


def test_padchest_has_every_image() -> None:
    studies = published("padchest")
    assert len(studies) == 160_861
    assert np.isnan(studies.targets).all(axis=1).sum() == 103
    assert studies.table["Cardiomegaly"].sum() > 15_000
    assert (studies.table["view"] == "lateral").sum() == 49_579
    assert set(PADCHEST.values()) == set(studies.labels)
    assert (np.nansum(studies.targets, axis=0) > 0).all()


def test_labels_of_vindr_are_uncertain_where_its_radiologists_disagree() -> None:
    studies = published("vindr")
    assert len(studies) == 15_000
    assert set(np.unique(studies.targets)) == {-1, 0, 1}
    assert not np.isnan(studies.targets).any()


@pytest.mark.parametrize("name", PUBLISHED)
def test_paths_go_under_the_folder_that_is_given(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with gzip.open(packaged(PUBLISHED[name].file)) as whole:
        beginning = b"".join(islice(whole, 20))  # the rule is the same for all rows
    (tmp_path / "table.gz").write_bytes(gzip.compress(beginning))
    monkeypatch.setattr("cxrbench.data.published.packaged", lambda file: tmp_path / "table.gz")
    bare, placed = read_published(name), read_published(name, tmp_path / "images")
    assert len(bare) == len(placed) > 0
    assert not any(path.is_absolute() for path in bare.paths)
    assert all(path.is_relative_to(tmp_path / "images") for path in placed.paths)


def test_an_unknown_table_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="choose from: chexpert, nih, padchest, vindr"):
        read_published("mimic")


def test_torchxrayvision_itself_is_never_imported() -> None:
    code = (
        "import sys; from cxrbench.data import read_published; read_published('nih');"
        "assert not {'torchxrayvision', 'torch', 'skimage'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_classes_of_vindr_are_read_in_any_case_and_others_are_noted() -> None:
    rows = "007,pleural Effusion,R1\n007,Pleural_effusion,R2\n7,Scoliosis,R1\n7,No finding,R1\n"
    studies = read_vindr(BytesIO(f"image_id,class_name,rad_id\n{rows}".encode()))
    assert studies.table["patient"].tolist() == ["007", "7"]
    np.testing.assert_array_equal(studies.table["Pleural effusion"], [1, 0])
    assert studies.notes == ("CSV: left out, since VinDr-CXR has no such class: 'Scoliosis'",)
