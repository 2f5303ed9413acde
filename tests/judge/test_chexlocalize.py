"""CheXlocalize's evaluation, against its steps written out once more with loops and pandas."""

import math

import numpy as np
import pandas as pd
import pytest

from cxrbench.data.truth import CHEXLOCALIZE, Runs
from cxrbench.errors import InputError
from cxrbench.judge.chexlocalize import (
    film_replicates,
    film_summary,
    intervals_by_patient,
    iou_results,
    map_hit,
    point_results,
)

SIZE = (12, 9)
FILMS = [f"patient{number // 2}_study1_view{number % 2}_frontal" for number in range(14)]


def blob(seed: int) -> Runs:
    rng = np.random.default_rng(seed)
    return Runs.of(rng.random(SIZE) < 0.4) if rng.random() < 0.7 else Runs.empty(SIZE)


def published_ious(truth: dict, predicted: dict, true_positives_only: bool) -> pd.DataFrame:  # type: ignore[type-arg]
    """The published loops: empty predictions for films that have none; the others follow if all count."""
    columns: dict[str, list[float]] = {}
    films: list[str] = []
    for finding in sorted(CHEXLOCALIZE):
        films = sorted(truth)
        values = []
        for film in films:
            mask = truth[film][finding].mask()
            found = predicted[film][finding].mask() if film in predicted else np.zeros(SIZE)
            values.append(published_iou(found, mask, true_positives_only))
        if not true_positives_only:
            for film in sorted(predicted):
                if film not in truth:
                    values.append(published_iou(predicted[film][finding].mask(), np.zeros(SIZE), False))
                    films.append(film)
        columns[finding] = values
    return pd.DataFrame(columns, index=films).sort_index()


def published_iou(found: np.ndarray, mask: np.ndarray, true_positives_only: bool) -> float:
    common, union = np.logical_and(found, mask).sum(), np.logical_or(found, mask).sum()
    undefined = not found.sum() or not mask.sum() if true_positives_only else not union
    return math.nan if undefined else common / union


@pytest.mark.parametrize("true_positives_only", [True, False])
def test_overlaps_are_those_of_the_published_loops(true_positives_only: bool) -> None:
    truth = {
        film: {name: blob(hash((index, place)) % 997) for place, name in enumerate(CHEXLOCALIZE)}
        for index, film in enumerate(FILMS[:12])
    }
    predicted = {
        film: {name: blob(5 * index + 77 * place) for place, name in enumerate(CHEXLOCALIZE)}
        for index, film in enumerate(FILMS[2:])
    }
    found = iou_results(truth, predicted, true_positives_only=true_positives_only)
    expected = published_ious(truth, predicted, true_positives_only)
    assert list(found.index) == list(expected.index)
    assert list(found.columns) == list(expected.columns)
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), atol=1e-12)


def test_findings_that_a_file_does_not_name_are_not_there() -> None:
    square = Runs.of(np.ones(SIZE, bool))
    truth = {"a": {"Edema": square}}
    assert iou_results(truth, {"a": {}}, true_positives_only=False).loc["a", "Edema"] == 0
    assert iou_results(truth, {"a": {}}).isna().all(axis=None)
    assert iou_results(truth, {"a": {"Edema": square}}).loc["a", "Edema"] == 1
    with pytest.raises(InputError, match=r"a, Edema: .* 9 × 12 pixels \(height × width\), the truth 12 × 9"):
        iou_results(truth, {"a": {"Edema": Runs.empty((9, 12))}})


def test_the_first_largest_pixel_hits_or_misses() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    relevance = np.zeros((3, 4), np.float32)
    relevance[1, 2] = relevance[2, 3] = 1
    assert map_hit(relevance, Runs.of(mask), "a") == 1
    relevance[0, 3] = 1  # as large, and earlier in reading order
    assert map_hit(relevance, Runs.of(mask), "a") == 0
    assert map_hit(np.zeros((3, 4), np.float32), Runs.of(mask), "a") == 0  # an empty map points at the corner
    assert np.isnan(map_hit(relevance, Runs.empty((3, 4)), "a"))
    assert np.isnan(map_hit(relevance, None, "a"))
    with pytest.raises(InputError, match="a: the map or segmentation has 3 × 4 pixels"):
        map_hit(relevance, Runs.of(mask.T), "a")


def test_any_of_a_readers_points_hits_and_no_point_misses() -> None:
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    truth = {
        film: {"Edema": Runs.of(mask), "Cardiomegaly": Runs.empty((3, 4))} for film in ("hit", "miss", "none")
    }
    points = {
        "hit": {"Edema": np.array([[0.0, 0.0], [2.9, 1.9]]), "Cardiomegaly": np.array([[0.0, 0.0]])},
        "miss": {"Edema": np.array([[1.9, 1.0], [2.0, 0.9]])},
    }
    results = point_results(truth, points)
    assert results["Edema"].to_dict() == {"hit": 1, "miss": 0, "none": 0}
    assert results["Cardiomegaly"].isna().all()


def published_bootstrap(results: pd.DataFrame) -> pd.DataFrame:
    """The published resampling of rows: pandas, and NumPy's global generator after its seed."""
    np.random.seed(0)  # noqa: NPY002
    rows = []
    for _ in range(1000):
        drawn = np.random.choice(len(results), size=len(results), replace=True)  # noqa: NPY002
        replicate = results.iloc[drawn]
        rows.append({finding: replicate[finding].mean() for finding in CHEXLOCALIZE})
    return pd.DataFrame(rows)


def test_the_bootstrap_by_film_draws_the_published_resamples() -> None:
    rng = np.random.default_rng(1)
    values = np.where(rng.random((14, 10)) < 0.3, np.nan, rng.random((14, 10)))
    values[:, 3] = np.nan
    results = pd.DataFrame(values, index=FILMS, columns=sorted(CHEXLOCALIZE))
    state = np.random.get_state()  # noqa: NPY002
    expected = published_bootstrap(results)
    np.random.set_state(state)  # noqa: NPY002
    replicates = film_replicates(results)
    pd.testing.assert_frame_equal(replicates, expected, atol=1e-12)
    summary = film_summary(replicates).set_index("name")
    assert list(summary.index) == sorted(CHEXLOCALIZE)
    for finding in CHEXLOCALIZE:
        ordered = expected[finding].sort_values()
        published = [ordered.iloc[24].round(3), round(ordered.mean(), 3), ordered.iloc[974].round(3)]
        np.testing.assert_allclose(summary.loc[finding].to_numpy(float), published)


def test_films_of_one_patient_widen_the_interval_by_patient() -> None:
    # Two equal films per patient: half as many independent values.
    rng = np.random.default_rng(2)
    patients = rng.random((40, 1))
    values = np.repeat(np.broadcast_to(patients, (40, 10)), 2, axis=0)
    films = [f"patient{number // 2}_study1_view{number % 2}_frontal" for number in range(80)]
    results = pd.DataFrame(values, index=films, columns=sorted(CHEXLOCALIZE))
    by_patient = intervals_by_patient(results)
    by_film = film_summary(film_replicates(results))
    wide = by_patient.high[0] - by_patient.low[0]
    narrow = by_film["upper"][0] - by_film["lower"][0]
    assert wide / narrow == pytest.approx(math.sqrt(2), rel=0.15)
    assert by_patient.estimate[0] == pytest.approx(patients.mean())


def test_a_bootstrap_without_films_is_refused() -> None:
    with pytest.raises(InputError, match="at least one film"):
        film_replicates(pd.DataFrame(columns=sorted(CHEXLOCALIZE)))
