"""Twins in the gallery: stored as differences, and equal to the film in 8 bits."""

from pathlib import Path

import numpy as np
import pytest

from cxrbench.compare.stored_twins import read_effects, read_twins, rounded, write_effects, write_twins
from cxrbench.errors import InputError

RNG = np.random.default_rng(0)


def test_a_stored_twin_is_the_film_in_eight_bits(tmp_path: Path) -> None:
    image = rounded(RNG.random((40, 30), np.float32))
    twin = image.copy()
    twin[5:20, 5:20] = RNG.random((15, 15))
    write_twins(tmp_path, image, {"Edema": twin, "Side marker": 1 - image})
    stored = read_twins(tmp_path, image)
    assert np.array_equal(stored["Edema"], rounded(twin))
    assert np.array_equal(stored["Side marker"], rounded(1 - image))
    assert stored["Edema"].dtype == np.float32
    with pytest.raises(InputError, match="does not belong to the film beside it"):
        read_twins(tmp_path, image.T)


def test_effects_are_kept_to_four_digits_and_undefined_ones_left_out(tmp_path: Path) -> None:
    write_effects(tmp_path, {"small": {"Edema": 3.21987, "Fracture": float("nan")}})
    assert read_effects(tmp_path) == {"small": {"Edema": 3.2199}}


def test_where_nothing_is_stored_nothing_is_read(tmp_path: Path) -> None:
    assert read_twins(tmp_path, np.zeros((4, 4), np.float32)) == {}
    assert read_effects(tmp_path) == {}
