import time

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cxrbench.errors import InputError
from cxrbench.evaluation import ABOUT, Predictions, join, read_predictions, write_predictions


def made(count=6, labels=("Edema", "Lung Lesion"), seed=0):
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


def text(predictions, tmp_path):
    write_predictions(tmp_path / "p.csv", predictions)
    return (tmp_path / "p.csv").read_bytes()


def test_what_is_written_comes_back(tmp_path):
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


def test_splits_rows_and_columns_are_taken_and_joined():
    whole = made()
    parts = whole.split("valid"), whole.split("test")
    assert [len(part) for part in parts] == [3, 3]
    assert_array_equal(join(parts).scores, whole.scores)
    turned = whole.columns(("Lung Lesion", "Edema"))
    assert_array_equal(turned.targets, whole.targets[:, ::-1])
    assert_array_equal(whole.take(np.array([4, 0])).scores, whole.scores[[4, 0]])
    with pytest.raises(InputError, match="nothing of Hernia; they have: Edema"):
        whole.columns(("Hernia",))


def test_the_least_a_file_needs_is_truth_and_score_of_a_finding():
    read = read_predictions(b"Edema,score Edema\n1,0.9\n,0.5\n-1,1\n0,0\n", "mine.csv")
    assert_array_equal(read.targets[:, 0], [1, np.nan, np.nan, 0])
    assert len(np.unique(read.patients)) == 4
    assert read.splits == ("test",)
    assert read.table["sex"].tolist() == [""] * 4
    assert read.table["age"].isna().all()


WRONG = {
    b"": "empty file",
    b"Edema,score Edema\n": "at least one row",
    b"\x89PNG\r\n\x1a\n\x00\x00": "something else|expected for each finding",
    b"image,Edema\na,0.5\n": "rename the columns",
    b"score Edema\n0.5\n": "no column with their truth",
    b"Edema,score Edema\n1,0.5\n1,\n": "got nothing in row 2, column 'score Edema'",
    b"Edema,score Edema\n1,1.5\n": r"from 0 to 1, got .*1\.5.* in row 1",
    b"Edema,score Edema\n1,-3\n0,0.5\n": r"1 of 2 scores",
    b"Edema,score Edema\n1,high\n": "'high'",
    b"Edema,score Edema\n1,inf\n": "from 0 to 1",
    b"Edema,score Edema\nyes,0.5\n": "1, 0, -1 or nothing for a label",
    b"Edema,score Edema\n0.5,0.5\n": "1, 0, -1 or nothing for a label",
}


@pytest.mark.parametrize("content", WRONG)
def test_a_wrong_file_gets_a_sentence_that_names_it(content):
    with pytest.raises(InputError, match=WRONG[content]) as error:
        read_predictions(content, "mine.csv")
    assert str(error.value).startswith("mine.csv")


def test_a_missing_file_and_a_huge_one_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such CSV"):
        read_predictions(tmp_path / "none.csv")
    with (tmp_path / "huge.csv").open("wb") as stream:
        stream.truncate((512 << 20) + 1)  # sparse: it takes no room
    with pytest.raises(InputError, match="larger than 512 MiB"):
        read_predictions(tmp_path / "huge.csv")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_predictions(tmp_path / "none" / "p.csv", made())


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_read_in_seconds(tmp_path):
    content = text(made(99_999, tuple("ABCDEFGHIJKLMN")), tmp_path)
    started = time.process_time()
    assert len(read_predictions(content)) == 99_999
    assert time.process_time() - started < 10
