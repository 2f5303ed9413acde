import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cxrbench.data import read_published
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT, HIERARCHY
from cxrbench.targets import imbalance, resampling

# Four findings, present in 8, 4, 2 and 1 of ten images. By hand: IRLbl 1, 2, 4, 8; MeanIR 15/4; the squared
# deviations sum to 7.5625 + 3.0625 + 0.0625 + 18.0625 = 28.75; a third's root is 3.0957; CVIR 0.8255.
WORKED = np.zeros((10, 4))
WORKED[:8, 0] = WORKED[:4, 1] = WORKED[:2, 2] = 1
WORKED[7, 3] = 1
WORKED[8] = -1
WORKED[9] = np.nan


def some(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.choice([1, 0, -1, np.nan], (rng.integers(1, 40), rng.integers(1, 7)), p=[0.3, 0.3, 0.1, 0.3])


def slow_ratios(targets: np.ndarray) -> list[float]:
    present = [sum(1 for value in column if value == 1) for column in targets.T]
    return [max(present) / n if n else math.nan for n in present]


def slow_scumble(targets: np.ndarray) -> list[float]:
    ratios, values = slow_ratios(targets), []
    for row in targets:
        active = [ratio for ratio, value in zip(ratios, row, strict=True) if value == 1]
        if not active:
            values.append(math.nan)
            continue
        product = math.prod(active)
        values.append(1 - product ** (1 / len(active)) / (sum(active) / len(active)))
    return values


def test_measures_agree_with_a_worked_example() -> None:
    assert imbalance.irlbl(WORKED).tolist() == [1, 2, 4, 8]
    assert imbalance.mean_ir(WORKED) == 3.75
    assert imbalance.cvir(WORKED) == pytest.approx(math.sqrt(28.75 / 3) / 3.75)
    values, mean = imbalance.scumble(WORKED)
    three, two, one, rare = 1 - 2 / (7 / 3), 1 - math.sqrt(2) / 1.5, 0, 1 - math.sqrt(8) / 4.5
    expected = [three, three, two, two, one, one, one, rare, math.nan, math.nan]
    assert_allclose(values, expected, atol=1e-15)
    assert mean == pytest.approx(np.nanmean(expected))


def test_counts_agree_with_a_worked_example() -> None:
    tally = imbalance.counts(WORKED)
    assert tally.positive.tolist() == [8, 4, 2, 1]
    assert tally.negative.tolist() == [0, 4, 6, 7]
    assert tally.uncertain.tolist() == tally.blank.tolist() == [1, 1, 1, 1]
    assert imbalance.labels_per_image(WORKED).tolist() == [2, 3, 3, 2, 0]
    assert imbalance.cooccurrence(WORKED).tolist() == [[8, 4, 2, 1], [4, 4, 2, 0], [2, 2, 2, 0], [1, 0, 0, 1]]
    assert imbalance.conditional(WORKED)[0].tolist() == [1, 1 / 2, 1 / 4, 1 / 8]
    assert imbalance.lift(WORKED)[0].tolist() == [10 / 8, 10 * 4 / 32, 10 * 2 / 16, 10 / 8]


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_ratios_follow_their_definitions(seed: int) -> None:
    targets = some(seed)
    ratios = slow_ratios(targets)
    assert_array_equal(imbalance.irlbl(targets), ratios)
    known = [ratio for ratio in ratios if not math.isnan(ratio)]
    mean = sum(known) / len(known) if known else math.nan
    assert imbalance.mean_ir(targets) == pytest.approx(mean, nan_ok=True)
    spread = math.sqrt(sum((r - mean) ** 2 for r in known) / (len(known) - 1)) if len(known) > 1 else math.nan
    assert imbalance.cvir(targets) == pytest.approx(spread / mean, nan_ok=True)
    values, of_all = imbalance.scumble(targets)
    assert_allclose(values, slow_scumble(targets), atol=1e-12)
    assert np.isnan(of_all) if np.isnan(values).all() else of_all == pytest.approx(np.nanmean(values))


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_cooccurrence_agrees_with_a_count_image_by_image(seed: int) -> None:
    targets = some(seed)
    count, width = targets.shape
    both = [[sum(1 for r in targets if r[a] == 1 == r[b]) for b in range(width)] for a in range(width)]
    assert imbalance.cooccurrence(targets).tolist() == both
    given_, ratio = imbalance.conditional(targets), imbalance.lift(targets)
    for a in range(width):
        for b in range(width):
            here, there = both[a][a], both[b][b]
            assert given_[a, b] == pytest.approx(both[a][b] / here if here else math.nan, nan_ok=True)
            expected = both[a][b] / count / (here / count * there / count) if here and there else math.nan
            assert ratio[a, b] == pytest.approx(expected, nan_ok=True)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_counts_and_labels_per_image_add_up(seed: int) -> None:
    targets = some(seed)
    tally = imbalance.counts(targets)
    total = tally.positive + tally.uncertain + tally.negative + tally.blank
    assert (total == len(targets)).all()
    assert_array_equal(tally.negative, (targets == 0).sum(0))
    per_image = imbalance.labels_per_image(targets)
    assert per_image.sum() == len(targets)
    assert per_image @ np.arange(len(per_image)) == tally.positive.sum()


def test_a_finding_without_positives_has_no_ratio_and_no_influence() -> None:
    targets = np.column_stack((WORKED, np.zeros(10)))
    assert np.isnan(imbalance.irlbl(targets)[4])
    assert imbalance.mean_ir(targets) == 3.75
    assert imbalance.scumble(targets)[1] == imbalance.scumble(WORKED)[1]
    assert np.isnan(imbalance.conditional(targets)[4]).all()
    assert np.isnan(imbalance.mean_ir(np.zeros((3, 2))))
    assert np.isnan(imbalance.cvir(np.ones((3, 1))))


def test_violations_are_counted_by_the_label_of_the_parent() -> None:
    labels = ("Pneumonia", "consolidation", "Edema")
    targets = np.array([[1, 1, 0], [1, 0, 0], [1, -1, 0], [1, np.nan, 0], [0, 0, 1], [np.nan, 1, 1]])
    (found,) = imbalance.hierarchy_violations(targets, ["Pneumonia", "Consolidation", "Edema"])
    assert found == imbalance.Violation("Pneumonia", "Consolidation", 4, 1, 1, 1)
    assert not imbalance.hierarchy_violations(targets, labels, hierarchy={"Edema": "Lung Opacity"})


def test_targets_that_are_no_matrix_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(N, L\)"):
        imbalance.counts(np.zeros(3))


def test_the_real_table_is_known_and_answers_at_once() -> None:
    studies = read_published("chexpert")
    targets = studies.table[list(CHEXPERT)].to_numpy(float)
    started = time.process_time()
    tally, values = imbalance.counts(targets), imbalance.scumble(targets)
    facts = [imbalance.mean_ir(targets), imbalance.cvir(targets), values[1]]
    imbalance.conditional(targets), imbalance.lift(targets), imbalance.labels_per_image(targets)
    broken = imbalance.hierarchy_violations(targets, CHEXPERT)
    resampling.ml_ros(targets), resampling.ml_rus(targets), resampling.sampling_weights(targets)
    assert time.process_time() - started < 1.5  # a quarter of a second, on a machine with nothing else to do
    row = CHEXPERT.index("Pneumonia")
    found = (tally.positive[row], tally.uncertain[row], tally.negative[row], tally.blank[row])
    assert found == (6039, 18770, 2799, 195806)
    assert [v.blank for v in broken if v.child == "Cardiomegaly"] == [24616]
    assert len(broken) == len(HIERARCHY)
    ratios = 116_001 / tally.positive
    assert_allclose(facts[:2], [ratios.mean(), ratios.std(ddof=1) / ratios.mean()])
    assert 0 < facts[2] < 1
