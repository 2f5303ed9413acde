import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cxrbench.errors import InputError
from cxrbench.metrics import auroc, bootstrap, delong, statistics


def study(seed: int = 0, images: int = 60) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    targets = (random.random(images) < 0.4).astype(float)
    scores = np.round(targets + random.normal(size=(2, images)), 1)  # with ties
    targets[:5] = np.nan
    return targets, scores


def test_the_covariance_is_the_papers_sum_over_all_pairs() -> None:
    targets, scores = study()
    result = delong(targets, scores)
    known = ~np.isnan(targets)
    kernels = []
    for row in scores:
        x, y = row[known & (targets == 1)], row[known & (targets == 0)]
        kernels.append([[1.0 if a > b else 0.5 if a == b else 0.0 for b in y] for a in x])
    psi = np.array(kernels)  # (M, P, Q)
    theta, v10, v01 = psi.mean((1, 2)), psi.mean(2), psi.mean(1)
    assert_allclose(result.auroc, theta, atol=1e-12)
    assert_allclose(result.auroc, [auroc(targets[:, None], row[:, None])[0] for row in scores])
    p, q = psi.shape[1:]
    for r in range(2):
        for s in range(2):
            s10 = sum((a - theta[r]) * (b - theta[s]) for a, b in zip(v10[r], v10[s], strict=True)) / (p - 1)
            s01 = sum((a - theta[r]) * (b - theta[s]) for a, b in zip(v01[r], v01[s], strict=True)) / (q - 1)
            assert result.covariance[r, s] == pytest.approx(s10 / p + s01 / q)


def test_delong_and_the_bootstrap_agree_where_every_image_is_a_patient() -> None:
    targets, scores = study(1, 600)
    result = delong(targets, scores)
    table = targets[:, None]
    first, second = (statistics.auroc(table, row[:, None]) for row in scores)
    interval = bootstrap(first, np.arange(600), count=2000)
    assert_allclose(result.interval(0), [interval.low[0], interval.high[0]], atol=0.01)
    gap = bootstrap(statistics.difference(first, second), np.arange(600), count=2000)
    value, p = result.difference()
    assert value == pytest.approx(gap.estimate[0])
    assert p == pytest.approx(gap.p[0], abs=0.05)


def test_two_models_that_rank_alike_do_not_differ() -> None:
    targets, scores = study(2)
    assert delong(targets, np.stack([scores[0], scores[0] * 2 + 1])).difference() == (0, 1)


def test_too_few_positives_or_negatives_give_nan() -> None:
    one_positive = delong(np.array([1.0, 0, 0]), np.array([0.3, 0.1, 0.2]))
    assert one_positive.auroc == [1]
    assert np.isnan(one_positive.interval()).all()
    no_positive = delong(np.zeros(3), np.ones((2, 3)))
    assert_array_equal(no_positive.auroc, [np.nan, np.nan])
    assert np.isnan(no_positive.difference()).all()
    with pytest.raises(InputError, match="shapes"):
        delong(np.zeros(3), np.ones((2, 4)))
