"""One contract for every row of ``CRITERIA``."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cxrbench.errors import InputError
from cxrbench.judge import CRITERIA, CRITERION_FAMILIES, NEEDS, JudgedMap, Part, criterion

RANDOM = np.random.default_rng(3)
SIZE = (32, 32)
MASK = np.zeros(SIZE, bool)
MASK[8:18, 10:22] = True

OTHERS = [np.roll(MASK, shift, axis=1) for shift in (0, 12, -11)]
IMAGE = torch.from_numpy(RANDOM.random((1, *SIZE)))
HEALTHY = torch.where(torch.from_numpy(np.logical_or.reduce(OTHERS)), IMAGE - 0.5, IMAGE)
WEIGHTS = torch.from_numpy(RANDOM.random(SIZE))


def score(images: torch.Tensor) -> torch.Tensor:
    return (images * WEIGHTS).sum((1, 2, 3)) / 32 - 7


JUDGED = JudgedMap(
    map=RANDOM.standard_normal((7, 7)),
    size=SIZE,
    mask=MASK,
    boxes=np.array([[10, 8, 22, 18]]),
    lungs=MASK[:, ::-1],
    baselines={"black": 0 * IMAGE, "mean": 0 * IMAGE + 0.5, "blur": 0 * IMAGE + 0.6},
    explain=lambda images: images[:, 0],
    other_maps=RANDOM.standard_normal((2, 7, 7)),
    randomised_maps=RANDOM.standard_normal((4, 7, 7)),
    marker=np.roll(MASK, 9, axis=0),
    map_without_marker=RANDOM.standard_normal((7, 7)),
    logit_without_marker=-3.0,
    parts=tuple(Part(name, mask, 0.1 * i) for i, (name, mask) in enumerate(zip("abc", OTHERS, strict=True))),
    finding="b",
    image=IMAGE,
    twin=torch.where(torch.from_numpy(MASK), HEALTHY, IMAGE),
    healthy=HEALTHY,
    score=score,
    logit=1.0,
    threshold=float(score(torch.stack([IMAGE, HEALTHY])).mean()),
)


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_is_described(name: str) -> None:
    record = CRITERIA[name]
    assert record.name == name
    assert record.family in CRITERION_FAMILIES
    assert set(record.needs) <= set(NEEDS)
    assert set(record.fields) <= {*vars(JUDGED), "region"}
    assert record.caveat.endswith(".")
    assert record.low < record.high


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_gives_the_same_value_within_its_range(name: str) -> None:
    record = CRITERIA[name]
    # Of the two of a marker, one is for models that rely on it, the other for those that do not.
    judged = replace(JUDGED, logit_without_marker=1.0) if name == "confounder_false_alarm" else JUDGED
    value = record.value(judged)
    assert record.low <= value <= record.high
    assert record.value(replace(judged)) == value
    best = record.best(judged)
    assert np.isnan(best) or record.low <= best <= record.high


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_is_undefined_without_what_it_needs_and_for_maps_with_nan(name: str) -> None:
    record = CRITERIA[name]
    assert np.isnan(record.value(JudgedMap(JUDGED.map, SIZE))) or not record.fields
    broken = JUDGED.map.copy()
    broken[0, 0] = np.nan
    assert np.isnan(record.value(replace(JUDGED, map=broken)))


@pytest.mark.parametrize("name", [name for name, record in CRITERIA.items() if "region" in record.fields])
def test_a_criterion_of_localisation_is_undefined_for_an_empty_mask(name: str) -> None:
    empty = replace(JUDGED, mask=np.zeros(SIZE, bool), boxes=np.zeros((0, 4)))
    assert np.isnan(CRITERIA[name].value(empty))
    assert np.isnan(CRITERIA[name].best(empty))


def test_boxes_are_the_region_where_there_is_no_mask() -> None:
    boxes = replace(JUDGED, mask=None)
    assert boxes.region is not None
    assert np.array_equal(boxes.region, MASK)
    assert CRITERIA["relevance_mass"].value(boxes) == CRITERIA["relevance_mass"].value(JUDGED)


def test_an_unknown_criterion_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"Unknown criterion 'hits'; choose from: .*hit"):
        criterion("hits")


def test_ranks_put_the_better_value_above() -> None:
    record = CRITERIA["hit"]
    values = np.array([0.1, 0.5])
    assert np.array_equal(record.rank_value(values), values)
    assert np.array_equal(replace(record, higher_is_better=False).rank_value(values), -values)
