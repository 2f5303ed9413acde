"""Boxes around warm regions, and their overlap with true boxes."""

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from cxrbench.errors import InputError
from cxrbench.judge import box_mask, box_overlaps, boxes_of_map, localised


def test_boxes_lie_around_the_regions_above_each_level() -> None:
    relevance = np.zeros((20, 30))
    relevance[2:5, 3:9] = 1.0  # above both levels
    relevance[10:12, 20:30] = 0.5  # 127 of 255: above the lower level alone
    relevance[12, 19] = 0.5  # connected through a corner
    low = [[3, 2, 9, 5], [19, 10, 30, 13]]
    assert boxes_of_map(relevance).tolist() == [*low, [3, 2, 9, 5]]


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_constant_map_has_no_boxes_and_overlaps_nothing(value: float) -> None:
    boxes = boxes_of_map(np.full((8, 8), value))
    assert boxes.shape == (0, 4)
    overlaps = box_overlaps(boxes, np.array([[1, 1, 3, 3]]))
    assert overlaps.iou.tolist() == overlaps.iobb.tolist() == [0]


def test_overlaps_are_those_of_torchvision_and_of_masks() -> None:
    random = np.random.default_rng(2)
    corner = random.integers(0, 20, (2, 9, 2))
    boxes = np.concatenate([corner, corner + random.integers(1, 15, (2, 9, 2))], axis=2)
    predicted, truth = boxes
    overlaps = box_overlaps(predicted, truth)
    torch_boxes = (torch.from_numpy(each).double() for each in (truth, predicted))
    np.testing.assert_allclose(overlaps.iou, box_iou(*torch_boxes).max(1).values)
    for true, best in zip(truth, overlaps.iobb, strict=True):
        shares = [box_mask(true[None], (40, 40))[box_mask(box[None], (40, 40))].mean() for box in predicted]
        assert best == pytest.approx(max(shares))


def test_a_box_is_localised_where_its_overlap_exceeds_the_threshold() -> None:
    shares = localised(np.array([0.1, 0.35, 0.9]))
    np.testing.assert_allclose(shares, np.array([2, 2, 2, 1, 1, 1, 1]) / 3)
    assert np.isnan(localised(np.array([]))).all()


def test_a_box_without_area_is_refused() -> None:
    with pytest.raises(InputError, match="right > left"):
        box_overlaps(np.array([[0, 0, 2, 2]]), np.array([[5, 5, 3, 9]]))


def test_the_mask_of_boxes_is_their_union_within_the_image() -> None:
    mask = box_mask(np.array([[-3, 0, 2, 1], [1.5, 2.2, 9, 3]]), (4, 5))
    expected = np.zeros((4, 5), bool)
    expected[0, :2] = expected[2, 1:] = True
    assert np.array_equal(mask, expected)
    assert not box_mask(np.zeros((0, 4)), (4, 5)).any()
