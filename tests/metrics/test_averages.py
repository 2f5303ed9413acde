import numpy as np
import pytest
import sklearn.metrics as reference

from cxrbench.metrics import auroc, f1, macro, micro, weighted


def test_averages_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(5)
    scores = random.random((100, 4))
    targets = (random.random((100, 4)) < [0.1, 0.3, 0.5, 0.8]).astype(float)
    values, positives = auroc(targets, scores), targets.sum(0)
    assert macro(values).value == pytest.approx(reference.roc_auc_score(targets, scores))
    expected = reference.roc_auc_score(targets, scores, average="weighted")
    assert weighted(values, positives).value == pytest.approx(expected)
    expected = reference.roc_auc_score(targets, scores, average="micro")
    assert micro(auroc, targets, scores).value == pytest.approx(expected)
    expected = reference.f1_score(targets, scores > 0.5, average="micro")
    assert micro(f1, targets, scores > 0.5).value == pytest.approx(expected)


def test_an_average_states_how_many_findings_it_averages() -> None:
    average = macro(np.array([0.8, np.nan, 0.6]))
    assert (average.findings, average.left_out) == (2, 1)
    assert str(average) == "0.700 over 2 findings (1 undefined)"
    assert np.isnan(macro(np.array([np.nan])).value)
    targets = np.array([[1.0, np.nan], [0, np.nan]])
    assert micro(auroc, targets, targets).findings == 1
