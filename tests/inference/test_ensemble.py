from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, logit

from cxrbench.errors import InputError
from cxrbench.inference import ENSEMBLES, THRESHOLDS, Ensemble, ensemble
from cxrbench.inference.ensemble import logit_mean, majority, mean, most_frequent_set, quorum, skill
from cxrbench.metrics import auroc


def drawn(seed: int, models: int = 3, images: int = 40, labels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    targets = random.integers(0, 2, (images, labels)).astype(float)
    return targets, np.clip(0.3 * targets + 0.7 * random.random((models, images, labels)), 0, 1)


@pytest.mark.parametrize("record", ENSEMBLES.values(), ids=lambda record: record.name)
@pytest.mark.parametrize("models", [1, 2, 3, 4])
@pytest.mark.parametrize("rule", THRESHOLDS)
def test_every_ensemble_predicts_for_any_number_of_models_and_any_rule(
    record: Ensemble, models: int, rule: str
) -> None:
    targets, scores = drawn(1, models)
    prediction = record.fit(targets, scores, THRESHOLDS[rule].fit)(scores[:, :7])
    assert prediction.scores.shape == prediction.calls.shape == (7, 3)
    assert prediction.calls.dtype == bool
    assert prediction.scores.min() >= 0
    assert prediction.scores.max() <= 1


@pytest.mark.parametrize(
    "name", ["ctp_mean", "ctp_weighted", "ptc_majority", "ptc_any", "ptc_all", "ptc_mode"]
)
def test_identical_models_predict_like_a_single_one(name: str) -> None:
    targets, scores = drawn(2, 1)
    same = np.repeat(scores, 4, axis=0)
    prediction = ENSEMBLES[name].fit(targets, same, THRESHOLDS["youden"].fit)(same)
    cuts = THRESHOLDS["youden"].fit(targets, scores[0])
    assert_array_equal(prediction.calls, scores[0] >= cuts)


@pytest.mark.parametrize("record", ENSEMBLES.values(), ids=lambda record: record.name)
def test_the_order_of_models_matters_only_where_the_summary_states_it(record: Ensemble) -> None:
    targets, scores = drawn(3, 4)
    rule = THRESHOLDS["half"].fit
    first = record.fit(targets, scores, rule)(scores)
    second = record.fit(targets, scores[::-1], rule)(scores[::-1])
    assert_allclose(first.scores, second.scores, atol=1e-4) if record.name != "ptc_mode" else None
    if record.name in {"ctp_mean", "ptc_majority", "ptc_any", "ptc_all"}:
        assert_array_equal(first.calls, second.calls)


@given(st.integers(0, 2000), st.integers(1, 5))
def test_votes_agree_with_a_slow_count(seed: int, models: int) -> None:
    _, scores = drawn(seed, models, images=6)
    cuts = np.random.default_rng(seed).uniform(0.2, 0.8, (models, 3))
    called, some, every = majority(scores, cuts), quorum(scores, cuts, 1), quorum(scores, cuts, models)
    sets = most_frequent_set(scores, cuts)
    for image in range(6):
        votes = [tuple(bool(s) for s in scores[m, image] >= cuts[m]) for m in range(models)]
        for label in range(3):
            yes = sum(vote[label] for vote in votes)
            margin = np.mean([scores[m, image, label] - cuts[m, label] for m in range(models)])
            expected = margin >= 0 if 2 * yes == models else 2 * yes > models
            assert called[image, label] == expected
            assert some[image, label] == (yes >= 1)
            assert every[image, label] == (yes == models)
        times = Counter(votes)
        against = {v: sum(a != b for w in votes for a, b in zip(v, w, strict=True)) for v in votes}
        best = min(votes, key=lambda v: (-times[v], against[v], votes.index(v)))
        assert tuple(sets[image]) == best


def test_means_follow_their_formulas() -> None:
    _, scores = drawn(4)
    assert_allclose(mean(scores), scores.mean(0))
    inside = np.clip(scores, 1e-3, 1 - 1e-3)
    assert_allclose(logit_mean(inside), expit(logit(inside).mean(0)))


def test_weights_favour_the_better_model_and_are_equal_where_none_is_above_chance() -> None:
    targets, scores = drawn(5)
    scores[1] = 1 - scores[1]
    weights = skill(targets, scores)
    assert_allclose(weights.sum(0), 1)
    assert_array_equal(weights[1], 0)
    gain = np.stack([auroc(targets, model_scores) - 0.5 for model_scores in scores])[[0, 2]]
    assert_allclose(weights[[0, 2]], gain / gain.sum(0))
    assert_allclose(skill(np.ones_like(targets), scores), 1 / 3)


def test_stacking_gives_the_better_model_more_weight() -> None:
    random = np.random.default_rng(6)
    targets = random.integers(0, 2, (400, 1)).astype(float)
    good = expit(2 * targets - 1 + random.normal(size=targets.shape))
    scores = np.stack([good, random.random(targets.shape), random.random(targets.shape)])
    stacking = ENSEMBLES["stacking"].fit(targets[:200], scores[:, :200], THRESHOLDS["half"].fit)
    stacked = auroc(targets[200:], stacking(scores[:, 200:]).scores)[0]
    assert stacked > auroc(targets[200:], mean(scores[:, 200:]))[0] + 0.05


def test_invalid_arguments_are_refused() -> None:
    targets, scores = drawn(7)
    with pytest.raises(InputError, match="choose from: ctp_mean"):
        ensemble("ctp")
    with pytest.raises(InputError, match="fitted for 3 models"):
        ENSEMBLES["ptc_any"].fit(targets, scores, THRESHOLDS["half"].fit)(scores[:2])
    with pytest.raises(InputError, match="M at least 1"):
        mean(scores[0])
