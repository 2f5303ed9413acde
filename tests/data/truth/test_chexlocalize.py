"""CheXlocalize's JSON and CSV files: small ones with known areas, drawn and counted by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from cxrbench.data.truth import (
    CHEXLOCALIZE,
    Runs,
    patient_of,
    read_chexlocalize,
    read_chexlocalize_regions,
    read_cutoffs,
    read_points,
    read_results,
    read_summary,
    read_thresholds,
    segmentation_json,
)
from cxrbench.errors import InputError

FILM = "patient64541_study1_view1_frontal"


def written(folder: Path, content: object, name: str = "truth.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_polygons_are_x_then_y_on_a_film_of_height_then_width(tmp_path: Path) -> None:
    # A rectangle of columns 2 to 5 and rows 1 to 3, its outline included; and a second one below it.
    polygons = [[[2, 1], [5, 1], [5, 3], [2, 3]], [[0, 5], [1, 5], [1, 6], [0, 6]]]
    entry = {"img_size": [8, 12], "Lung Opacity": polygons, "Edema": [], "Fracture": polygons}
    masks = read_chexlocalize(written(tmp_path, {FILM: entry}))
    assert set(masks[FILM]) == set(CHEXLOCALIZE)  # all findings, whether annotated or not; no other
    expected = np.zeros((8, 12), bool)
    expected[1:4, 2:6] = True
    expected[5:7, 0:2] = True
    assert np.array_equal(masks[FILM]["Airspace Opacity"].mask(), expected)
    assert masks[FILM]["Airspace Opacity"].area == 16
    assert all(runs.size == (8, 12) for runs in masks[FILM].values())
    assert sum(runs.area for runs in masks[FILM].values()) == 16


def test_overlapping_polygons_count_once_and_a_single_point_has_no_area(tmp_path: Path) -> None:
    square = [[1, 1], [4, 1], [4, 4], [1, 4]]
    entry = {"img_size": [8, 8], "Edema": [square, square, [[6, 6]]]}
    assert read_chexlocalize(written(tmp_path, {FILM: entry}))[FILM]["Edema"].area == 16


def test_segmentations_survive_their_own_form(tmp_path: Path) -> None:
    mask = np.random.default_rng(0).random((5, 7)) < 0.4
    masks = {FILM: {"Edema": Runs.of(mask), "Airspace Opacity": Runs.empty((5, 7))}}
    text = segmentation_json(masks)
    assert json.loads(text)[FILM]["Edema"]["size"] == [5, 7]
    again = read_chexlocalize(written(tmp_path, text))
    assert np.array_equal(again[FILM]["Edema"].mask(), mask)
    assert segmentation_json(again) == text
    (region,) = read_chexlocalize_regions(tmp_path / "truth.json")
    assert (region.film, region.patient, region.finding) == (FILM, "patient64541", "Edema")
    assert region.size == (5, 7)
    assert patient_of(FILM) == "patient64541"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("not json", "expected CheXlocalize's JSON"),
        ([1], "an object of films"),
        ({FILM: 1}, "an object of films"),
        ({FILM: {"img_size": [8], "Edema": []}}, r"img_size must be \[height, width\]"),
        ({FILM: {"img_size": [8, 0], "Edema": []}}, r"img_size must be"),
        ({FILM: {"img_size": [8, 8], "Edema": "x"}}, r"lists of \[x, y\]"),
        ({FILM: {"img_size": [8, 8], "Edema": [[[1, 2, 3]]]}}, "points"),
        ({FILM: {"img_size": [8, 8], "Edema": [[[1, "a"]]]}}, "points"),
        ({FILM: {"Edema": [[[1, 2]]]}}, f"{FILM}: A mask must be an object with size"),
        ({FILM: {"Edema": {"size": [4, 2], "counts": [9]}}}, "must add up to 8; got 9"),
    ],
)
def test_other_files_are_refused_with_the_film(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_chexlocalize(written(tmp_path, content))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no file"):
        read_chexlocalize(tmp_path / "none.json")


def test_points_are_read_per_finding(tmp_path: Path) -> None:
    points = read_points(
        written(tmp_path, {FILM: {"Lung Opacity": [[1.5, 2], [3, 4]], "Fracture": [[0, 0]]}})
    )
    assert {name: value.tolist() for name, value in points[FILM].items()} == {
        "Airspace Opacity": [[1.5, 2], [3, 4]]
    }
    with pytest.raises(InputError, match="Edema: expected a list of points"):
        read_points(written(tmp_path, {FILM: {"Edema": [1, 2, 3]}}))


def test_results_are_read_with_undefined_values(tmp_path: Path) -> None:
    table = read_results(
        written(tmp_path, f"Airspace Opacity,Edema,img_id\n,0.25,{FILM}\n1.0,,other\n", "a.csv")
    )
    assert list(table.columns) == ["Airspace Opacity", "Edema"]
    np.testing.assert_array_equal(table.loc[FILM], [np.nan, 0.25])
    with pytest.raises(InputError, match="the film a occurs twice"):
        read_results(written(tmp_path, "Edema,img_id\n1,a\n0,a\n", "b.csv"))
    with pytest.raises(InputError, match="the column img_id and columns named after findings"):
        read_results(written(tmp_path, "x,y\n1,2\n", "c.csv"))


def test_summaries_are_read_by_finding(tmp_path: Path) -> None:
    table = read_summary(written(tmp_path, "name,lower,mean,upper\nLung Opacity,0.1,0.2,0.3\n", "a.csv"))
    assert table.to_dict("index") == {"Airspace Opacity": {"lower": 0.1, "mean": 0.2, "upper": 0.3}}
    with pytest.raises(InputError, match="'Fracture' is not a finding of CheXlocalize"):
        read_summary(written(tmp_path, "name,lower,mean,upper\nFracture,0.1,0.2,0.3\n", "b.csv"))


def test_thresholds_are_read_and_the_cutoff_with_the_largest_overlap_is_taken(tmp_path: Path) -> None:
    thresholds = read_thresholds(written(tmp_path, "threshold,task\n0.4,Airspace Opacity\n,Edema\n", "a.csv"))
    assert thresholds == {"Airspace Opacity": 0.4}
    rows = "0.0,0.1,Edema\n0.1,0.3,Edema\n0.2,0.3,Edema\n0.0,,Cardiomegaly\n0.4,0.5,Lung Lesion\n"
    cutoffs = read_cutoffs(written(tmp_path, f"prob_threshold,mIoU,task\n{rows}", "b.csv"))
    assert cutoffs == {"Edema": 0.1, "Lung Lesion": 0.4}
    with pytest.raises(InputError, match=r"a threshold of 0 to 1; got 1\.2"):
        read_thresholds(written(tmp_path, "threshold,task\n1.2,Edema\n", "c.csv"))
    with pytest.raises(InputError, match="a finding occurs twice"):
        read_thresholds(written(tmp_path, "threshold,task\n0.2,Edema\n0.3,Edema\n", "d.csv"))
