import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cxrbench.data import Studies
from cxrbench.errors import InputError
from cxrbench.evaluation import ABOUT, Predictions, from_studies, join, read_predictions, write_predictions


def made(count: int = 6, labels: Any = ("Edema", "Lung Lesion"), seed: int = 0) -> Predictions:
    random = np.random.default_rng(seed)
    columns = {
        "path": [f"test/patient{i:05}/study1/view1_frontal.png" for i in range(count)],
        "patient": [f"patient{i // 2:05}" for i in range(count)],
        "study": "",
        "split": ["valid" if i < count // 2 else "test" for i in range(count)],
        "sex": ["M", "F", ""] * (count // 3),
        "age": [np.nan, *range(40, 39 + count)],
        "view": "frontal",
        "projection": "PA",
    }
    targets = random.choice([0, 1, np.nan], (count, len(labels))).astype(np.float32)
    scores = random.random((count, len(labels))).astype(np.float32)
    return Predictions(pd.DataFrame(columns), labels, targets, scores, "made")


def text(predictions: Any, tmp_path: Any) -> Any:
    write_predictions(tmp_path / "p.csv", predictions)
    return (tmp_path / "p.csv").read_bytes()


def test_what_is_written_comes_back(tmp_path: Path) -> None:
    before = made()
    write_predictions(tmp_path / "predictions.csv", before)
    after = read_predictions(tmp_path / "predictions.csv", "again")
    assert (after.labels, after.name, after.splits) == (before.labels, "again", ("valid", "test"))
    assert_array_equal(after.targets, before.targets)
    assert_allclose(after.scores, before.scores, rtol=1e-5)
    pd.testing.assert_frame_equal(after.table, before.table, check_dtype=False)
    assert list(tmp_path.iterdir()) == [tmp_path / "predictions.csv"]
    header = (tmp_path / "predictions.csv").read_text().splitlines()[0]
    assert header == ",".join([*ABOUT, "Edema", "Lung Lesion", "score Edema", "score Lung Lesion"])


def test_splits_rows_and_columns_are_taken_and_joined() -> None:
    whole = made()
    parts = whole.split("valid"), whole.split("test")
    assert [len(part) for part in parts] == [3, 3]
    assert_array_equal(join(parts).scores, whole.scores)
    turned = whole.columns(("Lung Lesion", "Edema"))
    assert_array_equal(turned.targets, whole.targets[:, ::-1])
    assert_array_equal(whole.take(np.array([4, 0])).scores, whole.scores[[4, 0]])
    with pytest.raises(InputError, match="nothing of Hernia; they have: Edema"):
        whole.columns(("Hernia",))


def test_the_least_a_file_needs_is_truth_and_score_of_a_finding() -> None:
    read = read_predictions(b"Edema,score Edema\n1,0.9\n,0.5\n-1,1\n0,0\n", "mine.csv")
    assert_array_equal(read.targets[:, 0], [1, np.nan, np.nan, 0])
    assert len(np.unique(read.patients)) == 4
    assert read.splits == ("test",)
    assert read.table["sex"].tolist() == [""] * 4
    assert read.table["age"].isna().all()


WRONG = {
    b"": "empty file",
    b"Edema,score Edema\n": "at least one row",
    b"\x89PNG\r\n\x1a\n\x00\x00": "got a PNG picture",
    b"image,Edema\na,0.5\n": "rename the columns",
    b"score Edema\n0.5\n": "no column with their truth",
    b"Edema,score Edema\n1,0.5\n1,\n": "got nothing in row 2, column 'score Edema'",
    b"Edema,score Edema\n1,1.5\n": r"from 0 to 1, got .*1\.5.* in row 1",
    b"Edema,score Edema\n1,-3\n0,0.5\n": r"1 of 2 scores",
    b"Edema,score Edema\n1,high\n": "'high'",
    b"Edema,score Edema\n1,inf\n": "from 0 to 1",
    b"Edema,score Edema\nyes,0.5\n": "1, 0, -1 or nothing for a label",
    b"Edema,score Edema\n0.5,0.5\n": "1, 0, -1 or nothing for a label",
    b"Edema;score Edema\n1;0,5\n": "write decimals with a point",
    b"Edema,score Edema,score Edema\n1,0.9,0.1\n": "'score Edema' occurs 2 times",
    b"Effusion,Pleural Effusion,score Effusion\n1,0,0.1\n": "'Effusion' and 'Pleural Effusion' are",
    b"path,score Edema,Edema\na,0.9,1,\nb,0.2,0,\n": "line 2 has 4 entries",
    b"patient,Patient,Edema,score Edema\na,b,1,0.9\n": "'patient' and 'Patient' are the same column",
    b"path,Edema,score Edema\na,1,0.9\na,0,0.9\n": "1 path occurs more than once, 1 with different truth",
    b"path,Edema,score Edema\na/b,1,0.9\n./a//b,1,0.8\n": "'a/b' in rows 1 and 2; keep one row per image",
}


@pytest.mark.parametrize("content", WRONG)
def test_a_wrong_file_gets_a_sentence_that_names_it(content: bytes) -> None:
    with pytest.raises(InputError, match=WRONG[content]) as error:
        read_predictions(content, "mine.csv")
    assert str(error.value).startswith("mine.csv")


def test_identifiers_are_text() -> None:
    read = read_predictions(b"path,patient,Edema,score Edema\n1e5,00012,1,0.9\n100000,12,0,0.2\n,NA,0,0.2\n")
    assert read.patients.tolist() == ["00012", "12", "NA"]
    assert read.table["path"].tolist() == ["1e5", "100000", ""]
    assert read.notes == ()


IDENTIFIER = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), max_size=8) | st.from_regex(
    r"0{0,3}\d{1,5}(e\d)?", fullmatch=True
)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(IDENTIFIER.filter(bool), IDENTIFIER), min_size=1, max_size=6))
def test_identifiers_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    before = made(6).take(np.arange(len(rows)))
    about = {
        "path": [f"{i}/{path}" for i, (_, path) in enumerate(rows)],
        "patient": [name for name, _ in rows],
    }
    before = replace(before, table=before.table.assign(**about, study=[path for _, path in rows]))
    file = tmp_path_factory.mktemp("written") / "p.csv"
    write_predictions(file, before)
    after = read_predictions(file)
    for column in ("path", "patient", "study"):
        assert after.table[column].tolist() == before.table[column].tolist()


def test_the_two_columns_of_a_finding_may_be_spelled_otherwise_and_columns_left_out_are_named() -> None:
    header = b"PATH,Patient,Effusion,score_pleural effusion,Hernia,score Oedema\n"
    read = read_predictions(header + b"a,p,1,0.9,1,0.3\nb,p,0,0.1,0,0.3\n")
    assert read.labels == ("Pleural Effusion",)
    assert_allclose(read.scores[:, 0], [0.9, 0.1], rtol=1e-6)
    assert read.patients.tolist() == ["p", "p"]
    (note,) = read.notes
    assert "left out" in note
    assert "'Hernia', 'score Oedema'" in note


def test_without_patients_each_image_counts_as_one_and_that_is_said() -> None:
    (note,) = read_predictions(b"Edema,score Edema\n1,0.9\n0,0.1\n").notes
    assert note.startswith("there is no column 'patient', so each image counts as a patient of its own")
    (note,) = read_predictions(b"patient,Edema,score Edema\np,1,0.9\n,0,0.1\n").notes
    assert note.startswith("1 rows name no patient")


def test_an_image_that_occurs_twice_within_a_split_is_counted_once() -> None:
    rows = b"a/b,p,test,1,0.9\nb,p,test,0,0.1\n./a/b,p,test,1,0.9\na/b,p,valid,1,0.9\n"
    read = read_predictions(b"path,patient,split,Edema,score Edema\n" + rows)
    assert read.table["path"].tolist() == ["a/b", "b", "a/b"]
    assert read.table["split"].tolist() == ["test", "test", "valid"]
    assert read.notes == (
        "1 path occurs more than once, with the same truth and scores: each is counted once",
    )


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such CSV"):
        read_predictions(tmp_path / "none.csv")
    with (tmp_path / "huge.csv").open("wb") as stream:
        stream.truncate((512 << 20) + 1)  # sparse: it takes no room
    with pytest.raises(InputError, match="larger than 512 MiB"):
        read_predictions(tmp_path / "huge.csv")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_predictions(tmp_path / "none" / "p.csv", made())


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_read_in_seconds(tmp_path: Path) -> None:
    content = text(made(99_999, tuple("ABCDEFGHIJKLMN")), tmp_path)
    started = time.process_time()
    assert len(read_predictions(content)) == 99_999
    assert time.process_time() - started < 10


def test_studies_are_evaluated_by_their_labels_and_named_below_their_folder(tmp_path: Path) -> None:
    studies = Studies(
        pd.DataFrame(
            {
                "path": [str(tmp_path / "test" / f"{i}.png") for i in range(3)] + ["/elsewhere/3.png"],
                "patient": list("aabc"),
                "study": "",
                "view": "frontal",
                "projection": "AP",
                "sex": "F",
                "age": 50.0,
                "Fracture": 1.0,
                "Pleural Effusion": [1.0, 0.0, -1.0, np.nan],
            }
        ),
        ("Fracture", "Pleural Effusion"),
        "made",
    )
    scores = np.full((4, 1), 0.5, np.float32)
    found = from_studies(studies, ("Effusion",), scores, split="test", root=tmp_path, name="model")
    assert_array_equal(found.targets[:, 0], [1, 0, np.nan, 0])
    assert found.table["path"].tolist() == ["test/0.png", "test/1.png", "test/2.png", "3.png"]
    assert found.splits == ("test",)


def test_the_distance_from_the_training_films_is_kept_where_it_is_known(tmp_path: Path) -> None:
    before = made()
    assert np.isnan(before.distances).all()
    known = np.array([0.5, 1.25, np.nan, 2.0, 0.75, 1.0])
    write_predictions(tmp_path / "p.csv", replace(before, table=before.table.assign(distance=known)))
    after = read_predictions(tmp_path / "p.csv")
    assert after.notes == ()
    assert_allclose(after.distances, known)
    assert_allclose(join([after.split("valid"), after.split("test")]).distances, known)
