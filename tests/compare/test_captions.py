import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cxrbench.compare import Comparison, bundle, caption, notes, score_text
from cxrbench.compare.captions import completeness, incomplete


@pytest.fixture
def noted(made: Callable[..., Comparison]) -> Callable[..., str]:
    """Maps → the notes of the only cell, as one text."""
    return lambda maps, **facts: "; ".join(notes(made(maps, **facts), "m", "grad_cam", "F0"))


def test_an_ordinary_map_has_no_notes(noted: Callable[..., str]) -> None:
    assert noted(np.eye(4)[None]) == ""


def test_a_map_without_positive_values_is_empty_after_relu(noted: Callable[..., str]) -> None:
    assert "empty after ReLU: no value of this map is positive" in noted(-np.eye(4)[None])
    # The score is 0.75 and the threshold 0.5: that is no contradiction, and it is said.
    assert "the score is above its threshold by what this method leaves out" in noted(-np.eye(4)[None])
    assert noted(-np.eye(4)[None], signed=True) == ""  # drawn with both signs, it is not empty


@pytest.mark.parametrize(("level", "word"), [(0.0, "zero everywhere"), (2.0, "constant"), (-1.0, "constant")])
def test_a_map_of_one_value_points_to_no_place(noted: Callable[..., str], level: float, word: str) -> None:
    assert f"{word}: it points to no place" in noted(np.full((1, 4, 4), level))


def test_notes_are_of_the_given_finding_only(made: Callable[..., Comparison]) -> None:
    comparison = made(np.stack([np.eye(3), np.zeros((3, 3))]))
    assert notes(comparison, "m", "grad_cam", "F0") == ()
    assert "zero everywhere" in notes(comparison, "m", "grad_cam", "F1")[0]


def test_a_draft_states_its_progress(noted: Callable[..., str]) -> None:
    assert "unfinished: 40%" in noted(np.eye(4)[None], progress=0.4)


def test_an_unstable_map_has_a_note(made: Callable[..., Comparison]) -> None:
    comparison = made(np.stack([np.eye(3), np.eye(3)]), stable=np.array([False, True]))
    (note,) = notes(comparison, "m", "grad_cam", "F0")
    assert note.startswith("unstable here")
    assert notes(comparison, "m", "grad_cam", "F1") == ()


def test_remarks_and_problems_are_notes(noted: Callable[..., str]) -> None:
    assert noted(np.eye(4)[None], remarks=("same for every finding",)) == "same for every finding"
    assert noted(np.eye(4)[None], finding_remarks=("compared with Edema",)) == "compared with Edema"
    assert noted(np.eye(4)[None], finding_remarks=("",)) == ""
    assert noted(np.empty((0, 0, 0)), problem="no ReLU") == "not applicable: no ReLU"


def test_cells_without_maps_state_the_reason(made: Callable[..., Comparison]) -> None:
    comparison = made(np.eye(4)[None])
    assert notes(comparison, "m", "layer_cam", "F0") == ("not computed",)
    assert "no output for Edema" in notes(comparison, "m", "grad_cam", "Edema")[0]


def test_values_that_are_not_finite_have_a_note(noted: Callable[..., str]) -> None:
    assert "not finite" in noted(np.full((1, 2, 2), np.nan))


def test_a_caption_names_method_model_finding_score_and_time(made: Callable[..., Comparison]) -> None:
    assert (
        caption(made(np.eye(4)[None]), "m", "grad_cam", "F0")
        == "Grad-CAM · m · F0 · score 0.75, above its threshold 0.50 · 500 ms for 1 finding"
    )
    assert "ms" not in caption(made(np.eye(4)[None], seconds=float("nan")), "m", "grad_cam", "F0")


def test_a_score_at_its_threshold_is_above_it_and_close_scores_have_more_digits(
    made: Callable[..., Comparison],
) -> None:
    prediction = made(np.eye(4)[None]).predictions["m"]
    prediction.scores[0] = 0.5
    assert score_text(prediction, "F0") == "score 0.5000, above its threshold 0.5000"
    prediction.scores[0] = 0.4999
    assert score_text(prediction, "F0") == "score 0.4999, below its threshold 0.5000"
    assert score_text(prediction, "other") == ""


def test_only_a_completeness_error_above_the_limit_is_a_note(made: Callable[..., Comparison]) -> None:
    for error, beyond in ((0.3, True), (-0.3, True), (0.04, False), (float("nan"), False)):
        comparison = made(np.eye(4)[None], completeness=np.array([error], np.float32))
        heat = comparison.heat_maps["m", "grad_cam"]
        texts = notes(comparison, "m", "grad_cam", "F0")
        assert incomplete(heat, "F0") is beyond
        assert texts == ((completeness(heat, "F0"),) if beyond else ())
        assert ("30.0%, above 5%" in "".join(texts)) is beyond
    assert completeness(heat, "F0") == ""
    draft = made(np.eye(4)[None], completeness=np.array([0.3], np.float32), progress=0.5)
    assert notes(draft, "m", "grad_cam", "F0") == ("unfinished: 50% of the steps",)


def test_a_bundle_contains_the_notes_of_the_cells(made: Callable[..., Comparison], tmp_path: Path) -> None:
    comparison = made(np.eye(4)[None], completeness=np.array([0.3], np.float32))
    bundle.save(comparison, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        (entry,) = json.loads(archive.read("settings.json"))["said"]
    assert (entry["model"], entry["method"], entry["finding"]) == ("m", "grad_cam", "F0")
    again = bundle.load(tmp_path / "a.zip")
    assert (
        tuple(entry["notes"])
        == notes(comparison, "m", "grad_cam", "F0")
        == notes(again, "m", "grad_cam", "F0")
    )
