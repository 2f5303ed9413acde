import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cxrbench.preprocess import Preprocessing
from cxrbench.training import Images, evaluate, scores_of, youden


@given(st.integers(0, 10_000))
def test_no_threshold_is_better_than_youdens(seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, (12, 1)).astype(float)
    scores = rng.integers(1, 9, (12, 1)) / 10
    truth[0], truth[1] = 0, 1

    def sum_at(threshold):
        called = scores >= threshold
        return called[truth == 1].mean() + (~called)[truth == 0].mean()

    best = max(sum_at(t) for t in [0, *np.unique(scores), 1])
    assert sum_at(youden(truth, scores)[0]) == pytest.approx(best)


def test_a_finding_without_both_kinds_keeps_one_half():
    truth = np.array([[0.0, 1, np.nan], [0, 1, 1]])
    assert youden(truth, np.full((2, 3), 0.2)).tolist() == [0.5] * 3


def test_the_evaluation_is_plain_json_and_undefined_is_none():
    truth = np.array([[1.0, 0], [0, 0], [1, 0], [np.nan, 0]])
    scores = np.array([[0.9, 0.1], [0.2, 0.3], [0.1, 0.4], [0.5, 0.9]])
    figures = evaluate(truth, scores, ("A", "B"), (0.5, 0.5))
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert figures["auroc"] == {"A": 0.5, "B": None}
    assert figures["sensitivity"] == {"A": 0.5, "B": None}
    assert figures["specificity"] == {"A": 1.0, "B": 0.75}
    assert figures["positives"] == {"A": 2, "B": 0}
    assert figures["negatives"] == {"A": 1, "B": 4}
    assert figures["mean_auroc"] == 0.5


def test_scores_come_in_order_in_eval_mode_and_the_train_flag_is_left_alone():
    torch.manual_seed(0)
    pixels = np.random.default_rng(0).integers(0, 256, (7, 8, 8), dtype=np.uint8)
    images = Images(pixels, torch.zeros(7, 2), Preprocessing(size=8))
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(64, 2)).train()
    scores = scores_of(model, images, batch=3)
    assert model.training
    slow = [model.eval()(images[i][0][None]).sigmoid()[0].tolist() for i in range(7)]
    np.testing.assert_allclose(scores, slow, atol=1e-6)
