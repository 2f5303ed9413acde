import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from cxrbench.data import read_image
from cxrbench.errors import InputError
from cxrbench.evaluation import scoring
from cxrbench.evaluation.scoring import score_files
from cxrbench.inference import predict
from cxrbench.models import create
from cxrbench.preprocess import Preprocessing


@pytest.fixture(scope="module")
def model():
    recipe = Preprocessing(size=32)
    return create("efficientnet_b0", ("A", "B"), pretrained=False, name="speck", preprocessing=recipe)


@pytest.fixture
def films(tmp_path):
    random = np.random.default_rng(0)
    paths = []
    for index in range(7):
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(random.integers(0, 256, (40, 36 + index), dtype=np.uint8)).save(paths[-1])
    paths[4].write_bytes(b"no picture")
    return paths


def test_scores_are_those_of_predict_and_a_file_that_cannot_be_read_is_marked(model, films, tmp_path):
    told = []
    scored = score_files(model, films, tmp_path / "scores", batch=3, progress=lambda *said: told.append(said))
    assert told == [(3, 7), (6, 7), (7, 7)]
    assert scored.unreadable.nonzero()[0].tolist() == [4]
    assert not scored.missing.any()
    good = [path for path in films if path != films[4]]
    expected = predict(model, [read_image(path).pixels for path in good]).scores
    assert_allclose(scored.scores[~scored.unreadable], expected, atol=1e-6)


def test_a_run_that_was_stopped_goes_on_where_it_was(model, films, tmp_path, monkeypatch):
    whole = np.array(score_files(model, films, tmp_path / "whole", batch=2).scores)
    seen = []

    def stop_at_the_third(done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_files(model, films, tmp_path / "scores", batch=2, progress=stop_at_the_third)
    read = scoring.read_image
    monkeypatch.setattr(scoring, "read_image", lambda path: seen.append(path) or read(path))
    scored = score_files(model, films, tmp_path / "scores", batch=2)
    assert sorted(seen) == films[4:]
    assert_allclose(scored.scores, whole, atol=1e-6)
    seen.clear()
    assert_array_equal(score_files(model, films, tmp_path / "scores").scores, scored.scores)
    assert not seen


def test_other_weights_or_files_start_anew(model, films, tmp_path):
    score_files(model, films, tmp_path / "scores")
    score_files(model, films[:3], tmp_path / "scores")
    assert len(list((tmp_path / "scores").iterdir())) == 2


def test_two_processes_share_the_files_out_by_row(model, films, tmp_path, monkeypatch):
    class Second:
        process_index, num_processes, is_main_process, device = 1, 2, False, torch.device("cpu")

        def main_process_first(self):
            return torch.no_grad()

        def wait_for_everyone(self):
            pass

    monkeypatch.setattr(scoring, "PartialState", Second)
    scored = score_files(model, films, tmp_path / "scores", batch=2)
    assert_array_equal(scored.missing, [True, False] * 3 + [True])


def test_nothing_to_score_is_said(model, tmp_path):
    with pytest.raises(InputError, match="an image"):
        score_files(model, [], tmp_path)
