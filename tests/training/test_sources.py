import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cxrbench import data
from cxrbench.data import Studies
from cxrbench.errors import InputError
from cxrbench.labels import NIH
from cxrbench.training import DataConfig, Phase, TrainConfig
from cxrbench.training.sources import read_studies
from cxrbench.training.supervision import known_targets

HEADER = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n"


@pytest.fixture
def nih(tmp_path: Path) -> TrainConfig:
    """Thirty patients, two images each, every third with an effusion."""
    found = ["No Finding" if patient % 3 else "Effusion" for patient in range(30)]
    rows = [
        f"{patient:08d}_{film:03d}.png,{finding},{film},{patient},50,M,PA"
        for patient, finding in enumerate(found)
        for film in range(2)
    ]
    (tmp_path / "entry.csv").write_text(HEADER + "\n".join(rows))
    of = DataConfig(str(tmp_path), train="entry.csv", format="nih", fractions=(0.6, 0.2, 0.2))
    return TrainConfig("m", "efficientnet_b0", of, (Phase(32, 1, 4, 1e-3),), labels=NIH)


def patients(studies: Studies) -> set[str]:
    return set(studies.table["patient"])


def test_one_table_is_split_by_patient(nih: TrainConfig) -> None:
    tables = read_studies(nih)
    assert [len(tables[split]) for split in ("train", "valid", "test")] == [36, 12, 12]
    assert not patients(tables["train"]) & patients(tables["valid"])
    assert not patients(tables["train"]) & patients(tables["test"])
    again = read_studies(dataclasses.replace(nih, data=dataclasses.replace(nih.data, split_seed=1)))
    assert patients(again["train"]) != patients(tables["train"])


def test_patients_of_a_published_test_list_are_not_in_training(nih: TrainConfig, tmp_path: Path) -> None:
    (tmp_path / "test_list.txt").write_text("00000003_000.png\n00000004_000.png\n00000004_001.png\n")
    of = dataclasses.replace(nih.data, test="test_list.txt", fractions=(0.9, 0.1))
    tables = read_studies(dataclasses.replace(nih, data=of))
    assert [path.name for path in tables["test"].paths] == [
        "00000003_000.png",
        "00000004_000.png",
        "00000004_001.png",
    ]
    assert not {"3", "4"} & (patients(tables["train"]) | patients(tables["valid"]))
    assert len(tables["train"]) + len(tables["valid"]) == 56


def test_targets_of_nih_are_one_and_zero(nih: TrainConfig) -> None:
    train = read_studies(nih)["train"]
    targets = known_targets(nih, "train", train, Path()).numpy()
    assert np.array_equal(targets, train.targets)
    assert targets[:, NIH.index("Effusion")].sum() == np.sum(
        [int(p) % 3 == 0 for p in train.table["patient"]]
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "mimic"}, ["mimic", "chexpert, nih"]),
        ({"fractions": (0.5, 0.5)}, ["three", "got 2"]),
        ({"fractions": (0.5, 0.4, 0.1), "test": "test_list.txt"}, ["two", "got 3"]),
        ({"fractions": (0.9, 0.1), "test": "none.txt"}, ["none.txt", "cannot be read"]),
        ({"fractions": (0.9, 0.1), "test": "other.txt"}, ["lists none", "00000000_000.png"]),
        ({"train": "none.csv"}, ["does not exist", "none.csv"]),
        ({"view": "lateral"}, ["no lateral image"]),
    ],
)
def test_invalid_data_settings_are_refused_with_the_reason(
    nih: TrainConfig, tmp_path: Path, changes: dict[str, Any], words: list[str]
) -> None:
    (tmp_path / "other.txt").write_text("a.png\n")
    with pytest.raises(InputError) as caught:
        read_studies(dataclasses.replace(nih, data=dataclasses.replace(nih.data, **changes)))
    assert all(word in str(caught.value) for word in words), caught.value


def test_a_missing_label_column_is_named(nih: TrainConfig) -> None:
    with pytest.raises(InputError, match="no column Fracture"):
        read_studies(dataclasses.replace(nih, labels=("Effusion", "Fracture")))


def test_real_rows_are_split_too(nih: TrainConfig, real: Path) -> None:
    of = DataConfig(str(real / "nih"), "Data_Entry_2017_v2020.csv", format="nih", fractions=(0.6, 0.2, 0.2))
    tables = read_studies(dataclasses.replace(nih, data=of))
    whole = data.read_nih(real / "nih" / "Data_Entry_2017_v2020.csv")
    assert sum(map(len, tables.values())) == len(whole)
    assert all(path.is_file() for path in tables["test"].paths)
