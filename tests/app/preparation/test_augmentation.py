"""Augmentations on the Preparation page: the controls make the change that the library computes."""

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.augment import AUGMENTATIONS, AffineDraw, Change, ElasticDraw, IntensityDraw

IMAGE = np.random.default_rng(0).random((64, 50), dtype=np.float32)
# Augmentation → what its controls are set to, by label, and the change that this is.
CHANGES: dict[str, tuple[dict[str, Any], Change]] = {
    "rotation": ({"Degrees": -12.5}, AffineDraw(degrees=-12.5)),
    "shift": ({"To the right": -0.1, "Downwards": 0.12}, AffineDraw(right=-0.1, down=0.12)),
    "scale": ({"Factor": 0.8}, AffineDraw(scale=0.8)),
    "shear": ({"Shear in degrees": 15.0}, AffineDraw(shear=15.0)),
    "curve": (
        {"Brightness": 0.1, "Contrast": 0.7, "Gamma": 1.5},
        IntensityDraw(brightness=0.1, contrast=0.7, gamma=1.5),
    ),
    "noise": ({"Standard deviation": 0.1}, IntensityDraw(noise=0.1, seed=1)),
    "elastic": (
        {"Longest displacement": 0.06, "Smoothness": 0.2},
        ElasticDraw(strength=0.06, smoothness=0.2, seed=1),
    ),
    "flip": ({"Flip": True}, AffineDraw(flip=True)),
}


def controls() -> None:
    import streamlit

    from cxrbench.app.preparation.augmentation import pick_augmentation

    streamlit.session_state["change"] = pick_augmentation()


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
def test_the_controls_make_the_change_of_the_library(name: str) -> None:
    at = AppTest.from_function(controls, default_timeout=60).run()
    at.selectbox(key="aug_name").select(name).run()
    values, change = CHANGES[name]
    assert {slider.label for slider in at.slider} | {toggle.label for toggle in at.toggle} == set(values)
    for label, value in values.items():
        control = at.toggle if isinstance(value, bool) else at.slider
        control(key=f"aug_{label}").set_value(value)
    at.run()
    assert not at.exception
    assert at.session_state["change"] == change
    np.testing.assert_array_equal(at.session_state["change"].image(IMAGE), change.image(IMAGE))
