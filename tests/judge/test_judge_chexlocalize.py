"""The command on files in CheXlocalize's forms, against the steps of its programs written out once more."""

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image, ImageDraw
from torch.nn import functional as F

from cxrbench.cli import main
from cxrbench.data.truth import (
    CHEXLOCALIZE,
    Masks,
    Runs,
    read_chexlocalize,
    read_cutoffs,
    read_results,
    read_thresholds,
    segmentation_json,
)

FILMS = [f"patient{number // 2}_study1_view{number % 2}_frontal" for number in range(5)]
SIZES = {film: (40 + 3 * index, 50 - 2 * index) for index, film in enumerate(FILMS)}
FINDINGS = ("Edema", "Airspace Opacity", "Cardiomegaly")


class Files:
    """A folder of maps, and the true masks: of four films all findings, of the fifth none (not annotated)."""

    def __init__(self, folder: Path, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.maps, self.truth = folder / "maps", folder / "truth.json"
        self.maps.mkdir(parents=True)
        self.content: dict[tuple[str, str], dict[str, Any]] = {}
        masks: dict[str, dict[str, Runs]] = {}
        for index, film in enumerate(FILMS):
            height, width = SIZES[film]
            for place, finding in enumerate(FINDINGS):
                relevance = torch.from_numpy(rng.random((1, 1, 7, 7), dtype=np.float32) ** 3) - 0.1 * place
                if (index, place) == (2, 0):
                    relevance = torch.zeros(1, 1, 7, 7)
                entry = {
                    "map": relevance,
                    "prob": float(rng.choice([0.1, 0.2, 0.3, 0.65])),
                    "task": finding,
                    "gt": 1,
                    "cxr_dims": (width, height),
                }
                (self.maps / f"{film}_{finding}_map.pkl").write_bytes(pickle.dumps(entry))
                self.content[film, finding] = entry
                mask = cv2.resize(rng.random((4, 4)), (width, height)) > (0.6 if (index + place) % 3 else 2)
                masks.setdefault(film, {name: Runs.empty(SIZES[film]) for name in CHEXLOCALIZE})[finding] = (
                    Runs.of(mask)
                )
        del masks[FILMS[4]]
        self.masks: Masks = masks
        self.truth.write_text(segmentation_json(masks))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "test", 0)


def published_map(entry: dict[str, Any]) -> torch.Tensor:
    width, height = entry["cxr_dims"]
    return F.interpolate(entry["map"], size=(height, width), mode="bilinear", align_corners=False).squeeze()


def published_scaled(entry: dict[str, Any]) -> np.ndarray:
    mask = published_map(entry)
    mask = mask - mask.min()
    scaled: np.ndarray = mask.div(mask.max()).numpy()
    return scaled


def published_otsu(entry: dict[str, Any]) -> np.ndarray:
    scaled = published_scaled(entry)
    if np.isnan(scaled).any():  # a constant map; its levels are all 0
        return np.zeros(scaled.shape, bool)
    levels = (255 * scaled).astype(np.uint8)
    binary = cv2.threshold(levels, 0, float(np.max(levels)), cv2.THRESH_OTSU)[1]
    contours = cv2.findContours(binary, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0]
    canvas = Image.new("1", (scaled.shape[1], scaled.shape[0]))
    for contour in contours:
        if len(contour) > 1:
            coordinates = [(int(point[0][0]), int(point[0][1])) for point in contour]
            ImageDraw.Draw(canvas).polygon(coordinates, outline=1, fill=1)
    return np.array(canvas, bool)


def published_iou(found: np.ndarray, mask: np.ndarray, true_positives_only: bool) -> float:
    common, union = np.logical_and(found, mask).sum(), np.logical_or(found, mask).sum()
    if not union or (true_positives_only and not (found.any() and mask.any())):
        return np.nan
    return float(common / union)


def same(found: Any, expected: float) -> None:
    np.testing.assert_allclose(found, expected, atol=1e-12)


def run(files: Files, out: Path, *options: object) -> int:
    given = ("--annotations", files.truth, "--maps", files.maps, *options, "--out", out)
    return main(["judge", "--truth", "chexlocalize", *map(str, given)])


def check_segmentations(out: Path, expected: dict[tuple[str, str], np.ndarray]) -> None:
    found = read_chexlocalize(out / "segmentations.json")
    for (film, finding), mask in expected.items():
        assert np.array_equal(found[film][finding].mask(), mask), (film, finding)


def test_maps_are_segmented_and_judged_as_by_the_published_programs(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(files, out) == 0
    segmentations = {key: published_otsu(entry) for key, entry in files.content.items()}
    check_segmentations(out, segmentations)
    ious, hits = (read_results(out / f"{name}_results_per_cxr.csv") for name in ("iou", "hitmiss"))
    assert list(ious.index) == FILMS[:4]
    for (film, finding), entry in files.content.items():
        if film not in files.masks:
            continue
        mask = files.masks[film][finding].mask()
        overlap = published_iou(segmentations[film, finding], mask, True)
        same(ious.at[film, finding], overlap)
        row, column = np.unravel_index(np.argmax(published_map(entry).numpy()), mask.shape)
        expected = float(mask[row, column]) if mask.any() else np.nan
        same(hits.at[film, finding], expected)
    header = (out / "iou_results_per_cxr.csv").read_text().splitlines()[0]
    assert header.split(",") == [*sorted(CHEXLOCALIZE), "img_id"]
    assert len(pd.read_csv(out / "hitmiss_bootstrap_results_per_cxr.csv")) == 1000
    summary = pd.read_csv(out / "summary.csv").set_index(["metric", "finding"])
    assert summary.loc[("iou", "Edema"), "mean"] == pytest.approx(ious["Edema"].mean())
    assert summary.loc[("iou", "Edema"), "films"] == ious["Edema"].notna().sum()
    printed = capsys.readouterr()
    assert "Airspace Opacity" in printed.out
    assert f"1 films with maps are not among the true segmentations, the first {FILMS[4]}" in printed.err


def test_all_films_count_missed_and_false_segmentations(files: Files, tmp_path: Path) -> None:
    assert run(files, tmp_path / "out", "--all-films") == 0
    ious = read_results(tmp_path / "out" / "iou_results_per_cxr.csv")
    assert list(ious.index) == FILMS
    for (film, finding), entry in files.content.items():
        runs = files.masks.get(film, {}).get(finding)
        mask = np.zeros(SIZES[film], bool) if runs is None else runs.mask()
        expected = published_iou(published_otsu(entry), mask, False)
        same(ious.at[film, finding], expected)


def test_given_thresholds_and_cutoffs_are_applied_as_published(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    thresholds, cutoffs = tmp_path / "thresholds.csv", tmp_path / "cutoffs.csv"
    thresholds.write_text("threshold,task\n0.3,Edema\n0.7,Airspace Opacity\n")
    cutoffs.write_text("prob_threshold,mIoU,task\n0.1,0.2,Edema\n0.3,0.4,Edema\n0.2,0.1,Cardiomegaly\n")
    assert run(files, tmp_path / "out", "--thresholds", thresholds, "--cutoffs", cutoffs) == 0
    expected = {}
    for (film, finding), entry in files.content.items():
        threshold = {"Edema": 0.3, "Airspace Opacity": 0.7}.get(finding)
        found = published_otsu(entry) if threshold is None else published_scaled(entry) > threshold
        dropped = entry["prob"] < {"Edema": 0.3, "Cardiomegaly": 0.2}.get(finding, 0)
        expected[film, finding] = np.zeros(SIZES[film], bool) if dropped else found
    check_segmentations(tmp_path / "out", expected)
    assert "without a threshold of their own, and cut at Otsu's: Cardiomegaly" in capsys.readouterr().err
    assert any(entry["prob"] == 0.3 for (_, finding), entry in files.content.items() if finding == "Edema")


def test_thresholds_and_cutoffs_are_chosen_as_published(files: Files, tmp_path: Path) -> None:
    validation = Files(tmp_path / "validation", 1)
    out = tmp_path / "out"
    given = ("--validation-maps", validation.maps, "--validation-truth", validation.truth)
    assert run(files, out, *given, "--tune", "thresholds", "cutoffs") == 0
    thresholds = read_thresholds(out / "tuning_results.csv")
    table = pd.read_csv(out / "probability_tuning_results.csv")
    for finding in FINDINGS:
        entries = [(film, entry) for (film, name), entry in validation.content.items() if name == finding]
        overlaps = []
        for threshold in np.arange(0.2, 0.8, 0.1):
            values = []
            for film, entry in entries:
                if film in validation.masks:
                    mask = validation.masks[film][finding].mask()
                    values.append(published_iou(published_scaled(entry) > threshold, mask, True))
            overlaps.append(np.nanmean(values))
        assert thresholds[finding] == round(np.arange(0.2, 0.8, 0.1)[overlaps.index(max(overlaps))], 1)
        rows = table[table["task"] == finding]
        for cutoff, overlap in zip(np.arange(0, 0.9, 0.1), rows["mIoU"], strict=True):
            values = []
            for film, entry in entries:
                empty = np.zeros(SIZES[film], bool)
                found = published_otsu(entry) if entry["prob"] > cutoff else empty
                mask = validation.masks[film][finding].mask() if film in validation.masks else empty
                values.append(published_iou(found, mask, False))
            assert overlap == pytest.approx(round(np.nanmean(values), 3), abs=1e-12)
    # Findings without a map have no threshold, and are said to have none rather than given the first.
    assert set(thresholds) == set(FINDINGS)
    assert set(read_cutoffs(out / "probability_tuning_results.csv")) == set(FINDINGS)


def test_readers_are_judged_by_their_polygons_and_points(files: Files, tmp_path: Path) -> None:
    polygons, points = tmp_path / "readers.json", tmp_path / "points.json"
    size = SIZES[FILMS[0]]
    rectangle = [[3, 2], [20, 2], [20, 30], [3, 30]]
    polygons.write_text(json.dumps({FILMS[0]: {"img_size": size, "Edema": [rectangle]}}))
    row, column = np.argwhere(files.masks[FILMS[1]]["Edema"].mask())[0].tolist()
    points.write_text(json.dumps({FILMS[1]: {"Edema": [[0, 0], [column + 0.9, row + 0.9]]}}))
    options = ("--segmentations", polygons, "--points", points, "--out", tmp_path / "out")
    given = ("judge", "--truth", "chexlocalize", "--annotations", files.truth, *options)
    assert main([*map(str, given)]) == 0
    hits = read_results(tmp_path / "out" / "hitmiss_humanbenchmark_results_per_cxr.csv")
    assert hits.at[FILMS[1], "Edema"] == 1
    drawn = np.zeros(size, bool)
    drawn[2:31, 3:21] = True
    expected = published_iou(drawn, files.masks[FILMS[0]]["Edema"].mask(), True)
    ious = read_results(tmp_path / "out" / "iou_results_per_cxr.csv")
    same(ious.at[FILMS[0], "Edema"], expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "got none of them"),
        (("--maps", "m", "--segmentations", "s"), "got both"),
        (("--points", "p", "--thresholds", "t"), "--thresholds is for saliency maps"),
        (("--maps", "m", "--validation-maps", "v"), "belong together"),
        (
            ("--maps", "m", "--thresholds", "t", "--validation-maps", "v", "--validation-truth", "w"),
            "leave out",
        ),
        (("--maps", "m"), "There is no file"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], message: str
) -> None:
    given = ["judge", "--truth", "chexlocalize", "--annotations", str(tmp_path / "none.json"), *options]
    assert main([*given, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_film_turned_on_its_side_is_refused(
    files: Files, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = files.maps / f"{FILMS[0]}_Edema_map.pkl"
    entry = files.content[FILMS[0], "Edema"]
    path.write_bytes(pickle.dumps({**entry, "cxr_dims": entry["cxr_dims"][::-1]}))
    assert run(files, tmp_path / "out") == 2
    message = "has 50 × 40 pixels (height × width), the truth 40 × 50"
    assert f"{FILMS[0]}, Edema: the map or segmentation {message}" in capsys.readouterr().err


def test_the_help_names_the_options() -> None:
    command = [sys.executable, "-m", "cxrbench.cli", "judge", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "--truth" in text
    assert "--annotations FILE" in text
