"""Parts and twins: a linear model whose exact map must reach 1, and a model that reads one part only."""

from itertools import permutations

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.judge import (
    CRITERIA,
    JudgedMap,
    Part,
    best_deletion,
    best_insertion,
    best_order,
    deletion_towards_twin,
    distractibility,
    insertion_towards_twin,
    part_checks,
    part_importance,
    relative_to_best,
    single_deletion,
    target_sensitivity,
)

SIZE = (24, 24)
MASKS = np.zeros((4, *SIZE), bool)
MASKS[0, 2:9, 2:9] = True
MASKS[1, 2:7, 14:22] = True
MASKS[2, 14:20, 3:10] = True
MASKS[3, 13:23, 13:22] = True
ANYWHERE: np.ndarray = np.logical_or.reduce(MASKS)


class LinearFilm:
    """A linear model on a film of four parts: everything about it is known exactly."""

    def __init__(self, seed: int, read: tuple[int, ...] = (0, 1, 2, 3)) -> None:
        random = np.random.default_rng(seed)
        self.healthy = torch.from_numpy(random.random((1, *SIZE)))
        seen = MASKS[list(read)].any(0)
        self.weights = torch.from_numpy(random.standard_normal((1, *SIZE)) * seen)
        self.image = self.healthy.clone()
        self.image[0, torch.from_numpy(MASKS.any(0))] += 0.4 + torch.rand(
            int(MASKS.any(0).sum()), generator=torch.Generator().manual_seed(seed), dtype=torch.float64
        )

    def score(self, images: Tensor) -> Tensor:
        return (images * self.weights).sum((1, 2, 3)) + 1

    def without(self, part: int) -> Tensor:
        return torch.where(torch.from_numpy(MASKS[part]), self.healthy, self.image)

    def change(self, part: int) -> float:
        with_part, without = self.score(torch.stack([self.image, self.without(part)])).tolist()
        return float(with_part - without)

    @property
    def exact(self) -> np.ndarray:
        """Weights × (image − healthy twin): how much each pixel truly adds to the logit."""
        exact: np.ndarray = (self.weights * (self.image - self.healthy))[0].numpy()
        return exact

    @property
    def changes(self) -> np.ndarray:
        return np.array([self.change(part) for part in range(4)])


@pytest.mark.parametrize("seed", range(5))
def test_the_exact_map_of_a_linear_model_reaches_1(seed: int) -> None:
    film = LinearFilm(seed)
    importance = part_importance(film.exact, MASKS)
    np.testing.assert_allclose(importance, film.changes, rtol=1e-9)
    assert single_deletion(importance, film.changes) == pytest.approx(1)
    own = int(np.argmax(film.changes))
    assert target_sensitivity(importance, film.changes, own) == 1
    for found, best in (
        (deletion_towards_twin, best_deletion),
        (insertion_towards_twin, best_insertion),
    ):
        curve = found(film.image, film.healthy, film.exact, film.score)
        reference = best(film.image, film.healthy, ANYWHERE, film.score)
        assert curve is not None
        assert reference is not None
        assert relative_to_best(curve.area, reference.area) == pytest.approx(1)


def test_no_order_of_pixels_removes_more_of_a_linear_logit_than_the_exact_map() -> None:
    weights = torch.tensor([[[0.5, 2.0, 1.0], [3.0, 0.2, 1.5]]], dtype=torch.float64)
    image, twin = torch.ones(1, 2, 3, dtype=torch.float64), torch.zeros(1, 2, 3, dtype=torch.float64)

    def score(images: Tensor) -> Tensor:
        return (images * weights).sum((1, 2, 3))

    shares = tuple(np.arange(7) / 6)

    def area(relevance: np.ndarray) -> float:
        curve = deletion_towards_twin(image, twin, relevance, score, shares=shares)
        assert curve is not None
        return curve.area

    areas = [area(np.array(order, float).reshape(2, 3)) for order in permutations(range(6))]
    assert area(weights[0].numpy()) == max(areas)
    assert area(-weights[0].numpy()) == min(areas)


@pytest.mark.parametrize("read", range(4))
def test_a_model_that_reads_one_part_is_explained_by_that_part_alone(read: int) -> None:
    film = LinearFilm(7, read=(read,))
    changes = film.changes
    assert np.abs(np.delete(changes, read)).max() < 1e-9
    if changes[read] < 0:  # the same model with the sign of its evidence changed
        film.weights = -film.weights
        changes = film.changes
    right, wrong = (MASKS[part].astype(float) for part in (read, (read + 1) % 4))
    assert distractibility(right, MASKS, changes, 1.0) == 0
    assert distractibility(wrong, MASKS, changes, 1.0) == 1
    assert distractibility(right + wrong, MASKS, changes, 1.0) == pytest.approx(
        wrong.sum() / (right + wrong).sum()
    )
    assert target_sensitivity(part_importance(right, MASKS), changes, read) == 1
    assert target_sensitivity(part_importance(wrong, MASKS), changes, read) == pytest.approx(1 / 3)
    finds, misses = (
        deletion_towards_twin(film.image, film.healthy, relevance, film.score, shares=(0, 0.05, 0.2))
        for relevance in (right, wrong)
    )
    assert finds is not None
    assert misses is not None
    assert finds.values[-1] == pytest.approx(1)
    assert misses.values[1] == pytest.approx(0, abs=1e-9)


def test_importance_is_a_sum_or_a_mean_signed_or_positive() -> None:
    relevance = np.zeros(SIZE)
    relevance[2, 2], relevance[3, 3], relevance[2, 14] = 4, -1, -8
    assert part_importance(relevance, MASKS).tolist() == [3, -8, 0, 0]
    assert part_importance(relevance, MASKS, positive=True).tolist() == [4, 0, 0, 0]
    np.testing.assert_allclose(part_importance(relevance, MASKS, reduce="mean"), [3 / 49, -8 / 40, 0, 0])
    empty = np.zeros((1, *SIZE), bool)
    assert np.isnan(part_importance(relevance, empty)).all()
    with pytest.raises(InputError, match="enlarge the map to the size of the masks"):
        part_importance(np.zeros((7, 7)), MASKS)


def test_single_deletion_is_scipys_spearman_and_needs_three_parts() -> None:
    random = np.random.default_rng(4)
    importance, changes = random.integers(0, 4, (2, 9)).astype(float)
    expected = stats.spearmanr(importance, changes).statistic
    assert single_deletion(importance, changes) == pytest.approx(expected)
    assert single_deletion(-importance, changes) == pytest.approx(-expected)
    assert np.isnan(single_deletion(importance[:2], changes[:2]))
    assert np.isnan(single_deletion(np.ones(4), changes[:4]))
    assert np.isnan(single_deletion(np.array([1, np.nan, 2, 3]), changes[:4]))
    with pytest.raises(InputError, match="one change per part"):
        single_deletion(importance, changes[:3])


def test_target_sensitivity_compares_only_parts_that_truly_matter_less() -> None:
    importance, changes = np.array([2.0, 3.0, 1.0, 2.0]), np.array([1.0, 5.0, 0.5, 0.1])
    assert target_sensitivity(importance, changes, 0) == 0.75  # above one, equal to one
    assert np.isnan(target_sensitivity(importance, changes, 3))


def test_distractibility_without_an_irrelevant_part_or_positive_relevance_is_undefined() -> None:
    assert np.isnan(distractibility(np.ones(SIZE), MASKS, np.ones(4), 1.0))
    assert np.isnan(distractibility(-np.ones(SIZE), MASKS, np.zeros(4), 1.0))


def test_a_part_that_hides_in_a_relevant_one_does_not_distract() -> None:
    masks = np.stack([MASKS[0], MASKS[0]])
    assert np.isnan(distractibility(np.ones(SIZE), masks, np.array([1.0, 0.0]), 1.0))


def test_evidence_against_a_finding_is_removed_from_the_other_end() -> None:
    film = LinearFilm(2)
    against = deletion_towards_twin(film.image, film.healthy, -film.exact, lambda x: -film.score(x))
    evidence = deletion_towards_twin(film.image, film.healthy, film.exact, film.score)
    assert against is not None
    assert evidence is not None
    np.testing.assert_allclose(against.values, evidence.values)


def test_a_twin_with_the_same_logit_leaves_nothing_to_measure() -> None:
    film = LinearFilm(2)
    assert deletion_towards_twin(film.image, film.image, film.exact, film.score) is None
    broken = film.exact.copy()
    broken[0, 0] = np.nan
    assert deletion_towards_twin(film.image, film.healthy, broken, film.score) is None


def test_the_best_order_takes_the_mask_first_and_the_largest_changes_before_others() -> None:
    film = LinearFilm(3)
    order = best_order(film.image, film.healthy, MASKS[1])
    first = np.argsort(-order.ravel())[: MASKS[1].sum()]
    assert MASKS[1].ravel()[first].all()
    change = (film.image - film.healthy).abs()[0].numpy().ravel()
    assert (np.diff(change[first]) <= 0).all()


def test_ties_are_broken_at_random_and_averaged() -> None:
    film = LinearFilm(4)
    constant = np.zeros(SIZE)
    curves = [
        deletion_towards_twin(film.image, film.healthy, constant, film.score, seeds=seeds)
        for seeds in (1, 40)
    ]
    # In random order the logit changes in proportion to the share of pixels, on average.
    for curve, tolerance in zip(curves, (1.5, 0.25), strict=True):
        assert curve is not None
        np.testing.assert_allclose(curve.values, curve.fractions, atol=tolerance)


def test_decisions_follow_important_parts_alone() -> None:
    film = LinearFilm(7, read=(2,))
    score = film.score if film.change(2) > 0 else lambda images: -film.score(images)
    logits = score(torch.stack([film.image, film.healthy]))
    threshold = float(logits.mean())

    def checks(chosen: tuple[int, ...]) -> tuple[float, float]:
        importance = np.isin(np.arange(4), chosen) / len(chosen)
        return tuple(  # type: ignore[return-value]
            part_checks(film.image, film.healthy, MASKS, importance, score, total=1.0, threshold=threshold)
        )

    assert checks((2,)) == (1, 1)
    assert checks((0,)) == (0, 0)
    preservation, deletion = checks((0, 2))  # each has half of the relevance: important below .5
    assert preservation == deletion > 0.95
    nothing = part_checks(
        film.image, film.healthy, MASKS, np.ones(4), score, total=4.0, threshold=threshold - 1e6
    )
    assert np.isnan(nothing).all()


def test_records_read_parts_and_twins_from_the_judged_map() -> None:
    film = LinearFilm(1)
    changes = film.changes
    own = int(np.argmax(changes))
    judged = JudgedMap(
        map=film.exact,
        size=SIZE,
        mask=ANYWHERE,
        parts=tuple(Part(f"part {i}", MASKS[i], changes[i]) for i in range(4)),
        finding=f"part {own}",
        image=film.image,
        twin=film.healthy,
        healthy=film.healthy,
        score=film.score,
        logit=1.0,
        threshold=0.0,
    )
    assert CRITERIA["single_deletion"].value(judged) == pytest.approx(1)
    assert CRITERIA["target_sensitivity"].value(judged) == 1
    for name in ("twin_deletion", "twin_insertion"):
        record = CRITERIA[name]
        assert relative_to_best(record.value(judged), record.best(judged)) == pytest.approx(1)
