import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import bootstrap as reference

from cxrbench.errors import InputError
from cxrbench.metrics import auroc, statistics
from cxrbench.metrics.intervals import bootstrap, resamples


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(6)


def test_a_resample_draws_as_many_patients_as_there_are_with_all_their_images() -> None:
    patients = np.array(["a", "b", "a", "c", "d", "d"])
    weights = np.concatenate(list(resamples(patients, 120, seed=1)), axis=1)
    assert weights.shape == (6, 120)
    assert_array_equal(weights[0], weights[2])
    assert_array_equal(weights[4], weights[5])
    assert (weights[[0, 1, 3, 4]].sum(0) == 4).all()
    assert weights.mean() == pytest.approx(1, abs=0.15)
    assert_array_equal(weights[:, :70], np.concatenate(list(resamples(patients, 120, seed=1)), 1)[:, :70])


def test_the_interval_of_a_mean_agrees_with_scipy(random: np.random.Generator) -> None:
    values = random.exponential(size=200)
    interval = bootstrap(statistics.mean(values), np.arange(200), count=4000)
    other = reference((values,), np.mean, n_resamples=4000, method="percentile", random_state=1)
    assert interval.estimate == pytest.approx(values.mean())
    assert interval.low == pytest.approx(other.confidence_interval.low, abs=0.012)
    assert interval.high == pytest.approx(other.confidence_interval.high, abs=0.012)


def test_more_images_of_the_same_patients_do_not_narrow_the_interval(random: np.random.Generator) -> None:
    values = random.normal(size=50)
    once = bootstrap(statistics.mean(values), np.arange(50), count=500)
    often = bootstrap(statistics.mean(np.repeat(values, 9)), np.repeat(np.arange(50), 9), count=500)
    naive = bootstrap(statistics.mean(np.repeat(values, 9)), np.arange(450), count=500)
    assert often.high - often.low == pytest.approx(once.high - once.low, rel=1e-6)
    assert naive.high - naive.low < 0.5 * (once.high - once.low)


def test_the_interval_covers_the_true_value_as_often_as_its_level_states(random: np.random.Generator) -> None:
    inside = 0
    for seed in range(200):
        interval = bootstrap(statistics.mean(random.normal(1, 1, 60)), np.arange(60), count=200, seed=seed)
        inside += bool(interval.low <= 1 <= interval.high)
    assert 180 <= inside <= 198  # 95 % of 200, give or take


def test_the_interval_of_a_paired_difference_is_narrower_and_has_a_p_value(
    random: np.random.Generator,
) -> None:
    targets = random.integers(0, 2, (150, 1)).astype(float)
    first = 0.6 * targets + random.normal(size=(150, 1))
    second = first + random.normal(scale=0.05, size=(150, 1))
    worse = random.normal(size=(150, 1))
    patients = np.arange(150)
    one, other = statistics.auroc(targets, first), statistics.auroc(targets, second)
    gap = bootstrap(statistics.difference(one, other), patients, count=500)
    single = bootstrap(one, patients, count=500)
    assert gap.high - gap.low < 0.5 * (single.high - single.low)
    assert gap.p > 0.05
    far = bootstrap(statistics.difference(one, statistics.auroc(targets, worse)), patients, count=500)
    assert far.low > 0
    assert far.p < 0.05
    same = bootstrap(statistics.difference(one, one), patients, count=100)
    assert same.p == 1


def test_with_too_few_positives_there_is_no_interval() -> None:
    targets = np.array([[1.0, 1, 1]] + [[0.0, 1, 0]] * 9)
    scores = np.linspace(0, 1, 30).reshape(10, 3)
    interval = bootstrap(statistics.auroc(targets, scores), np.arange(10), count=300)
    assert_array_equal(interval.estimate, auroc(targets, scores))
    assert np.isnan(interval.low).all()
    assert np.isnan(interval.p).all()


def test_the_same_seed_gives_the_same_interval_and_nothing_to_resample_is_refused(
    random: np.random.Generator,
) -> None:
    statistic = statistics.mean(random.random(20))
    first, again = (bootstrap(statistic, np.arange(20), count=99, seed=5) for _ in range(2))
    assert_allclose(first.replicates, again.replicates, rtol=0)
    assert len(first.replicates) == 99
    with pytest.raises(InputError, match="at least"):
        bootstrap(statistic, np.arange(0))
    with pytest.raises(InputError, match="level"):
        bootstrap(statistic, np.arange(20), level=95)
