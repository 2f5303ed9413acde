import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrbench.writing import file_sha256, free_name, png_bytes


def test_a_files_sha256_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"film" * 100_000)
    assert file_sha256(tmp_path / "a") == hashlib.sha256(b"film" * 100_000).hexdigest()
    with pytest.raises(OSError, match="none"):
        file_sha256(tmp_path / "none")


@pytest.mark.parametrize(("shape", "kind"), [((5, 7), "u1"), ((5, 7), "u2"), ((5, 7, 3), "u1")])
def test_a_png_holds_the_pixels_and_nothing_else(shape: tuple[int, ...], kind: str) -> None:
    pixels = np.random.default_rng(0).integers(np.iinfo(kind).max, size=shape, dtype=kind)
    with Image.open(io.BytesIO(png_bytes(pixels))) as shown:
        np.testing.assert_array_equal(np.asarray(shown), pixels)
        assert not shown.info


def test_equal_names_are_numbered_from_two_on() -> None:
    assert free_name("film", set()) == "film"
    assert free_name("film", {"film"}) == "film (2)"
    assert free_name("film", {"film", "film (2)", "film (4)"}) == "film (3)"
    assert free_name("a-b", ["a-b"], form="{name}-{number}") == "a-b-2"
