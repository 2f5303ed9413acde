import json
import zipfile

import numpy as np
import pytest

from cxrbench.compare import bundle, caption, notes, verdict
from cxrbench.compare.captions import completeness, incomplete


@pytest.fixture
def said(made):
    return lambda maps, **facts: "; ".join(notes(made(maps, **facts), "m", "grad_cam", "F0"))


def test_a_plain_map_needs_no_words(said) -> None:
    assert said(np.eye(4)[None]) == ""


def test_a_map_without_a_positive_place_is_empty_after_relu(said) -> None:
    assert "empty after ReLU" in said(-np.eye(4)[None])
    assert said(-np.eye(4)[None], signed=True) == ""  # drawn with both signs, it is not empty


@pytest.mark.parametrize("level", [0.0, 2.0, -1.0])
def test_a_map_of_one_value_is_constant(said, level: float) -> None:
    assert "constant" in said(np.full((1, 4, 4), level))


def test_only_the_finding_asked_is_spoken_of(made) -> None:
    comparison = made(np.stack([np.eye(3), np.zeros((3, 3))]))
    assert notes(comparison, "m", "grad_cam", "F0") == ()
    assert "constant" in notes(comparison, "m", "grad_cam", "F1")[0]


def test_a_draft_says_how_far_it_is(said) -> None:
    assert "unfinished: 40%" in said(np.eye(4)[None], progress=0.4)


def test_a_map_that_hangs_on_rounding_is_called_unstable(made) -> None:
    comparison = made(np.stack([np.eye(3), np.eye(3)]), stable=np.array([False, True]))
    (note,) = notes(comparison, "m", "grad_cam", "F0")
    assert note.startswith("unstable here")
    assert notes(comparison, "m", "grad_cam", "F1") == ()


def test_remarks_and_problems_are_passed_on(said) -> None:
    assert said(np.eye(4)[None], remarks=("same for every finding",)) == "same for every finding"
    assert said(np.empty((0, 0, 0)), problem="no ReLU") == "not applicable: no ReLU"


def test_cells_without_maps_say_why(made) -> None:
    comparison = made(np.eye(4)[None])
    assert notes(comparison, "m", "layer_cam", "F0") == ("not computed",)
    assert "no output for Edema" in notes(comparison, "m", "grad_cam", "Edema")[0]


def test_values_that_are_not_finite_are_told(said) -> None:
    assert "not finite" in said(np.full((1, 2, 2), np.nan))


def test_a_caption_names_method_model_finding_score_and_time(made) -> None:
    assert (
        caption(made(np.eye(4)[None]), "m", "grad_cam", "F0")
        == "Grad-CAM · m · F0 · score 0.75, above its threshold 0.50 · 500 ms for 1 findings"
    )
    assert "ms" not in caption(made(np.eye(4)[None], seconds=float("nan")), "m", "grad_cam", "F0")


def test_a_score_at_its_threshold_counts_as_above_and_near_it_gets_more_digits(made) -> None:
    prediction = made(np.eye(4)[None]).predictions["m"]
    prediction.scores[0] = 0.5
    assert verdict(prediction, "F0") == "score 0.5000, above its threshold 0.5000"
    prediction.scores[0] = 0.4999
    assert verdict(prediction, "F0") == "score 0.4999, below its threshold 0.5000"
    assert verdict(prediction, "other") == ""


def test_completeness_beyond_its_limit_is_said_in_every_cell_and_within_it_only_as_a_fact(made) -> None:
    for error, beyond in ((0.3, True), (-0.3, True), (0.04, False), (float("nan"), False)):
        comparison = made(np.eye(4)[None], completeness=np.array([error], np.float32))
        heat = comparison.heat_maps["m", "grad_cam"]
        said = notes(comparison, "m", "grad_cam", "F0")
        assert incomplete(heat, "F0") is beyond
        assert said == ((completeness(heat, "F0"),) if beyond else ())
        assert ("30.0%, above 5%" in "".join(said)) is beyond
    assert completeness(heat, "F0") == ""
    draft = made(np.eye(4)[None], completeness=np.array([0.3], np.float32), progress=0.5)
    assert notes(draft, "m", "grad_cam", "F0") == ("unfinished: 50% of the steps",)


def test_a_bundle_says_what_the_cells_say(made, tmp_path) -> None:
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
