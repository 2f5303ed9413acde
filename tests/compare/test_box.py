"""Maps of a film that was cropped to its lungs keep their box."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cxrbench.compare import HeatMaps, records
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing

MAPS = np.random.default_rng(0).random((2, 7, 7), dtype=np.float32)
CROPPED = HeatMaps(
    model="small",
    method="grad_cam",
    stage="last",
    labels=("a", "b"),
    maps=MAPS,
    preprocessing=Preprocessing(size=32, crop="lungs"),
    seconds=1.0,
    title="Grad-CAM",
    box=(5, 6, 50, 60),
)


def written(heat: HeatMaps) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(json.dumps(records.heat_maps_record(heat)))
    return values


def test_saved_maps_keep_their_position_on_the_film() -> None:
    back = records.read_heat_maps(written(CROPPED), MAPS)
    assert back.box == (5, 6, 50, 60)
    over = back.on_film(MAPS, (70, 80))
    np.testing.assert_array_equal(over, CROPPED.on_film(MAPS, (70, 80)))
    seen = ~np.isnan(over[0])
    assert seen[5:50, 6:60].all()
    assert seen.sum() == 45 * 54


@pytest.mark.parametrize("box", [[1, 2, 3], [5, 5, 4, 9], [-1, 0, 4, 9], "all", None])
def test_an_invalid_box_is_refused(box: object) -> None:
    with pytest.raises(InputError, match="'box'"):
        records.read_heat_maps({**written(CROPPED), "box": box}, MAPS)


def test_files_of_versions_without_cropping_are_read() -> None:
    old = written(replace(CROPPED, preprocessing=Preprocessing(size=32), box=None))
    del old["box"]
    for later in ("crop", "window", "contrast", "clahe_clip", "clahe_tiles"):
        del old["preprocessing"][later]
    back = records.read_heat_maps(old, MAPS)
    assert back.box is None
    assert back.preprocessing == Preprocessing(size=32)
    assert not np.isnan(back.on_film(MAPS, (70, 80))).any()
