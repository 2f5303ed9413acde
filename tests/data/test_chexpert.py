from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.studies import Studies
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT

HEADER = f"Path,Sex,Age,Frontal/Lateral,AP/PA,{','.join(CHEXPERT)}\n"
PATHS = (
    "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg",
    "CheXpert-v1.0-small/train/patient00002/study2/view1_frontal.jpg",
    "CheXpert-v1.0-small/train/patient00002/study2/view2_lateral.jpg",
)
ROWS = (
    f"{PATHS[0]},Female,68,Frontal,AP,1.0,,,,,,,,,0.0,,,,1.0\n"
    f"{PATHS[1]},Male,87,Frontal,PA,,,-1.0,1.0,,-1.0,-1.0,,-1.0,,-1.0,,1.0,\n"
    f"{PATHS[2]},Unknown,0,Lateral,,,,,0,,-1,,,,,,,,\n"
)


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "train.csv"
    path.write_text(HEADER + ROWS)
    return path


def lay_images(root: Path, *, dropped: int = 0) -> None:
    for path in PATHS:
        file = root.joinpath(*path.split("/")[dropped:])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def test_a_training_file_is_read_row_by_row(csv: Path) -> None:
    studies = read_chexpert(csv)
    assert studies.labels == CHEXPERT
    assert studies.name == "CheXpert"
    assert studies.table["patient"].tolist() == ["patient00001", "patient00002", "patient00002"]
    assert studies.table["study"].tolist() == ["patient00001/study1", *["patient00002/study2"] * 2]
    assert studies.table["view"].tolist() == ["frontal", "frontal", "lateral"]
    assert studies.table["projection"].tolist() == ["AP", "PA", ""]
    assert studies.table["sex"].tolist() == ["F", "M", ""]
    assert studies.table["age"].tolist() == [68, 87, 0]


def test_uncertain_and_not_mentioned_stay_apart(csv: Path) -> None:
    targets = read_chexpert(csv).targets
    assert targets.dtype == np.float32
    edema = CHEXPERT.index("Edema")
    np.testing.assert_array_equal(targets[:, edema], [np.nan, -1, -1])
    np.testing.assert_array_equal(targets[:, CHEXPERT.index("Lung Opacity")], [np.nan, 1, 0])


@pytest.mark.parametrize("dropped", range(4))
def test_images_are_found_wherever_the_prefix_ends(tmp_path: Path, csv: Path, dropped: int) -> None:
    lay_images(tmp_path, dropped=dropped)
    studies = read_chexpert(csv)
    assert all(path.is_file() and path.is_absolute() for path in studies.paths)


def test_images_are_found_in_another_root(tmp_path: Path, csv: Path) -> None:
    root = tmp_path / "elsewhere" / "images"
    lay_images(root, dropped=2)
    assert all(path.is_relative_to(root) and path.is_file() for path in read_chexpert(csv, root).paths)


def test_images_are_found_beside_and_above_the_labels(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    csv = tmp_path / "labels" / "train.csv"
    csv.write_text(HEADER + ROWS)
    lay_images(tmp_path, dropped=1)
    assert all(path.is_file() for path in read_chexpert(csv).paths)


def test_a_renamed_folder_of_the_data_set_is_found(tmp_path: Path, csv: Path) -> None:
    lay_images(tmp_path / "CheXpert-full", dropped=1)
    assert all(path.is_file() for path in read_chexpert(csv).paths)


def test_absolute_paths_stay(tmp_path: Path) -> None:
    lay_images(tmp_path / "data")
    csv = tmp_path / "train.csv"
    csv.write_text(HEADER + ROWS.replace("CheXpert-v1.0-small", f"{tmp_path}/data/CheXpert-v1.0-small"))
    assert all(path.is_file() for path in read_chexpert(csv).paths)


def test_absolute_paths_of_another_machine_are_found_under_the_root(tmp_path: Path) -> None:
    lay_images(tmp_path, dropped=1)
    csv = tmp_path / "train.csv"
    csv.write_text(HEADER + ROWS.replace("CheXpert-v1.0-small", "/scratch/someone/CheXpert-v1.0-small"))
    assert all(path.is_file() for path in read_chexpert(csv).paths)


def test_a_missing_first_image_does_not_hide_the_others(tmp_path: Path, csv: Path) -> None:
    lay_images(tmp_path, dropped=1)
    missing = tmp_path.joinpath(*PATHS[0].split("/")[1:])
    missing.unlink()
    paths = read_chexpert(csv).paths
    assert paths[0] == missing
    assert all(path.is_file() for path in paths[1:])


def test_a_test_file_without_demographics_and_with_other_names_is_read(tmp_path: Path) -> None:
    csv = tmp_path / "test.csv"
    csv.write_text(
        "\ufeffpath,Enlarged_Cardiomediastinum,Airspace Opacity,Pleural_Effusion,Comment\n"
        "test/patient64741/study1/view1_frontal.jpg,1,0,1.0,hello\n"
        "test\\patient64742\\study1\\view2_lateral.jpg,0,0,1,\n"
    )
    studies = read_chexpert(csv)
    assert studies.labels == ("Enlarged Cardiomediastinum", "Lung Opacity", "Pleural Effusion")
    assert studies.table["view"].tolist() == ["frontal", "lateral"]
    assert studies.table["sex"].tolist() == studies.table["projection"].tolist() == ["", ""]
    assert studies.table["age"].isna().all()
    np.testing.assert_array_equal(studies.targets, [[1, 0, 1], [0, 0, 1]])


def test_columns_may_stand_in_any_order(tmp_path: Path, csv: Path) -> None:
    shuffled = tmp_path / "shuffled.csv"
    table = pd.read_csv(csv)
    table[table.columns[::-1]].to_csv(shuffled, index=False)
    pd.testing.assert_frame_equal(read_chexpert(csv).table, read_chexpert(shuffled).table)


def refusal(tmp_path: Path, text: str | bytes) -> str:
    csv = tmp_path / "labels.csv"
    csv.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError) as caught:
        read_chexpert(csv)
    assert str(caught.value).startswith("labels.csv: ")
    return str(caught.value)


def test_a_csv_without_a_label_column_is_refused_with_the_columns_expected(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, "Path,Sex\ntrain/patient00001/study1/view1_frontal.jpg,Male\n")
    assert "label columns (No Finding, Enlarged Cardiomediastinum" in sentence
    assert "got the columns Path, Sex" in sentence


def test_an_unknown_value_is_refused_with_its_row_and_column(tmp_path: Path) -> None:
    for value in ("2", "0.5", "yes", "inf"):
        sentence = refusal(tmp_path, HEADER + ROWS.replace("Lateral,,,,,0,", f"Lateral,,,,,{value},"))
        assert "row 3, column 'Lung Opacity'" in sentence


def test_other_broken_files_are_refused(tmp_path: Path) -> None:
    assert "got an empty file" in refusal(tmp_path, "")
    assert "at least one row" in refusal(tmp_path, HEADER)
    assert "column 'Path'" in refusal(tmp_path, "Image,Edema\na.png,1\n")
    assert "without a patient" in refusal(tmp_path, "Path,Edema\nfilm.png,1\n")
    assert "one column for Lung Opacity" in refusal(
        tmp_path, "Path,Lung Opacity,Airspace Opacity\ntrain/patient1/study1/view1_frontal.jpg,1,1\n"
    )
    assert "expected" in refusal(tmp_path, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    assert "line 2 is no CSV (a quotation mark is never closed)" in refusal(
        tmp_path, 'Path,Edema\n"never closed,1\n' + "a,b,c,d\n" * 3
    )


def test_files_that_cannot_be_opened_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv: there is no such CSV file"):
        read_chexpert(tmp_path / "gone.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_chexpert(tmp_path)
    (tmp_path / "train.csv.gz").write_bytes(b"\x1f\x8bno archive")
    with pytest.raises(InputError, match="cannot be read"):
        read_chexpert(tmp_path / "train.csv.gz")


def test_columns_without_one_known_entry_are_empty(tmp_path: Path) -> None:
    csv = tmp_path / "labels.csv"
    csv.write_text("Path,Sex,Frontal/Lateral,Edema\ntrain/patient00001/study1/film.jpg,Unknown,,1\n")
    table = read_chexpert(csv).table
    assert table["sex"].tolist() == table["view"].tolist() == [""]


def read(tmp_path: Path, text: str, name: str = "labels.csv") -> Studies:
    (tmp_path / name).write_text(text)
    return read_chexpert(tmp_path / name)


FILM = "train/patient00001/study1/view1_frontal.jpg"


def test_labels_are_read_in_any_spelling_and_unknown_ones_are_noted(tmp_path: Path) -> None:
    studies = read(
        tmp_path, f"PATH,Oedema,pleural__EFFUSION,Airspace-Opacity,sex,Scanner\n{FILM},1,1,0,F,X\n"
    )
    assert studies.labels == ("Lung Opacity", "Pleural Effusion")
    assert studies.table["sex"].tolist() == ["F"]
    (note,) = studies.notes
    assert note.startswith("labels.csv: left out")
    assert "'Oedema' (did you mean 'Edema'?), 'Scanner'" in note
    assert read(tmp_path, f"Path,Sex,Edema\n{FILM},F,1\n").notes == ()


@pytest.mark.parametrize("header", ["Edema,Edema", "Edema,EDEMA", "Effusion,Pleural_Effusion"])
def test_two_columns_of_one_label_are_refused_by_name(tmp_path: Path, header: str) -> None:
    with pytest.raises(InputError, match=header.rsplit(",")[-1]):
        read(tmp_path, f"Path,{header}\n{FILM},0,1\n")
    with pytest.raises(InputError, match="'Path' and 'path' are the same column"):
        read(tmp_path, f"Path,path,Edema\n{FILM},{FILM},1\n")


def test_semicolons_and_tabs_are_read(tmp_path: Path) -> None:
    for separator in ";\t":
        studies = read(tmp_path, f"Path{separator}Edema\n{FILM}{separator}1\n")
        np.testing.assert_array_equal(studies.targets, [[1]])


def test_labels_may_be_words_for_true_and_nothing(tmp_path: Path) -> None:
    rows = "".join(
        f"train/patient{i:05}/study1/view1_frontal.jpg,{word}\n"
        for i, word in enumerate(("True", "false", "NaN", "null", " 1.0 ", "-1"))
    )
    targets = read(tmp_path, f"Path,Edema\n{rows}").targets[:, 0]
    np.testing.assert_array_equal(targets, [1, 0, np.nan, np.nan, 1, -1])


def test_an_image_that_occurs_twice_is_counted_once_and_noted(tmp_path: Path) -> None:
    other = "train/patient00002/study1/view1_frontal.jpg"
    studies = read(
        tmp_path,
        f"Path,Edema,Fracture\n{FILM},1,\n{other},0,0\n./{FILM},1,\n{FILM.replace('/', '//')},1,\n",
    )
    assert [path.parts[-3] for path in studies.paths] == ["patient00001", "patient00002"]
    assert studies.notes == (
        "labels.csv: 1 path occurs more than once, with the same labels: each is counted once",
    )


@pytest.mark.parametrize(("one", "other", "shown"), [("0", "1", "0 and 1"), ("", "0", "nothing and 0")])
def test_an_image_that_occurs_with_other_labels_is_refused_with_an_example(
    tmp_path: Path, one: str, other: str, shown: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, f"Path,Edema\n{FILM},{one}\n{FILM},{other}\n")
    assert "1 path occurs more than once, 1 with different labels" in str(caught.value)
    assert f"in rows 1 and 2 (Edema: {shown})" in str(caught.value)


def test_labels_by_study_go_to_every_image_of_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "CheXpert" / "test" / "patient64741" / "study1"
    folder.mkdir(parents=True)
    for view in ("view1_frontal.jpg", "view2_lateral.jpg"):
        (folder / view).touch()
    text = "Study,Edema,Pleural Effusion\nCheXpert-v1.0/test/patient64741/study1,1,0\n"
    studies = read(tmp_path / "CheXpert", text)
    assert studies.paths == [folder / "view1_frontal.jpg", folder / "view2_lateral.jpg"]
    assert studies.table["view"].tolist() == ["frontal", "lateral"]
    np.testing.assert_array_equal(studies.targets, [[1, 0], [1, 0]])
    with pytest.raises(InputError, match="'Study' lists studies, not images"):
        read_chexpert(BytesIO(text.encode()))


def test_chexpert_plus_labels_are_read_from_json_lines(tmp_path: Path) -> None:
    lines = f'{{"path_to_image": "{FILM}", "Edema": 1.0, "Fracture": null, "Pneumonia": -1.0}}\n'
    studies = read(tmp_path, lines, "labels.json")
    assert studies.labels == ("Edema", "Pneumonia", "Fracture")
    np.testing.assert_array_equal(studies.targets, [[1, -1, np.nan]])
    with pytest.raises(InputError, match="CheXpert Plus keeps its labels in JSON files of their own"):
        read(tmp_path, f"path_to_image,sex,age\n{FILM},Male,50\n")
