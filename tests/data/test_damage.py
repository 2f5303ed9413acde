"""Damaged files give a radiograph or one error message."""

import random
import warnings
from collections.abc import Callable

import numpy as np
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from cxrbench.data.images import Radiograph, read_image
from cxrbench.errors import InputError

Writer = Callable[..., bytes]

KINDS = (
    *("png", "png16", "jpeg", "tiff", "tiff-lzw", "tiff-float"),
    *("dicom", "dicom-window", "dicom-rle", "dicom-jpeg", "dicom-jpeg2000"),
)


@pytest.fixture
def whole(
    write_image: Writer, write_dicom: Writer, film: np.ndarray, request: pytest.FixtureRequest
) -> bytes:
    deep = film.astype(np.uint16) * 16
    writers: dict[str, Callable[[], bytes]] = {
        "png": lambda: write_image(film),
        "png16": lambda: write_image(deep),
        "jpeg": lambda: write_image(film, "JPEG", progressive=True),
        "tiff": lambda: write_image(film, "TIFF"),
        "tiff-lzw": lambda: write_image(deep, "TIFF", compression="tiff_lzw"),
        "tiff-float": lambda: write_image(film.astype(np.float32), "TIFF"),
        "dicom": lambda: write_dicom(deep),
        "dicom-window": lambda: write_dicom(film, WindowCenter=100, WindowWidth=50),
        "dicom-rle": lambda: write_dicom(deep, syntax=RLELossless),
        "dicom-jpeg": lambda: write_dicom(film, syntax=JPEGBaseline8Bit, frame=write_image(film, "JPEG")),
        "dicom-jpeg2000": lambda: write_dicom(deep, syntax=JPEG2000Lossless),
    }
    return writers[request.param]()


@pytest.mark.parametrize("whole", KINDS, indirect=True)
def test_a_damaged_file_gives_a_radiograph_or_one_error_message(whole: bytes) -> None:
    answers = [_read(_damaged(whole, seed)) for seed in range(60)]
    sentences = [answer for answer in answers if isinstance(answer, str)]
    assert sentences
    assert all(sentence.startswith("film: ") and sentence.endswith(".") for sentence in sentences)
    for radiograph in answers:
        if isinstance(radiograph, Radiograph):
            assert radiograph.pixels.shape == radiograph.size
            assert radiograph.pixels.dtype == np.float32
            assert 0 <= radiograph.pixels.min() <= radiograph.pixels.max() <= 1


def _read(data: bytes) -> Radiograph | str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # decoders warn before they fail
        try:
            return read_image(data, name="film")
        except InputError as error:
            return str(error)


def _damaged(whole: bytes, seed: int) -> bytes:
    """A copy, truncated one time in four, otherwise with a few bytes or bits changed, half in the header."""
    draw = random.Random(seed)
    data = bytearray(whole[: draw.randrange(1, len(whole))] if draw.random() < 0.25 else whole)
    for _ in range(draw.choice([1, 1, 2, 8, 40])):
        position = draw.randrange(min(len(data), 700) if draw.random() < 0.5 else len(data))
        data[position] ^= 1 << draw.randrange(8) if draw.random() < 0.5 else draw.randrange(256)
    return bytes(data)
