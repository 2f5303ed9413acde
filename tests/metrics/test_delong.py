import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from cxrbench.errors import InputError
from cxrbench.metrics import auroc, bootstrap, delong, statistics


def study(seed=0, images=60):
    random = np.random.default_rng(seed)
    targets = (random.random(images) < 0.4).astype(float)
    scores = np.round(targets + random.normal(size=(2, images)), 1)  # with ties
    targets[:5] = np.nan
    return targets, scores


def test_it_is_the_papers_sums_over_all_pairs():
    targets, scores = study()
    found = delong(targets, scores)
    known = ~np.isnan(targets)
    kernels = []
    for one in scores:
        x, y = one[known & (targets == 1)], one[known & (targets == 0)]
        kernels.append([[1.0 if a > b else 0.5 if a == b else 0.0 for b in y] for a in x])
    psi = np.array(kernels)  # (M, P, Q)
    theta, v10, v01 = psi.mean((1, 2)), psi.mean(2), psi.mean(1)
    assert_allclose(found.auroc, theta, atol=1e-12)
    assert_allclose(found.auroc, [auroc(targets[:, None], one[:, None])[0] for one in scores])
    p, q = psi.shape[1:]
    for r in range(2):
        for s in range(2):
            s10 = sum((a - theta[r]) * (b - theta[s]) for a, b in zip(v10[r], v10[s], strict=True)) / (p - 1)
            s01 = sum((a - theta[r]) * (b - theta[s]) for a, b in zip(v01[r], v01[s], strict=True)) / (q - 1)
            assert found.covariance[r, s] == pytest.approx(s10 / p + s01 / q)


def test_it_and_the_bootstrap_agree_where_every_image_is_a_patient():
    targets, scores = study(1, 600)
    found = delong(targets, scores)
    table = targets[:, None]
    one, other = (statistics.auroc(table, s[:, None]) for s in scores)
    alone = bootstrap(one, np.arange(600), count=2000)
    assert_allclose(found.interval(0), [alone.low[0], alone.high[0]], atol=0.01)
    gap = bootstrap(statistics.difference(one, other), np.arange(600), count=2000)
    value, p = found.difference()
    assert value == pytest.approx(gap.estimate[0])
    assert p == pytest.approx(gap.p[0], abs=0.05)


def test_two_models_that_are_one_do_not_differ():
    targets, scores = study(2)
    assert delong(targets, np.stack([scores[0], scores[0] * 2 + 1])).difference() == (0, 1)


def test_too_few_to_judge_is_nan():
    one = delong(np.array([1.0, 0, 0]), np.array([0.3, 0.1, 0.2]))
    assert one.auroc == [1]
    assert np.isnan(one.interval()).all()
    none = delong(np.zeros(3), np.ones((2, 3)))
    assert_array_equal(none.auroc, [np.nan, np.nan])
    assert np.isnan(none.difference()).all()
    with pytest.raises(InputError, match="shapes"):
        delong(np.zeros(3), np.ones((2, 4)))
