import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image, ImageOps

from cxrbench.data import Radiograph, read_image
from cxrbench.errors import InputError
from cxrbench.evaluation import scoring
from cxrbench.evaluation.scoring import score_files
from cxrbench.inference import predict
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing


def make(**options: Any) -> Classifier:
    recipe = Preprocessing(size=32)
    return create(
        "efficientnet_b0", ("A", "B"), pretrained=False, name="speck", preprocessing=recipe, **options
    )


@pytest.fixture(scope="module")
def model() -> Classifier:
    return make()


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    random = np.random.default_rng(0)
    paths = []
    for index in range(7):
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(random.integers(0, 256, (40, 36 + index), dtype=np.uint8)).save(paths[-1])
    paths[4].write_bytes(b"no picture")
    for path in paths:
        age(path)
    return paths


def age(path: Path, hours: int = 1) -> None:
    """As if the file had been written some time ago."""
    before = path.stat().st_mtime_ns - int(hours * 3.6e12)
    os.utime(path, ns=(before, before))


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are decoded from now on."""
    decoded: list[Path] = []

    def read(path: Path, **options: Any) -> Radiograph:
        decoded.append(path)
        return read_image(path, **options)

    monkeypatch.setattr(scoring, "read_image", read)
    return decoded


def test_scores_are_those_of_predict_and_a_file_that_cannot_be_read_is_named(
    model: Classifier, films: list[Path], tmp_path: Path
) -> None:
    told = []
    scored = score_files(model, films, tmp_path / "scores", batch=3, progress=lambda *said: told.append(said))
    assert told == [(3, 7), (6, 7), (7, 7)]
    assert scored.unreadable.nonzero()[0].tolist() == [4]
    assert list(scored.problems) == [films[4]]
    assert str(films[4]) in scored.problems[films[4]]
    assert np.isnan(scored.scores[4]).all()
    good = [path for path in films if path != films[4]]
    expected = predict(model, [read_image(path).pixels for path in good]).scores
    assert_allclose(scored.scores[~scored.unreadable], expected, atol=1e-6)


def test_a_run_that_was_stopped_goes_on_where_it_was(
    model: Classifier, films: list[Path], tmp_path: Path, seen: list[Path]
) -> None:
    whole = score_files(model, films, tmp_path / "whole", batch=2).scores
    seen.clear()

    def stop_at_the_second_batch(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_files(model, films, tmp_path / "scores", batch=2, progress=stop_at_the_second_batch)
    seen.clear()
    scored = score_files(model, films, tmp_path / "scores", batch=2)
    assert sorted(seen) == films[4:]
    assert_allclose(scored.scores, whole, atol=1e-6)
    seen.clear()
    assert_array_equal(score_files(model, films, tmp_path / "scores").scores, scored.scores)
    assert seen == [films[4]]  # what could not be read is tried again


@pytest.mark.parametrize("hidden", [False, True])
def test_a_film_that_was_changed_in_place_is_scored_anew(
    hidden: bool, model: Classifier, films: list[Path], tmp_path: Path, seen: list[Path]
) -> None:
    before = score_files(model, films, tmp_path / "scores").scores
    times, size = films[2].stat(), films[2].stat().st_size
    changed = ImageOps.invert(Image.open(films[2]))
    if hidden:  # the same size, and the time of the old file
        changed.save(films[2])
        films[2].write_bytes(films[2].read_bytes().ljust(size, b"\0")[: max(size, films[2].stat().st_size)])
        os.utime(films[2], ns=(times.st_atime_ns, times.st_mtime_ns))
    else:
        changed.save(films[2])
    seen.clear()
    after = score_files(model, films, tmp_path / "scores").scores
    assert sorted(seen) == [films[2], films[4]]
    fresh = score_files(model, films, tmp_path / "fresh").scores
    assert_allclose(after, fresh, atol=1e-6)
    assert (before[2] != after[2]).all()


def test_a_film_that_was_only_touched_or_moved_is_not_scored_again(
    model: Classifier, films: list[Path], tmp_path: Path, seen: list[Path]
) -> None:
    before = score_files(model, films, tmp_path / "scores").scores
    films[0].touch()
    moved = films[1].rename(tmp_path / "elsewhere.png")
    seen.clear()
    after = score_files(model, [films[0], moved, *films[2:]], tmp_path / "scores").scores
    assert_array_equal(after, before)
    assert seen == [films[4]]


def test_a_list_in_another_order_or_longer_costs_only_what_is_new(
    model: Classifier, films: list[Path], tmp_path: Path, seen: list[Path]
) -> None:
    few = score_files(model, films[:3], tmp_path / "scores").scores
    seen.clear()
    scored = score_files(model, films[::-1], tmp_path / "scores")
    assert sorted(seen) == films[3:]
    assert_array_equal(scored.scores[::-1][:3], few)


def test_a_file_that_comes_back_is_scored_and_one_that_goes_is_not_remembered(
    model: Classifier, films: list[Path], tmp_path: Path
) -> None:
    data = films[0].read_bytes()
    films[0].unlink()
    scored = score_files(model, films, tmp_path / "scores")
    assert list(scored.problems) == [films[0], films[4]]
    assert "no such file" in scored.problems[films[0]]
    films[0].write_bytes(data)
    assert list(score_files(model, films, tmp_path / "scores").problems) == [films[4]]
    films[1].unlink()
    scored = score_files(model, films, tmp_path / "scores")
    assert list(scored.problems) == [films[1], films[4]]
    assert np.isnan(scored.scores[1]).all()


def test_other_weights_or_reading_code_start_anew(
    model: Classifier, films: list[Path], tmp_path: Path, seen: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = score_files(model, films[:2], tmp_path / "scores").scores
    other = make(seed=3)
    assert not np.allclose(score_files(other, films[:2], tmp_path / "scores").scores, first)
    changed = make()
    changed.load_state_dict(
        {**model.state_dict(), **{k: v + 1 for k, v in model.state_dict().items() if "bias" in k}}
    )
    assert not np.allclose(score_files(changed, films[:2], tmp_path / "scores").scores, first)
    seen.clear()
    monkeypatch.setattr(scoring, "reading_version", lambda: "another")
    score_files(model, films[:2], tmp_path / "scores")
    assert len(seen) == 2


def test_a_line_that_a_kill_cut_is_scored_again_and_the_next_one_is_whole(
    model: Classifier, films: list[Path], tmp_path: Path, seen: list[Path]
) -> None:
    whole = score_files(model, films, tmp_path / "scores").scores
    (store,) = (tmp_path / "scores").iterdir()
    store.write_bytes(store.read_bytes()[:-9])
    last = films[-1]
    seen.clear()
    assert_allclose(score_files(model, films, tmp_path / "scores").scores, whole, atol=1e-6)
    assert sorted(seen) == [films[4], last]
    seen.clear()
    assert_allclose(score_files(model, films, tmp_path / "scores").scores, whole, atol=1e-6)
    assert seen == [films[4]]
    lines = store.read_text().splitlines()
    assert sum(isinstance(json.loads(line), list) for line in lines if line.endswith("]")) == len(lines) - 1


def test_processes_share_the_files_out_by_row_and_find_each_others_scores(
    model: Classifier, films: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Process:
        num_processes, is_main_process, device = 2, False, torch.device("cpu")

        def __init__(self, index: int = 0) -> None:
            self.process_index = index

        def wait_for_everyone(self) -> None:
            pass

    monkeypatch.setattr(scoring, "this_process", lambda: Process(1))
    half = score_files(model, films, tmp_path / "scores", batch=2)
    assert_array_equal(np.isnan(half.scores[:, 0]), [True, False] * 3 + [True])
    monkeypatch.setattr(scoring, "this_process", lambda: Process(0))
    both = score_files(model, films, tmp_path / "scores", batch=2)
    monkeypatch.undo()
    alone = score_files(model, films, tmp_path / "alone")
    assert_allclose(both.scores, alone.scores, atol=1e-6)
    assert both.problems == alone.problems


def test_a_film_that_shows_nothing_carries_its_note_also_when_it_is_known(
    model: Classifier, films: list[Path], tmp_path: Path
) -> None:
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(films[5])
    for _ in range(2):
        scored = score_files(model, films, tmp_path / "scores")
        assert scored.notes == {films[5]: "every pixel has the same value"}
        assert not np.isnan(scored.scores[5]).any()


def test_a_model_in_train_mode_is_refused(model: Classifier, films: list[Path], tmp_path: Path) -> None:
    model.backbone.get_submodule("classifier").train()
    try:
        with pytest.raises(InputError, match=r"train mode.*backbone\.classifier"):
            score_files(model, films, tmp_path / "scores")
    finally:
        model.eval()


def test_nothing_to_score_is_said(model: Classifier, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="an image"):
        score_files(model, [], tmp_path)
