from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score
from sklearn.metrics import roc_curve as reference_roc

from cxrbench import assets
from cxrbench.data.published import read_published
from cxrbench.errors import InputError
from cxrbench.evaluation import read_predictions
from cxrbench.labels import NIH
from cxrbench.metrics.ranking import auroc, average_precision, pr_curve, roc_curve

Metric = Callable[[np.ndarray, np.ndarray], np.ndarray]
METRICS: list[Metric] = [auroc, average_precision]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("levels", [3, 50, None])
def test_auroc_and_average_precision_agree_with_scikit_learn(
    random: np.random.Generator, levels: int | None
) -> None:
    scores = random.random((400, 6))
    scores = scores if levels is None else np.floor(scores * levels) / levels  # few levels: many ties
    targets = (random.random((400, 6)) < np.linspace(0.02, 0.9, 6)).astype(float)
    targets[random.random(targets.shape) < 0.2] = np.nan
    for label in range(6):
        known = ~np.isnan(targets[:, label])
        truth, values = targets[known, label], scores[known, label]
        assert auroc(targets, scores)[label] == pytest.approx(roc_auc_score(truth, values), abs=1e-12)
        expected = average_precision_score(truth, values)
        assert average_precision(targets, scores)[label] == pytest.approx(expected, abs=1e-12)


def test_auroc_is_the_share_of_pairs_in_order(random: np.random.Generator) -> None:
    scores = random.integers(0, 5, (40, 1)).astype(float)
    targets = random.integers(0, 2, (40, 1)).astype(float)
    positives, negatives = scores[targets == 1], scores[targets == 0]
    wins = sum((p > n) + 0.5 * (p == n) for p in positives for n in negatives)
    assert auroc(targets, scores)[0] == wins / (len(positives) * len(negatives))


def test_undefined_is_nan() -> None:
    targets = np.array([[1, 0, np.nan, 1], [1, 0, np.nan, np.nan], [1, 0, np.nan, 0]])
    scores = np.array([[0.1, 0.2, 0.3, 0.9], [0.4, 0.5, 0.6, 0.5], [0.7, 0.8, 0.9, 0.1]])
    assert_array_equal(auroc(targets, scores), [np.nan, np.nan, np.nan, 1])
    assert_array_equal(average_precision(targets, scores), [1, np.nan, np.nan, 1])
    assert_array_equal(auroc(np.zeros((0, 2)), np.zeros((0, 2))), [np.nan, np.nan])


def test_an_uninformative_score_gets_one_half_and_the_prevalence() -> None:
    targets = np.array([[1.0], [0], [0], [0]])
    assert auroc(targets, np.full((4, 1), 0.3))[0] == 0.5
    assert average_precision(targets, np.full((4, 1), 0.3))[0] == 0.25


@pytest.mark.parametrize("metric", METRICS)
def test_masked_targets_have_no_influence(random: np.random.Generator, metric: Metric) -> None:
    targets = random.integers(0, 2, (50, 3)).astype(float)
    scores = random.random((50, 3))
    kept = metric(targets, scores)
    masked = np.vstack([targets, np.full((20, 3), np.nan)])
    extra = np.vstack([scores, np.where(random.random((20, 3)) < 0.5, np.nan, np.inf)])
    order = random.permutation(70)
    assert_array_equal(metric(masked[order], extra[order]), kept)


@given(
    scores=arrays(np.float64, (12, 2), elements=st.floats(-1e6, 1e6)),
    targets=arrays(np.float64, (12, 2), elements=st.sampled_from([0, 1, np.nan])),
)
def test_reversed_scores_mirror_auroc(scores: np.ndarray, targets: np.ndarray) -> None:
    assert_allclose(auroc(targets, -scores), 1 - auroc(targets, scores), atol=1e-12)


@given(arrays(np.float64, (10, 2), elements=st.integers(-50, 50).map(float)))
def test_only_the_order_of_scores_counts(scores: np.ndarray) -> None:
    targets = np.tile([[1.0, 0], [0, 1]], (5, 1))
    for metric in METRICS:
        assert_array_equal(metric(targets, scores), metric(targets, scores**3 + scores))


def test_inputs_are_not_modified(random: np.random.Generator) -> None:
    targets, scores = random.integers(0, 2, (9, 2)).astype(float), random.random((9, 2))
    copies = targets.copy(), scores.copy()
    auroc(targets, scores), average_precision(targets, scores)
    assert_array_equal(targets, copies[0])
    assert_array_equal(scores, copies[1])


@pytest.mark.parametrize("metric", METRICS)
def test_invalid_arrays_are_refused(metric: Metric) -> None:
    good = np.array([[1.0], [0.0]])
    with pytest.raises(InputError, match="shapes"):
        metric(good, np.zeros((2, 2)))
    with pytest.raises(InputError, match="shapes"):
        metric(good[:, 0], good[:, 0])
    with pytest.raises(InputError, match="apply a policy"):
        metric(np.array([[1.0], [-1.0]]), good)
    with pytest.raises(InputError, match="Scores must not be NaN"):
        metric(good, np.array([[np.nan], [0.0]]))


def test_a_published_models_aurocs_are_reproduced(golden: Path) -> None:
    predictions = pd.read_csv(golden / "nih_densenet121_predictions.csv.gz")
    published = pd.read_csv(golden / "nih_densenet121_aucs.csv").set_index("label")["auc"]
    studies = read_published("nih")
    table = studies.table.set_index("path").loc[predictions["Image Index"]]
    targets = table[list(NIH)].to_numpy()
    scores = predictions[[f"prob_{label}" for label in NIH]].to_numpy()
    assert len(targets) == 22_433
    assert_allclose(auroc(targets, scores), published[list(NIH)], atol=1e-9, rtol=0)


def test_metrics_of_a_shipped_model_agree_with_scikit_learn() -> None:
    folder = assets.models() / "vit_tiny"
    if not folder.is_dir():
        pytest.skip("no model ships with this checkout")
    predictions = read_predictions(folder / "predictions.csv").split("test")
    targets, scores = predictions.targets, predictions.scores
    for metric, reference in ((auroc, roc_auc_score), (average_precision, average_precision_score)):
        expected = [reference(targets[:, k], scores[:, k]) for k in range(targets.shape[1])]
        assert_allclose(metric(targets, scores), expected, atol=1e-12, rtol=0)


def test_curves_agree_with_scikit_learn_and_their_areas_with_the_metrics(random: np.random.Generator) -> None:
    scores = np.floor(random.random(300) * 40) / 40
    targets = (random.random(300) < 0.3 + 0.4 * scores).astype(float)
    targets[:30] = np.nan
    known = ~np.isnan(targets)
    roc = roc_curve(targets, scores)
    fpr, tpr, thresholds = reference_roc(targets[known], scores[known], drop_intermediate=False)
    assert_allclose(roc.false_positive_rate, fpr)
    assert_allclose(roc.sensitivity, tpr)
    assert_array_equal(roc.thresholds, thresholds)
    area = np.trapezoid(roc.sensitivity, roc.false_positive_rate)
    assert area == pytest.approx(auroc(targets[:, None], scores[:, None])[0])
    pr = pr_curve(targets, scores)
    precision, recall, thresholds = precision_recall_curve(targets[known], scores[known])
    assert_allclose(pr.precision, precision[::-1])
    assert_allclose(pr.recall, recall[::-1])
    assert_array_equal(pr.thresholds[1:], thresholds[::-1])
    steps = (np.diff(pr.recall) * pr.precision[1:]).sum()
    assert steps == pytest.approx(average_precision(targets[:, None], scores[:, None])[0])


def test_a_curve_without_negatives_has_no_false_positive_rate() -> None:
    roc = roc_curve(np.ones(3), np.array([0.1, 0.2, 0.3]))
    assert np.isnan(roc.false_positive_rate).all()
    assert_array_equal(roc.sensitivity, [0, 1 / 3, 2 / 3, 1])
    assert len(roc_curve(np.zeros(0), np.zeros(0)).thresholds) == 1
