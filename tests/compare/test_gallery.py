import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cxrbench import assets
from cxrbench.compare import Comparison, gallery, notes, stored_maps
from cxrbench.compare.run import collect, compare
from cxrbench.compare.scale import heatmap, peak
from cxrbench.compare.stored_twins import read_twins
from cxrbench.data.phantom import HEALTHY_PARTS, Edit, render
from cxrbench.errors import InputError
from cxrbench.explain import METHODS, explain
from cxrbench.inference import predict
from cxrbench.models import hub
from cxrbench.models.folder import revision_of

# How far a stable map, drawn in [0, 1], may differ between processors: ten times what was measured between
# instruction sets and numbers of threads (docs/decisions.md).
SPREAD = 3e-2


def bound(maps: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The maximum error of a stored map, from the docstring of ``quantise``."""
    scale = scale[:, None, None].astype(np.float64)
    largest: np.ndarray = (np.sqrt(np.abs(maps) * scale) / 31 + scale / (4 * 31**2)) * (1 + 1e-5)
    return largest


@pytest.fixture
def shelf(assets_folder: Path, computed: Comparison) -> Path:
    """A gallery of one case."""
    folder = assets_folder / "gallery"
    gallery.store(computed, folder / "a-heart")
    case = {
        "id": "a-heart",
        "title": "A heart",
        "why": "Because.",
        "view": "PA",
        "findings": ["Cardiomegaly"],
    }
    index = {
        "stage": 0,
        "baseline": "black",
        "steps": 6,
        "models": {"small": "Small"},
        "methods": {name: METHODS[name].title for name in gallery.STORED_METHODS},
        "cases": [case],
    }
    (folder / "index.json").write_text(json.dumps(index))
    return folder


def test_a_case_loads_as_computed(shelf: Path, computed: Comparison) -> None:
    case = gallery.cases()[0]
    assert (case.id, case.title, case.view, case.findings) == ("a-heart", "A heart", "PA", ("Cardiomegaly",))
    loaded = gallery.load("a-heart")
    assert loaded.settings == computed.settings
    assert loaded.source == "a-heart"
    assert np.array_equal(loaded.image, computed.image)
    assert np.array_equal(loaded.masks["Cardiomegaly"], computed.masks["Cardiomegaly"])
    assert loaded.truth == computed.truth
    for name, prediction in computed.predictions.items():
        assert np.array_equal(loaded.predictions[name].scores, prediction.scores)
        assert np.array_equal(loaded.predictions[name].logits, prediction.logits)
        assert loaded.predictions[name].revision == prediction.revision
    assert list(loaded.heat_maps) == list(computed.heat_maps)
    for key, heat in computed.heat_maps.items():
        stored = loaded.heat_maps[key]
        restored = replace(
            stored, seconds=0, maps=heat.maps, completeness=heat.completeness, stable=heat.stable
        )
        assert restored == replace(heat, seconds=0)
        assert np.array_equal(stored.stable, heat.stable)
        assert np.array_equal(stored.completeness, heat.completeness, equal_nan=True)
        if max(heat.maps.shape[1:]) <= 64:
            assert np.array_equal(stored.maps, heat.maps)
        else:
            assert (np.abs(stored.maps - heat.maps) <= bound(heat.maps, np.abs(heat.maps).max((1, 2)))).all()


def test_models_and_methods_can_be_chosen_in_any_order(shelf: Path) -> None:
    loaded = gallery.load("a-heart", methods=["layer_cam", "grad_cam"])
    assert [method for _, method in loaded.heat_maps] == ["layer_cam", "grad_cam"]
    assert loaded.settings.methods == ("layer_cam", "grad_cam")
    assert gallery.models() == {"small": "Small"}
    assert list(gallery.methods()) == list(gallery.STORED_METHODS)
    with pytest.raises(InputError, match="small"):
        gallery.load("a-heart", models=["../small"])
    with pytest.raises(InputError, match="grad_cam"):
        gallery.load("a-heart", methods=["magic"])


@pytest.mark.parametrize(
    "case", ["", "..", "../a-heart", "A-HEART", "a-heart/", "a-heart\0", "none", "x" * 500]
)
def test_an_unknown_case_is_refused_with_the_known_ones(case: str, shelf: Path) -> None:
    with pytest.raises(InputError, match="a-heart"):
        gallery.load(case)


def test_an_index_cannot_point_outside_the_gallery(shelf: Path) -> None:
    index = json.loads((shelf / "index.json").read_text())
    index["cases"][0]["id"] = "../secret"
    (shelf / "index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="no gallery case"):
        gallery.load("../secret")


def test_an_empty_gallery_has_no_cases(assets_folder: Path) -> None:
    assert gallery.cases() == ()
    assert gallery.models() == {}
    with pytest.raises(InputError, match="none"):
        gallery.load("any")


def test_a_picture_of_more_than_eight_bits_is_not_stored(computed: Comparison, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="8 bits"):
        gallery.store(replace(computed, image=computed.image * np.float32(0.999)), tmp_path)


def test_opening_a_case_does_not_import_torch(shelf: Path) -> None:
    code = (
        "import sys; from cxrbench.compare import gallery, notes; c = gallery.load('a-heart'); "
        "notes(c, 'small', 'grad_cam', 'Cardiomegaly'); "
        "h = c.heat_maps['small', 'grad_cam']; h.preprocessing.to_original(h.maps, (9, 9)); "
        "sys.exit('torch' in sys.modules or 'cxrbench.models' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(hnp.arrays(np.float32, (2, 3, 70), elements=st.floats(-1e6, 1e6, width=32)))
def test_a_fine_map_is_stored_within_the_quantisation_error(maps: np.ndarray) -> None:
    stored = stored_maps.read_maps(stored_maps.write_maps(maps))
    assert (np.abs(stored - maps) <= bound(maps, np.abs(maps).max((1, 2))) + 1e-37).all()
    assert ((np.sign(stored) == np.sign(maps)) | (stored == 0)).all()


@pytest.mark.parametrize("side", [64, 128])
def test_a_map_of_at_most_128_cells_a_side_is_not_halved(side: int) -> None:
    maps = np.random.default_rng(0).standard_normal((2, side, side)).astype(np.float32)
    assert stored_maps.halved(maps) is maps


def test_a_very_fine_map_is_stored_as_the_mean_of_four_cells() -> None:
    maps = np.random.default_rng(0).standard_normal((2, 224, 130)).astype(np.float32)
    mean = maps.reshape(2, 112, 2, 65, 2).mean((2, 4))
    np.testing.assert_allclose(stored_maps.halved(maps), mean, atol=1e-6)


def test_a_map_of_zeros_is_stored_exactly() -> None:
    assert not stored_maps.read_maps(stored_maps.write_maps(np.zeros((2, 70, 70), np.float32))).any()


# From here on: the shipped gallery.


def shipped() -> dict[str, Path]:
    return {name: path for name, path in hub.available().items() if path.parent == assets.models()}


@pytest.fixture
def cases() -> tuple[gallery.Case, ...]:
    if not shipped():
        pytest.skip("no model ships with this checkout, so there is nothing to show")
    found = gallery.cases()
    assert found, "models ship but no gallery: run python -m train.gallery runs/phantom_models"
    return found


def test_the_gallery_shows_every_shipped_model_with_every_method(cases: tuple[gallery.Case, ...]) -> None:
    assert list(gallery.models()) == list(shipped())
    assert list(gallery.methods())[: len(gallery.STORED_METHODS)] == list(gallery.STORED_METHODS)
    assert len({case.id for case in cases}) == len(cases)
    for case in cases:
        loaded = gallery.load(case.id, methods=gallery.STORED_METHODS)
        assert set(loaded.heat_maps) == {
            (model, method) for model in shipped() for method in gallery.STORED_METHODS
        }
        assert all(heat.labels == loaded.predictions[heat.model].labels for heat in loaded.heat_maps.values())
        assert {finding for finding, present in loaded.truth.items() if present} == set(case.findings)
        assert set(loaded.masks) <= set(case.findings)
        assert case.why


def test_the_gallery_was_made_with_the_weights_that_ship(cases: tuple[gallery.Case, ...]) -> None:
    revisions = {name: revision_of(folder / "model.safetensors") for name, folder in shipped().items()}
    for case in cases:
        loaded = gallery.load(case.id)
        made = {name: prediction.revision for name, prediction in loaded.predictions.items()}
        assert made == revisions, "a model changed: run python -m train.gallery runs/phantom_models"


def test_stored_maps_are_those_computed_now(cases: tuple[gallery.Case, ...]) -> None:
    """Coarse maps as displayed, where they are stable; integrated gradients is the slow test below."""
    methods = tuple(name for name in gallery.STORED_METHODS if METHODS[name].shares_passes)
    models = {name: hub.load(folder) for name, folder in shipped().items()}
    for case in cases:
        stored = gallery.load(case.id, methods=methods)
        now = collect(
            compare(stored.image, stored.settings, models=models),
            image=stored.image,
            settings=stored.settings,
        )
        for name, prediction in now.predictions.items():
            np.testing.assert_allclose(stored.predictions[name].scores, prediction.scores, atol=1e-4)
            np.testing.assert_array_equal(stored.predictions[name].thresholds, prediction.thresholds)
        for key, heat in now.heat_maps.items():
            for index, finding in enumerate(heat.labels):
                if not stored.heat_maps[key].stable[index]:
                    assert any(note.startswith("unstable here") for note in notes(stored, *key, finding))
                    continue
                drawn, now_drawn = (
                    heatmap(each.maps[index], peak(each, finding), signed=False)
                    for each in (stored.heat_maps[key], heat)
                )
                assert np.abs(drawn - now_drawn).max() <= SPREAD, (key, finding)


@pytest.mark.slow
@pytest.mark.parametrize("position", range(5))
def test_stored_integrated_gradients_are_those_computed_now_within_the_quantisation_error(
    cases: tuple[gallery.Case, ...], position: int
) -> None:
    """Another case per model, three findings each: a map does not depend on the other findings of a call."""
    if position >= len(shipped()):
        pytest.skip("fewer models ship")
    name, folder = list(shipped().items())[position]
    stored = gallery.load(cases[position].id, models=[name], methods=["integrated_gradients"])
    model, heat = hub.load(folder), stored.heat_maps[name, "integrated_gradients"]
    chosen = [(3 * position + step) % len(heat.labels) for step in range(3)]
    *_, now = explain(
        model,
        model.spec.preprocessing(stored.image)[None],
        [model.spec.findings[index] for index in chosen],
        ["integrated_gradients"],
        baseline=stored.settings.baseline,
        steps=stored.settings.steps,
    )
    kept = stored_maps.halved(now.maps[0].numpy())
    scale = np.abs(kept).max((1, 2))
    error = np.abs(heat.maps[chosen] - kept)
    # A ReLU or a maximum that switches changes single pixels: 1.4e-2 was measured (docs/decisions.md).
    assert (error <= bound(kept, scale) + 4e-2 * scale[:, None, None]).all()


def test_a_case_states_its_finding_and_the_models_and_methods_it_opens_with(
    cases: tuple[gallery.Case, ...],
) -> None:
    labels = set(gallery.load(cases[0].id).truth)
    for case in cases:
        named = {label for label in labels if label in case.why}
        assert case.finding in (named or case.findings), case.id
        assert case.models
        assert set(case.models) <= set(gallery.models())
        assert set(case.methods) <= set(gallery.methods())
        model = {name for name, title in gallery.models().items() if title in case.why}
        assert not model or model == set(case.models), case.id


@pytest.mark.parametrize("case_id", ["edema", "lateral", "normal"])
def test_a_case_can_be_rendered_again(case_id: str) -> None:
    stored = gallery.load(case_id, models=(), methods=())
    phantom = render(**gallery.case(case_id).phantom)
    assert np.abs(phantom.image - stored.image).max() <= 2.5 / 255  # stored in 8 bits, on another processor
    assert phantom.truth == stored.truth


def test_the_twins_of_a_case_lack_its_findings_and_keep_what_was_planted_on_it() -> None:
    stored = gallery.load("shortcut-hospital", models=(), methods=())
    films = gallery.twins(stored)
    assert films is not None
    assert set(films) == {name for name, present in stored.truth.items() if present}
    change = np.abs(films["Pleural Effusion"] - stored.image)
    mask = stored.masks["Pleural Effusion"]
    assert change[mask].mean() > 8 * change[~mask].mean()
    with pytest.raises(KeyError):
        films["Fracture"]


def test_every_case_holds_the_twin_without_each_of_its_findings_and_markers(
    cases: tuple[gallery.Case, ...],
) -> None:
    for case in cases:
        stored = gallery.load(case.id, models=(), methods=())
        films = gallery.twins(stored)
        assert films is not None
        twins = read_twins(assets.gallery() / case.id, stored.image)
        assert set(twins) == set(films.removable) - set(HEALTHY_PARTS), case.id
        assert (case.planted in twins) == bool(case.planted)
        assert all(not np.array_equal(twin, stored.image) for twin in twins.values())


@pytest.mark.parametrize("case_id", ["edema", "shortcut-hospital"])
def test_a_stored_twin_is_the_rendered_one_in_eight_bits(case_id: str) -> None:
    stored = gallery.load(case_id, models=(), methods=())
    rendered = gallery.rendered_twins(gallery.case(case_id), stored)
    films = gallery.twins(stored)
    assert films is not None
    for finding in films:
        assert np.abs(films[finding] - rendered[finding]).max() <= 1.5 / 255  # on another processor


def test_without_the_planted_marker_the_film_is_the_rendered_one() -> None:
    stored = gallery.load("shortcut-hospital", models=(), methods=())
    films = gallery.twins(stored)
    assert films is not None
    edited = films.edited([Edit("hospital")])
    assert np.abs(edited.image - films.original.image).max() <= 2.5 / 255
    assert 0 < edited.mask.mean() < 0.02
    assert np.abs(edited.image - stored.image)[~edited.mask].max() <= 0.02  # below what counts as visible


def test_the_true_effects_are_stored_for_every_model_and_finding_that_is_present(
    cases: tuple[gallery.Case, ...],
) -> None:
    for case in cases:
        effects = gallery.effects(case.id)
        assert set(effects) == set(shipped())
        loaded = gallery.load(case.id, methods=())
        for model, found in effects.items():
            assert set(found) == set(case.findings) & set(loaded.predictions[model].labels) - {"No Finding"}


def test_a_stored_effect_is_the_change_of_the_logit_without_the_finding() -> None:
    loaded = gallery.load("edema", models=("vit_tiny",), methods=())
    films, before = gallery.twins(loaded), loaded.predictions["vit_tiny"]
    assert films is not None
    model = hub.load(assets.models() / "vit_tiny")
    after = predict(model, films["Edema"]).logits[0, model.spec.labels.index("Edema")]
    effect = gallery.effects("edema")["vit_tiny"]["Edema"]
    assert effect == pytest.approx(before.logits[before.labels.index("Edema")] - after, abs=0.02)
    assert effect > 1
