"""The table of augmentations: what a page offers is what the functions take."""

from dataclasses import fields

import numpy as np
import pytest

from cxrbench.augment import AUGMENTATIONS

IMAGE = np.linspace(0.1, 0.9, 64 * 50, dtype=np.float32).reshape(64, 50)


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
def test_the_parameters_are_fields_of_the_change_within_their_ranges(name: str) -> None:
    record = AUGMENTATIONS[name]
    for parameter in record.parameters:
        assert parameter.low <= parameter.default <= parameter.high
        for value in (parameter.low, parameter.default, parameter.high):
            change = record.change(**{parameter.name: value})
            assert parameter.name in {field.name for field in fields(change)}  # type: ignore[arg-type]
            assert getattr(change, parameter.name) == value


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
def test_the_defaults_change_the_image_visibly(name: str) -> None:
    record = AUGMENTATIONS[name]
    changed = record.change(**{parameter.name: parameter.default for parameter in record.parameters})
    assert np.abs(changed.image(IMAGE) - IMAGE).max() > 1 / 255
