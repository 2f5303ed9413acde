import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from cxrbench.labels import CHEXPERT, HIERARCHY
from cxrbench.targets import hierarchy


def ancestors(finding: str) -> list[str]:
    above = []
    while finding in HIERARCHY:
        finding = HIERARCHY[finding]
        above.append(finding)
    return above


def some(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice([1, 0, -1, np.nan], (20, 14))


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_closing_makes_every_ancestor_of_a_positive_finding_positive_and_nothing_else(seed: int) -> None:
    targets = some(seed)
    closed = hierarchy.close(targets, CHEXPERT)
    for row, out in zip(targets, closed, strict=True):
        implied = {above for f, v in zip(CHEXPERT, row, strict=True) if v == 1 for above in ancestors(f)}
        expected = [1 if f in implied else v for f, v in zip(CHEXPERT, row, strict=True)]
        assert_array_equal(out, expected)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_children_are_masked_where_their_parent_is_not_positive(seed: int) -> None:
    targets = some(seed)
    result = hierarchy.given_parent(targets, CHEXPERT)
    for row, out in zip(targets, result, strict=True):
        values = dict(zip(CHEXPERT, row, strict=True))
        expected = [v if values.get(HIERARCHY.get(f, ""), 1) == 1 else math.nan for f, v in values.items()]
        assert_array_equal(out, expected)


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_scores_are_multiplied_along_the_path_from_the_root(seed: int) -> None:
    scores = np.random.default_rng(seed).random((5, 14))
    result = hierarchy.unconditional(scores, CHEXPERT)
    for row, out in zip(scores, result, strict=True):
        values = dict(zip(CHEXPERT, row, strict=True))
        expected = [v * math.prod(values[above] for above in ancestors(f)) for f, v in values.items()]
        assert_allclose(out, expected)


def test_conditional_frequencies_multiply_to_the_unconditional_ones() -> None:
    """The chain rule on counts: P(child | parent)·P(parent) is P(child)."""
    rng = np.random.default_rng(0)
    labels = ["Pneumonia", "Lung_Opacity", "Consolidation"]
    targets = hierarchy.close((rng.random((1000, 3)) < 0.2).astype(float), labels)
    learnt = np.nanmean(hierarchy.given_parent(targets, labels), axis=0, keepdims=True)
    assert_allclose(hierarchy.unconditional(learnt, labels)[0], targets.mean(0))


def test_a_child_whose_parent_is_not_among_the_labels_is_unchanged() -> None:
    targets = np.array([[1.0, 0.0]])
    for change in (hierarchy.close, hierarchy.given_parent, hierarchy.unconditional):
        assert_array_equal(change(targets, ["Pneumonia", "Edema"]), targets)
