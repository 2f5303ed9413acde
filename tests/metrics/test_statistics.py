from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import roc_auc_score

from cxrbench import assets
from cxrbench.data.published import read_published
from cxrbench.evaluation import read_predictions
from cxrbench.labels import NIH
from cxrbench.metrics import (
    DECISIONS,
    auroc,
    average_precision,
    bootstrap,
    brier,
    calibration_error,
    f1,
    hamming_loss,
    matthews,
    statistics,
)


def cases(seed: int, levels: int = 6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Targets, tied scores and weights; the first finding is mostly positive, the last lacks positives."""
    random = np.random.default_rng(seed)
    targets = (random.random((40, 4)) < [0.8, 0.3, 0.1, 0]).astype(float)
    targets[random.random(targets.shape) < 0.1] = np.nan
    scores = np.floor(random.random(targets.shape) * levels) / levels
    weights = random.integers(0, 4, (40, 5)).astype(np.float32)
    return targets, scores, weights


@given(st.integers(0, 5000), st.sampled_from([2, 6, 10_000]))
def test_weighted_auroc_is_that_of_repeated_images_to_the_last_bit(seed: int, levels: int) -> None:
    targets, scores, weights = cases(seed, levels)
    fast = statistics.auroc(targets, scores)(weights)
    assert_array_equal(fast, statistics.plain(auroc, targets, scores)(weights))


def test_weighted_auroc_agrees_with_scikit_learn() -> None:
    targets, scores, weights = cases(1)
    known = ~np.isnan(targets[:, 1])
    fast = statistics.auroc(targets, scores)(weights)[:, 1]
    for value, weight in zip(fast, weights.T, strict=True):
        expected = roc_auc_score(targets[known, 1], scores[known, 1], sample_weight=weight[known])
        assert value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_every_other_statistic_is_its_metric_of_repeated_images(seed: int) -> None:
    targets, scores, weights = cases(seed)
    calls = scores >= 0.5
    pairs = [
        (statistics.average_precision(targets, scores), average_precision, scores),
        (statistics.calibration_error(targets, scores), calibration_error, scores),
        (statistics.mean((scores - targets) ** 2), brier, scores),
        (statistics.decision(DECISIONS["f1"].compute, targets, calls), f1, calls),
        (statistics.decision(DECISIONS["matthews"].compute, targets, calls), matthews, calls),
    ]
    for fast, metric, answers in pairs:
        slow = statistics.plain(metric, targets, answers)(weights)
        assert_allclose(fast(weights), slow, atol=1e-12, err_msg=metric.__name__)
    per_image = statistics.mean(hamming_loss(targets, calls))(weights)
    means = [np.nanmean(np.repeat(hamming_loss(targets, calls), w.astype(int))) for w in weights.T]
    assert_allclose(per_image, means)


def test_a_statistic_of_a_subset_and_a_difference() -> None:
    targets, scores, weights = cases(3)
    rows = np.arange(40) % 2 == 0
    part = statistics.auroc(targets[rows], scores[rows])
    assert_array_equal(statistics.within(rows, part)(weights), part(weights[rows]))
    other = statistics.auroc(targets, 1 - scores)
    whole = statistics.auroc(targets, scores)
    gap = statistics.difference(whole, other)(weights)
    assert_array_equal(gap, whole(weights) - other(weights))


def test_a_macro_average_is_undefined_where_a_finding_is_lost() -> None:
    targets, scores, weights = cases(4)
    statistic = statistics.auroc(targets, scores)
    weights[np.flatnonzero(targets[:, 2] == 1), 0] = 0  # the first resample loses a finding
    averaged = statistics.macro(statistic)(weights)
    assert averaged.shape == (5, 1)
    assert np.isnan(averaged[0, 0])
    assert averaged[1, 0] == pytest.approx(statistic(weights)[1, :3].mean())


def test_a_published_models_aurocs_are_reproduced_and_lie_in_their_intervals(golden: Path) -> None:
    predictions = pd.read_csv(golden / "nih_densenet121_predictions.csv.gz")
    published = pd.read_csv(golden / "nih_densenet121_aucs.csv").set_index("label")["auc"][list(NIH)]
    table = read_published("nih").table.set_index("path").loc[predictions["Image Index"]]
    statistic = statistics.auroc(
        table[list(NIH)].to_numpy(), predictions[[f"prob_{label}" for label in NIH]].to_numpy()
    )
    interval = bootstrap(statistic, table["patient"].to_numpy(dtype=str), count=100)
    assert_allclose(interval.estimate, published, atol=1e-9, rtol=0)
    assert ((interval.low < published) & (published < interval.high)).all()


def test_the_aurocs_of_a_shipped_model_agree_with_scikit_learn_and_lie_in_their_intervals() -> None:
    folder = assets.models() / "vit_tiny"
    if not folder.is_dir():
        pytest.skip("no model ships with this checkout")
    predictions = read_predictions(folder / "predictions.csv").split("test")
    statistic = statistics.auroc(predictions.targets, predictions.scores)
    interval = bootstrap(statistic, predictions.table["patient"].to_numpy(dtype=str), count=50)
    expected = [
        roc_auc_score(target, score)
        for target, score in zip(predictions.targets.T, predictions.scores.T, strict=True)
    ]
    assert_allclose(interval.estimate, expected, atol=1e-9, rtol=0)
    assert ((interval.low <= expected) & (expected <= interval.high)).all()
