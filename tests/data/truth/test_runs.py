"""Masks as run lengths: hand cases, the reference's own steps written out once more, and damaged text."""

import numpy as np
import pytest

from cxrbench.data.truth import Runs
from cxrbench.errors import InputError


def slow_text(counts: list[int]) -> str:
    """COCO's text, number by number: five bits per character, the lowest first; bit 6 announces more."""
    text = ""
    for index, count in enumerate(counts):
        number = count - counts[index - 2] if index > 2 else count
        while True:
            digit = number % 32
            number = (number - digit) // 32
            last = number == (-1 if digit >= 16 else 0)
            text += chr(48 + digit + (0 if last else 32))
            if last:
                break
    return text


def slow_mask(pairs: str, size: tuple[int, int]) -> np.ndarray:
    """SIIM's steps: a position that moves on by a gap, then by a length that is filled; column by column."""
    flat = np.zeros(size[0] * size[1], bool)
    position = 0
    numbers = [int(word) for word in pairs.split()]
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        position += gap
        flat[position : position + length] = True
        position += length
    return flat.reshape(size[1], size[0]).T


@pytest.mark.parametrize("seed", range(8))
def test_a_mask_survives_cocos_text(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((int(rng.integers(1, 60)), int(rng.integers(1, 60)))) < rng.random()
    runs = Runs.of(mask)
    record = runs.coco()
    assert record == {"size": list(mask.shape), "counts": slow_text(runs.counts.tolist())}
    assert np.array_equal(Runs.from_coco(record).mask(), mask)
    assert np.array_equal(Runs.from_coco({**record, "counts": runs.counts.tolist()}).mask(), mask)
    assert runs.area == mask.sum()


def test_runs_go_down_the_columns() -> None:
    mask = np.zeros((3, 2), bool)
    mask[2, 0] = mask[0, 1] = True
    assert Runs.of(mask).counts.tolist() == [2, 2, 2]
    assert Runs.of(mask).coco()["counts"] == "222"
    assert Runs.of(~mask).counts.tolist() == [0, 2, 2, 2]


def test_a_published_text_is_read_by_hand() -> None:
    # The text of a map's first columns, 2320 pixels high: 724 pixels inside, 1596 outside, three times.
    runs = Runs.from_coco({"size": [2320, 3], "counts": "0df0la10000"})
    assert runs.counts.tolist() == [0, 724, 1596, 724, 1596, 724, 1596]
    assert runs.mask()[:724].all()
    assert not runs.mask()[724:].any()


@pytest.mark.parametrize(("text", "size"), [("PVWX6", (2320, 2828)), ("nefl3", (2022, 2021))])
def test_a_published_text_of_an_empty_mask_is_the_one_written_here(text: str, size: tuple[int, int]) -> None:
    assert Runs.empty(size).coco()["counts"] == text
    assert Runs.from_coco({"size": list(size), "counts": text}).area == 0


@pytest.mark.parametrize("text", ["5 3", "0 2 4 1 5 3", "0 20"])
def test_relative_runs_are_those_of_siims_steps(text: str) -> None:
    assert np.array_equal(Runs.from_relative(text, (5, 4)).mask(), slow_mask(text, (5, 4)))


def test_minus_one_is_an_empty_mask() -> None:
    assert not Runs.from_relative("-1", (5, 4)).mask().any()
    assert Runs.from_relative(" -1 ", (5, 4)).area == 0


@pytest.mark.parametrize("text", ["", "3", "1 2 3", "1 -2", "1 x", "19 2", "0 99999999999999999999"])
def test_relative_runs_that_leave_the_image_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="pairs of a gap and a length within 5 × 4 pixels"):
        Runs.from_relative(text, (5, 4))


@pytest.mark.parametrize(
    "record",
    [
        "0df",
        {"size": [3, 2]},
        {"size": [3], "counts": "222"},
        {"size": [3, 2.0], "counts": "222"},
        {"size": [3, 2], "counts": [2, True]},
    ],
)
def test_other_records_are_refused(record: object) -> None:
    with pytest.raises(InputError, match=r"an object with size \[height, width\] and counts"):
        Runs.from_coco(record)


@pytest.mark.parametrize("counts", ["22", "2222", [7, -1], [3, 2]])
def test_runs_that_do_not_fill_the_mask_are_refused(counts: object) -> None:
    with pytest.raises(InputError, match=r"must add up to 6; got .* \(height, width\)"):
        Runs.from_coco({"size": [3, 2], "counts": counts})


@pytest.mark.parametrize("counts", ["", "P", "2 2", "ppppppppp0", "2é", "2~2"])
def test_damaged_text_is_refused(counts: str) -> None:
    with pytest.raises(InputError, match="COCO's run lengths must be"):
        Runs.from_coco({"size": [3, 2], "counts": counts})


@pytest.mark.parametrize("size", [[0, 4], [-2, -2], [10**6, 10**6]])
def test_impossible_sizes_are_refused(size: list[int]) -> None:
    with pytest.raises(InputError, match="height and width in pixels"):
        Runs.from_coco({"size": size, "counts": [4]})
