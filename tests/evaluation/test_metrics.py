import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cxrbench import metrics
from cxrbench.errors import InputError
from cxrbench.evaluation import (
    ABOUT,
    METRICS,
    SETS,
    Predictions,
    align,
    compare,
    evaluate,
    measure,
    metric,
)


def made(targets: np.ndarray, scores: np.ndarray, name: str = "made") -> Predictions:
    targets, scores = np.asarray(targets, np.float32), np.asarray(scores, np.float32)
    table = pd.DataFrame({column: [""] * len(targets) for column in ABOUT})
    table["path"] = table["patient"] = [f"p{i}" for i in range(len(targets))]
    table["age"] = np.nan
    return Predictions(table, tuple("ABCDEF"[: targets.shape[1]]), targets, scores, name)


def study(seed: int = 0, images: int = 120, noise: float = 1.0) -> Predictions:
    targets = (np.random.default_rng(1).random((images, 3)) < [0.5, 0.2, 0]).astype(float)
    scores = targets + noise * np.random.default_rng(seed).normal(size=targets.shape)
    return made(targets, 1 / (1 + np.exp(-scores)))


def test_the_evaluation_is_plain_json_and_undefined_is_none() -> None:
    truth = np.array([[1.0, 0], [0, 0], [1, 0], [np.nan, 0]])
    scores = np.array([[0.9, 0.1], [0.2, 0.3], [0.1, 0.4], [0.5, 0.9]])
    figures = evaluate(made(truth, scores), (0.5, 0.5), count=20)
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert figures["auroc"] == {"A": 0.5, "B": None}
    assert figures["sensitivity"] == {"A": 0.5, "B": None}
    assert figures["specificity"] == {"A": 1.0, "B": 0.75}
    assert figures["positives"] == {"A": 2, "B": 0}
    assert figures["negatives"] == {"A": 1, "B": 4}
    assert figures["mean_auroc"] == 0.5
    assert figures["means"]["auroc"]["findings"] == 1
    assert figures["means"]["auroc"]["left_out"] == 1
    assert figures["intervals"]["auroc"]["B"] is None


@pytest.mark.parametrize("name", METRICS)
def test_every_entry_is_the_metric_of_its_name_with_an_interval_around_it(name: str) -> None:
    predictions, cuts = study(), np.array([0.5, 0.6, 0.5])
    interval = measure(predictions, cuts, [name], count=200)[name]
    plain = {"sensitivity": "recall", "npv": "negative_predictive_value"}.get(name, name)
    answers = predictions.scores >= cuts if metric(name).at_threshold else predictions.scores
    expected = getattr(metrics, plain)(predictions.targets, answers)
    assert_allclose(interval.estimate, expected, rtol=1e-6)
    defined = ~np.isnan(interval.low)
    assert defined[:2].all()
    assert (interval.low <= interval.estimate)[defined].all()
    assert (interval.estimate <= interval.high)[defined].all()


def test_metrics_per_image_are_their_means() -> None:
    predictions, cuts = study(), np.full(3, 0.5)
    measured = measure(predictions, cuts, list(SETS), count=50)
    calls = predictions.scores >= 0.5
    assert measured["hamming_loss"].estimate == pytest.approx(
        metrics.hamming_loss(predictions.targets, calls).mean()
    )
    assert measured["coverage"].estimate == pytest.approx(
        metrics.coverage(predictions.targets, predictions.scores).mean()
    )


def test_a_better_model_is_told_from_a_worse_one_on_the_same_images() -> None:
    better, worse, cuts = study(noise=0.5), study(noise=2.0), np.full(3, 0.5)
    gap = compare((better, cuts), (worse, cuts), count=300)
    assert gap.low[0] > 0
    assert gap.p[0] < 0.05
    assert np.isnan(gap.estimate[2])
    mean = compare((better, cuts), (worse, cuts), mean=True, count=300)
    assert mean.estimate[0] == pytest.approx(gap.estimate[:2].mean())
    back = compare((worse, cuts), (better, cuts), count=300)
    assert_allclose(back.estimate, -gap.estimate)
    assert_allclose(back.low, -gap.high, atol=1e-12)


def test_models_are_compared_on_what_they_have_in_common() -> None:
    first = study()
    second = first.take(np.arange(119, 19, -1)).columns(("C", "A"))
    one, other = align([first, second])
    assert one.labels == other.labels == ("A", "C")
    assert list(one.table["path"]) == list(other.table["path"]) == [f"p{i}" for i in range(20, 120)]
    assert_array_equal(one.scores, other.scores)
    with pytest.raises(InputError, match="align them first"):
        compare((first, np.ones(3)), (second, np.ones(2)))


def test_what_cannot_be_compared_is_said() -> None:
    first = study()
    with pytest.raises(InputError, match="other truth"):
        align([first, replace(first, targets=1 - first.targets)])
    with pytest.raises(InputError, match="twice"):
        align([first, first.take(np.zeros(2, int))])
    with pytest.raises(InputError, match="in common"):
        align([first, replace(first, labels=("D", "E", "F"))])
    with pytest.raises(InputError, match="no image"):
        measure(first.split("valid"), np.ones(3))
    with pytest.raises(InputError, match="choose from: auroc"):
        metric("auc")
