"""Agreement of readers: cases worked out by hand, and VinDr-CXR's published annotations."""

import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple

import numpy as np
import pytest

from cxrbench.data.published import packaged
from cxrbench.data.truth import Region, read_vindr_regions
from cxrbench.judge.readers import VINDR_READERS, reader_agreement


def region(boxes: Mapping[str, Sequence[Sequence[float]]], finding: str = "Edema") -> Region:
    """The boxes that each reader drew on one film."""
    rows = [(reader, box) for reader, drawn in boxes.items() for box in drawn]
    corners = np.array([box for _, box in rows], np.float64)
    return Region("film", "film", finding, None, boxes=corners, readers=tuple(reader for reader, _ in rows))


def test_two_readers_boxes_are_compared_by_area_and_by_centre() -> None:
    # 2 of 6 squares are shared; neither centre, (2, 1) and (4, 1), is inside the other's box but on its edge.
    found = reader_agreement([region({"A": [[0, 0, 4, 2]], "B": [[2, 0, 6, 2]]})])
    assert astuple(found) == pytest.approx((1, 1 / 3, 1 / 3, 1.0))


def test_areas_that_a_reader_boxed_twice_count_once() -> None:
    twice = [[0, 0, 2, 2], [1, 0, 3, 2]]  # covers 3 × 2
    found = reader_agreement([region({"A": twice, "B": [[0, 0, 3, 2]]})])
    assert found.area_iou == 1


def test_the_centre_is_that_of_the_largest_box() -> None:
    # A's largest box lies apart from B's box, whose centre lies in A's small one.
    found = reader_agreement([region({"A": [[0, 0, 2, 2], [10, 10, 20, 20]], "B": [[0, 0, 2, 2]]})])
    assert found.centre_in_box == 0.5


def test_each_two_of_three_readers_are_a_pair_and_each_finding_counts_once_in_its_mean() -> None:
    same = [[0, 0, 1, 1]]
    three = region({"A": same, "B": same, "C": same})
    apart = region({"A": same, "B": [[5, 5, 6, 6]]}, finding="Fracture")
    found = reader_agreement([three, apart, region({"A": same}, finding="Pneumonia")])
    assert astuple(found) == (4, 0.75, 0.5, 0.75)


def test_without_two_readers_nothing_is_defined() -> None:
    found = reader_agreement([region({"A": [[0, 0, 1, 1]]})])
    assert found.pairs == 0
    assert np.isnan([found.area_iou, found.area_iou_by_finding, found.centre_in_box]).all()


def test_the_stated_agreement_is_that_of_vindrs_annotations() -> None:
    table = io.BytesIO(gzip.decompress(packaged("vinbigdata-train.csv.gz").read_bytes()))
    found = reader_agreement(read_vindr_regions(table))
    assert found.pairs == VINDR_READERS.pairs
    assert astuple(found) == pytest.approx(astuple(VINDR_READERS), abs=5e-5)
