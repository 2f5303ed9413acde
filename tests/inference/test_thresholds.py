import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from cxrbench.errors import InputError
from cxrbench.inference import THRESHOLDS, threshold
from cxrbench.inference.thresholds import best_f1, least_cost, sensitivity_first, specificity_first, youden


def drawn(seed, levels=10):
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, (15, 1)).astype(float)
    truth[0], truth[1] = 0, 1
    return truth, random.integers(0, levels + 1, (15, 1)) / levels


def counts(truth, scores, cut):
    called = scores >= cut
    return (called & (truth == 1)).sum(), (called & (truth == 0)).sum()


def possible(scores):
    """A threshold in (0, 1) for every way to call: all, then fewer, then nothing."""
    return [cut for cut in [1e-3, *(np.unique(scores) + 1e-3)] if cut < 1]


GAINS = {
    youden: lambda h, a, p, m: h / p - a / m,
    best_f1: lambda h, a, p, m: 2 * h / (h + a + p),
    least_cost: lambda h, a, p, m: -(5 * (p - h) + a),
}


@pytest.mark.parametrize("rule", GAINS, ids=lambda rule: rule.__name__)
@given(seed=st.integers(0, 10_000))
def test_no_threshold_does_better_by_its_own_rule(rule, seed):
    truth, scores = drawn(seed)
    total = (truth == 1).sum(), (truth == 0).sum()
    best = max(GAINS[rule](*counts(truth, scores, cut), *total) for cut in possible(scores))
    assert GAINS[rule](*counts(truth, scores, rule(truth, scores)[0]), *total) == pytest.approx(best)


@given(seed=st.integers(0, 10_000), least=st.sampled_from([0.5, 0.8, 0.9, 1.0]))
def test_sensitivity_and_specificity_first_keep_their_word_and_give_nothing_away(seed, least):
    truth, scores = drawn(seed)
    hits, alarms = counts(truth, scores, sensitivity_first(truth, scores, least=least)[0])
    positives, negatives = (truth == 1).sum(), (truth == 0).sum()
    options = [counts(truth, scores, cut) for cut in possible(scores)]
    # Out of reach where scores of 0 or 1 leave no threshold: then as near as can be.
    needed = min(least * positives - 1e-9, max(h for h, _ in options))
    assert alarms == min(a for h, a in options if h >= needed)
    hits, alarms = counts(truth, scores, specificity_first(truth, scores, least=least)[0])
    allowed = max((1 - least) * negatives + 1e-9, min(a for _, a in options))
    assert hits == max(h for h, a in options if a <= allowed)


def test_rounding_a_score_does_not_flip_the_study_that_set_the_threshold():
    truth, scores = np.array([[0.0], [0], [1], [1]]), np.array([[0.2], [0.3], [0.7], [0.9]])
    for name in ("youden", "best_f1", "least_cost"):
        assert THRESHOLDS[name].fit(truth, scores)[0] == pytest.approx(0.5)


@pytest.mark.parametrize("record", THRESHOLDS.values(), ids=lambda record: record.name)
def test_a_finding_without_both_kinds_keeps_one_half_and_others_lie_inside(record):
    truth = np.array([[0.0, 1, np.nan, 1], [0, 1, 1, 0]])
    cuts = record.fit(truth, np.array([[0, 0.2, 0.2, 0], [1, 0.2, 0.2, 1]]))
    assert cuts[:3].tolist() == [0.5] * 3
    assert 0 < cuts[3] < 1
    assert cuts.shape == (4,)


def test_masked_studies_have_no_say():
    truth, scores = drawn(1)
    more = np.vstack([truth, np.full((5, 1), np.nan)]), np.vstack([scores, np.full((5, 1), 0.99)])
    for record in THRESHOLDS.values():
        assert_array_equal(record.fit(*more), record.fit(truth, scores))


def test_what_makes_no_sense_is_refused():
    truth, scores = drawn(2)
    with pytest.raises(InputError, match="choose from: half, youden"):
        threshold("yuoden")
    with pytest.raises(InputError, match="share"):
        sensitivity_first(truth, scores, least=90)
    with pytest.raises(InputError, match="above 0"):
        least_cost(truth, scores, miss=-1)
