"""Every published form is recognised by its files, and its images are found."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cxrbench.data.datasets import FORMS, evaluated_split, read_data_set, read_table, recognise
from cxrbench.errors import InputError


def test_a_data_set_is_recognised_read_and_all_its_images_are_found(
    published: tuple[Path, str, dict[str, int], set[str]],
) -> None:
    folder, form, images, present = published
    found = recognise(folder)
    assert found.form == form
    splits = read_data_set(found)
    assert {split: len(studies) for split, studies in splits.items()} == images
    assert [path for studies in splits.values() for path in studies.paths if not path.is_file()] == []
    first = next(iter(splits.values()))
    assert {label for label in first.labels if first.table[label][0] == 1} == present


def test_the_folder_may_be_named_from_above(write_set: Callable[..., Path], tmp_path: Path) -> None:
    write_set("chexpert", "CheXpert-v1.0-small")
    found = recognise(tmp_path)
    assert found.form == "chexpert"
    assert all(path.is_file() for studies in read_data_set(found).values() for path in studies.paths)


def test_of_several_tables_of_a_split_the_published_one_is_read(write_set: Callable[..., Path]) -> None:
    found = recognise(write_set("chexpert"))
    assert found.tables["train"].name == "train.csv"
    assert [path.name for path in found.others] == ["train_visualCheXbert.csv"]
    plus = recognise(write_set("chexpert plus", "plus"))
    assert plus.tables["all"].name == "impression_fixed.json"


def test_chexpert_plus_gets_sex_age_and_view_from_its_csv(write_set: Callable[..., Path]) -> None:
    train = read_data_set(recognise(write_set("chexpert plus")))["train"].table
    assert train[["sex", "age", "projection", "view"]].iloc[0].tolist() == ["M", 70, "PA", "frontal"]


def test_two_of_three_readers_make_a_class_present_and_one_makes_it_uncertain(
    write_set: Callable[..., Path],
) -> None:
    train = read_data_set(recognise(write_set("vindr physionet")))["train"].table
    assert train[["Aortic enlargement", "Cardiomegaly", "Tuberculosis"]].iloc[0].tolist() == [1, -1, 0]
    kaggle = read_data_set(recognise(write_set("vindr kaggle", "kaggle")))["train"].table
    assert kaggle[["Cardiomegaly", "Pleural effusion", "Pneumothorax"]].iloc[0].tolist() == [1, -1, 0]


def test_an_image_with_several_boxes_or_masks_is_one_row(write_set: Callable[..., Path]) -> None:
    assert read_data_set(recognise(write_set("rsna")))["train"].table["Pneumonia"].tolist() == [0, 1]
    siim = read_data_set(recognise(write_set("siim", "siim")))["train"].table
    assert siim["Pneumothorax"].tolist() == [0, 1]


def test_metadata_of_a_long_tailed_table_are_no_labels(write_set: Callable[..., Path]) -> None:
    train = read_data_set(recognise(write_set("cxr-lt mimic")))["train"]
    assert train.labels == ("Cardiomegaly", "Calcification of the Aorta")
    assert "'Rows'" in train.notes[0]
    assert train.table["projection"][0] == "AP"


def test_a_folder_of_no_known_data_set_is_refused_with_what_was_found(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    (tmp_path / "damaged.csv").write_bytes(b"\x1f\x8b\x00")
    with pytest.raises(InputError, match=r"NIH ChestX-ray14, .* found the tables damaged.csv, notes"):
        recognise(tmp_path)
    with pytest.raises(InputError, match=r"SIIM-ACR pneumothorax challenge: train-rle.csv; found the tables"):
        recognise(tmp_path, "siim")
    with pytest.raises(InputError, match="There is no folder"):
        recognise(tmp_path / "none")


def test_reports_without_labels_are_named_as_such(write_set: Callable[..., Path]) -> None:
    folder = write_set("chexpert plus")
    for path in (folder / "chexbert_labels").iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"holds CheXpert Plus's reports .* unpack chexbert_labels.zip"):
        recognise(folder)


def test_a_folder_of_two_data_sets_needs_a_choice(write_set: Callable[..., Path]) -> None:
    folder = write_set("nih")
    write_set("chexpert")
    with pytest.raises(InputError, match=r"holds tables of several data sets: .*--form"):
        recognise(folder)
    assert recognise(folder, "nih").form == "nih"
    with pytest.raises(InputError, match="Unknown data set 'other'"):
        recognise(folder, "other")


def test_results_deeper_in_the_folder_do_not_make_it_ambiguous(write_set: Callable[..., Path]) -> None:
    folder = write_set("nih")
    (folder / "out").mkdir()
    (folder / "out" / "predictions.csv").write_text("path,Edema,score Edema\na.png,1,0.5\n")
    assert recognise(folder).form == "nih"
    with pytest.raises(InputError, match="is not the folder of a known data set"):
        recognise(folder / "out")


def test_a_single_table_is_read_by_its_columns(write_set: Callable[..., Path]) -> None:
    folder = write_set("nih")
    studies = read_table(folder / "Data_Entry_2017_v2020.csv")
    assert studies.name == "NIH ChestX-ray14"
    assert all(path.is_file() for path in studies.paths)


def test_images_of_another_suffix_and_place_are_found_by_name(write_set: Callable[..., Path]) -> None:
    folder = write_set("rsna")
    (folder / "png").mkdir()
    for path in (folder / "stage_2_train_images").iterdir():
        path.rename(folder / "png" / f"{path.stem}.png")
    assert [path.name for path in read_data_set(recognise(folder))["train"].paths] == ["a-1.png", "b-2.png"]


def test_models_are_evaluated_on_test_images_or_on_those_nearest_to_them() -> None:
    assert evaluated_split({"train": 0, "valid": 0, "test": 0}) == "test"
    assert evaluated_split({"train": 0, "valid": 0}) == "valid"
    assert evaluated_split({"train": 0}) == "train"


def test_every_record_says_how_to_get_its_images_and_under_what_terms() -> None:
    for record in FORMS.values():
        assert record.images > 0
        assert record.source.startswith("https://")
        assert record.terms.endswith(".")


def test_tables_in_a_folder_of_many_patients_are_not_looked_for(
    write_set: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["cxrbench.data.datasets.recognise"], "_MOST_ENTRIES", 3)
    folder = write_set("chexpert")
    for number in range(4):
        below = folder / "train" / f"patient1000{number}"
        below.mkdir()
        (below / "Data_Entry.csv").write_text("Image Index,Finding Labels,Patient ID\na.png,Mass,1\n")
    assert recognise(folder, "chexpert").form == "chexpert"
    with pytest.raises(InputError, match="is not the folder"):
        recognise(folder, "nih")
