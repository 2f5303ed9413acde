"""Further maps of the gallery: how exactly they are stored, and that what ships is what is computed now."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cxrbench import assets
from cxrbench.compare import Comparison, Settings, further_maps, gallery
from cxrbench.compare.run import collect, compare
from cxrbench.compare.stored_maps import halved
from cxrbench.explain import FAMILIES, METHODS, configured_method
from cxrbench.models import Classifier, hub
from train.further_maps import VARIANTS, cheap_methods, is_dear, rough_methods

# How far values may differ between processors, relative to the largest: as for the other maps of the gallery.
SPREAD = 4e-2

relevance = st.floats(-1e6, 1e6, width=32).map(lambda value: value if abs(value) > 1e-20 else 0.0)


def largest_error(coding: str, maps: np.ndarray) -> np.ndarray:
    """The largest error that the module states, per cell of maps (n, h, w)."""
    size, scale = np.abs(maps).astype(float), np.abs(maps).max((1, 2), keepdims=True, initial=0).astype(float)
    bounds = {
        "half": size / 2048 + scale * 2**-25,
        "linear": scale / 254 * np.ones_like(size),
        "roots": np.sqrt(size * scale) / 31 + scale / (4 * 31**2),
    }
    bound: np.ndarray = bounds[coding] * (1 + 1e-5)
    return bound


@pytest.mark.parametrize(
    ("side", "rough", "coding"),
    [(16, False, "half"), (16, True, "half"), (17, False, "linear"), (17, True, "roots")],
)
@settings(max_examples=25)
@given(numbers=hnp.arrays(np.float32, (2, 3, 16), elements=relevance))
def test_a_map_is_stored_within_the_error_of_its_coding(
    side: int, rough: bool, coding: str, numbers: np.ndarray
) -> None:
    maps = np.resize(numbers, (2, 3, side))
    chosen, codes, scale = further_maps.encode(maps, rough=rough)
    stored = further_maps.decode(chosen, codes, scale)
    assert chosen == coding
    assert (np.abs(stored - maps) <= largest_error(coding, maps)).all()
    assert ((np.sign(stored) == np.sign(maps)) | (stored == 0)).all()


def test_maps_are_read_as_written_but_for_the_coding(
    computed: Comparison, model: Classifier, tmp_path: Path
) -> None:
    methods = (
        "grad_cam_plus_plus",
        "saliency",
        "edges",
        "attention_rollout",
        "grad_cam(stage=1)",
        "deep_lift",
    )
    asked = Settings(("small",), methods)
    heats = list(
        collect(
            compare(computed.image, asked, models={"small": model}, with_predictions=False),
            image=computed.image,
            settings=asked,
        ).heat_maps.values()
    )
    kept = [further_maps.thinned(heat, "Cardiomegaly") for heat in heats]
    assert kept[1].labels == ("Cardiomegaly",)  # fine, and different for each finding
    assert all(kept[place].labels == heats[place].labels for place in (0, 2, 3, 4, 5))
    assert heats[3].problem is not None
    further_maps.write(kept, tmp_path, "small", rough=["saliency"])
    stored = further_maps.read(tmp_path, "small")
    assert list(stored) == list(methods)
    for heat in kept:
        found = stored[heat.method]
        arrays = {"maps": heat.maps, "completeness": heat.completeness, "stable": heat.stable}
        assert vars(found) | arrays | {"seconds": 0} == vars(heat) | {"seconds": 0}
        assert np.array_equal(found.stable, heat.stable)
        assert np.array_equal(found.completeness, heat.completeness, equal_nan=True)
        coding, *_ = further_maps.encode(heat.maps, rough=heat.method == "saliency")
        assert (np.abs(found.maps - heat.maps) <= largest_error(coding, heat.maps)).all()


def test_a_case_without_further_maps_has_none(tmp_path: Path) -> None:
    assert further_maps.read(tmp_path, "small") == {}


# From here on: the shipped gallery.


@pytest.fixture
def cases() -> tuple[gallery.Case, ...]:
    found = gallery.cases()
    if not found:
        pytest.skip("no gallery ships with this checkout")
    return found


def test_every_case_holds_every_cheap_method_of_every_model(cases: tuple[gallery.Case, ...]) -> None:
    further = cheap_methods()
    titles = {key: configured_method(key).title for key in (*gallery.STORED_METHODS, *further)}
    assert gallery.methods() == titles, "the cheap methods changed: run python -m train.further_maps"
    assert gallery.variants() == {key: configured_method(key).title for key in VARIANTS}
    cells = {(model, key) for model in gallery.models() for key in (*titles, *VARIANTS)}
    for case in cases:
        stored = gallery.load(case.id).heat_maps
        assert set(stored) == cells
        for heat in stored.values():
            assert heat.problem is not None or case.finding in heat.labels


def test_the_gallery_takes_at_most_15_megabytes(cases: tuple[gallery.Case, ...]) -> None:
    assert sum(path.stat().st_size for path in assets.gallery().rglob("*") if path.is_file()) <= 15e6


# Family → position of a case, and a model to which most methods of the family apply.
@pytest.mark.parametrize(
    ("family", "position", "name"),
    [
        ("cam", 3, "efficientnet_b0"),
        ("gradient", 0, "densenet121"),
        ("attention", 9, "vit_tiny"),
        ("control", 5, "inception_v3"),
    ],
)
def test_stored_maps_are_those_computed_now(
    cases: tuple[gallery.Case, ...], family: str, position: int, name: str
) -> None:
    """Where they are stable, within the error of their coding and what processors differ by."""
    assert family in FAMILIES
    case = cases[position]
    keys = [key for key in (*cheap_methods(), *VARIANTS) if configured_method(key).record.family == family]
    stored = gallery.load(case.id, models=[name], methods=keys)
    asked = replace(stored.settings, methods=tuple(keys))
    events = compare(
        stored.image,
        asked,
        models={name: hub.load(assets.models() / name)},
        findings=[case.finding],
        with_predictions=False,
    )
    for cell, heat in collect(events, image=stored.image, settings=asked).heat_maps.items():
        kept = stored.heat_maps[cell]
        assert (kept.problem, kept.title, kept.stage) == (heat.problem, heat.title, heat.stage)
        if heat.problem is None and kept.only([case.finding]).stable.all():
            maps = halved(heat.maps)
            coding, *_ = further_maps.encode(maps, rough=cell[1] in rough_methods())
            slack = SPREAD * np.abs(maps).max()
            error = np.abs(kept.map_of(case.finding) - maps[0])
            assert (error <= largest_error(coding, maps)[0] + slack).all(), cell


def test_methods_of_which_a_single_finding_is_stored_are_dear_for_all(
    cases: tuple[gallery.Case, ...],
) -> None:
    stored = gallery.load(cases[0].id, models=["densenet121"]).heat_maps
    single = {key for (_, key), heat in stored.items() if len(heat.labels) == 1}
    assert single == {key for key in single if is_dear(key) or METHODS[key].family == "control"}
    assert {"saliency", "guided_backprop", "grad_cam(stage=3)"} <= single
    assert not {"cam", "recipro_cam", "edges", "lung_mask"} & single
