"""Ensemble maps against NumPy on the displayed maps of the single cells."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxrbench.compare import Comparison, Settings, bundle, heatmap, peak, vote
from cxrbench.compare.ensemble import Blend, Vote, blend
from cxrbench.compare.run import collect, compare
from cxrbench.models import create
from cxrbench.preprocess import Preprocessing

Made = Callable[..., Comparison]
RNG = np.random.default_rng(5)


def together(*parts: Comparison, image: np.ndarray | None = None) -> Comparison:
    """Join comparisons of one model each."""
    first = parts[0]
    return Comparison(
        image=np.zeros((80, 100), np.float32) if image is None else image,
        source="",
        settings=Settings(tuple(name for part in parts for name in part.settings.models), ("grad_cam",)),
        predictions={name: prediction for part in parts for name, prediction in part.predictions.items()},
        heat_maps={key: heat for part in parts for key, heat in part.heat_maps.items()},
        masks=first.masks,
    )


def blended(comparison: Comparison, finding: str) -> Blend:
    found = blend(comparison, "grad_cam", finding)
    assert found is not None
    return found


def voted(comparison: Comparison, finding: str) -> Vote:
    found = vote(comparison, finding)
    assert found is not None
    return found


def scored(part: Comparison, score: float, threshold: float) -> Comparison:
    prediction = next(iter(part.predictions.values()))
    new = replace(
        prediction,
        scores=np.full_like(prediction.scores, score),
        thresholds=np.full_like(prediction.thresholds, threshold),
    )
    return replace(part, predictions={prediction.model: new})


@pytest.fixture
def trio(made: Made) -> Comparison:
    """Three models with other grids, inputs and units."""
    sizes, units = (7, 8, 10), (1.0, 100.0, 0.01)
    parts = [
        made(
            RNG.normal(0.3, 1, (2, size, size)) * unit,
            model=f"m{size}",
            preprocessing=Preprocessing(size=32 * size),
        )
        for size, unit in zip(sizes, units, strict=True)
    ]
    points = ((0.9, 0.5), (0.4, 0.5), (0.3, 0.2))
    return together(*(scored(part, *point) for part, point in zip(parts, points, strict=True)))


def drawn(comparison: Comparison, finding: str) -> np.ndarray:
    """The displayed maps (M, H, W), as the single cells draw them on their own scales."""
    shown = []
    for heat in comparison.heat_maps.values():
        own = heat.map_of(finding)
        assert own is not None
        resized = heat.preprocessing.to_original(own[None], comparison.image.shape)[0]
        shown.append(heatmap(resized, peak(heat, finding), signed=heat.signed))
    return np.stack(shown)


def test_mean_and_spread_are_those_of_numpy_on_the_displayed_maps(trio: Comparison) -> None:
    found = blended(trio, "F1")
    shown = drawn(trio, "F1")
    np.testing.assert_allclose(found.mean, np.mean(shown, axis=0), atol=1e-6)
    np.testing.assert_allclose(found.spread, np.std(shown, axis=0), atol=1e-6)
    assert found.box == (0, 0, 1, 1)
    assert found.models == ("m7", "m8", "m10")
    assert found.missing == ()


def test_signed_maps_keep_their_sign(trio: Comparison) -> None:
    heats = {key: replace(heat, signed=True) for key, heat in trio.heat_maps.items()}
    signed = replace(trio, heat_maps=heats)
    found = blended(signed, "F0")
    np.testing.assert_allclose(found.mean, drawn(signed, "F0").mean(0), atol=1e-6)
    assert found.signed
    assert found.mean.min() < 0


def test_the_unit_of_a_models_maps_does_not_matter(trio: Comparison) -> None:
    key = ("m8", "grad_cam")
    louder = replace(trio.heat_maps[key], maps=trio.heat_maps[key].maps * 1000)
    changed = replace(trio, heat_maps={**trio.heat_maps, key: louder})
    one, other = blended(trio, "F0"), blended(changed, "F0")
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-5)


def test_likeness_is_the_mean_of_all_pairs_correlations(trio: Comparison) -> None:
    shown = drawn(trio, "F0").reshape(3, -1)
    pairs = [np.corrcoef(a, b)[0, 1] for a, b in itertools.combinations(shown, 2)]
    assert blended(trio, "F0").correlation == pytest.approx(np.mean(pairs), abs=1e-5)


def test_equal_maps_have_no_spread_and_a_correlation_of_one(made: Made) -> None:
    maps = RNG.random((1, 7, 7))
    found = blended(together(made(maps, model="a"), made(maps, model="b")), "F0")
    assert found.spread.max() == 0
    assert found.correlation == pytest.approx(1)


def test_an_empty_map_counts_as_zeros(made: Made) -> None:
    maps = RNG.random((1, 7, 7))
    found = blended(together(made(maps, model="a"), made(-maps, model="b")), "F0")
    alone = drawn(together(made(maps, model="a")), "F0")[0]
    np.testing.assert_allclose(found.mean, alone / 2, atol=1e-6)
    assert np.isnan(found.correlation)


def test_the_ensemble_covers_only_the_area_in_the_input_of_all_models(made: Made) -> None:
    maps = RNG.random((1, 7, 7))
    narrow = made(maps, model="a", preprocessing=Preprocessing(size=8, fit="crop"))
    found = blended(together(narrow, made(maps, model="b")), "F0")
    assert found.box == (0.1, 0, 0.9, 1)  # the middle 80 of 100 columns
    assert found.mean.shape == (80, 80)
    assert np.isfinite(found.mean).all()


@pytest.mark.parametrize(("side", "shape"), [(7, (128, 85)), (224, (256, 171))])
def test_a_large_film_is_blended_on_a_smaller_grid(made: Made, side: int, shape: tuple[int, int]) -> None:
    image = np.zeros((3000, 2000), np.float32)
    parts = [made(RNG.random((1, side, side)), model=name) for name in "ab"]
    assert blended(together(*parts, image=image), "F0").mean.shape == shape


def test_drafts_and_models_without_the_finding_are_excluded(made: Made) -> None:
    maps = RNG.random((2, 7, 7))
    parts = [made(maps, model="a"), made(maps[:1], model="b"), made(maps, model="c", progress=0.5)]
    assert blend(together(*parts), "grad_cam", "F1") is None
    parts.append(made(maps, model="d"))
    found = blended(together(*parts), "F1")
    assert found.models == ("a", "d")
    assert found.missing == ("b", "c")


def test_the_vote_is_the_mean_score_and_the_count_at_each_models_threshold(trio: Comparison) -> None:
    found = voted(trio, "F0")
    assert found.probability == pytest.approx((0.9 + 0.4 + 0.3) / 3)
    assert found.agreeing == 2  # 0.9 ≥ 0.5 and 0.3 ≥ 0.2, but not 0.4 ≥ 0.5
    assert found.divided
    assert vote(trio, "F7") is None


@pytest.mark.parametrize(
    ("above", "models", "divided"), [(0, 2, False), (1, 2, True), (2, 2, False), (1, 4, False), (2, 5, True)]
)
def test_a_minority_of_a_third_is_a_divided_vote(made: Made, above: int, models: int, divided: bool) -> None:
    parts = [
        scored(made(RNG.random((1, 7, 7)), model=f"m{index}"), 0.8 if index < above else 0.2, 0.5)
        for index in range(models)
    ]
    assert voted(together(*parts), "F0").divided is divided


def test_a_bundle_restores_the_ensemble(trio: Comparison, tmp_path: Path) -> None:
    bundle.save(trio, tmp_path / "b.zip")
    again = bundle.load(tmp_path / "b.zip")
    np.testing.assert_array_equal(blended(again, "F0").mean, blended(trio, "F0").mean)


def test_models_of_other_data_sets_vote_on_the_same_finding(image: np.ndarray) -> None:
    recipe = Preprocessing(size=64)
    labels = {"nih": ("Effusion", "Pleural_Thickening"), "chexpert": ("Pleural Effusion", "Edema")}
    models = {
        name: create("efficientnet_b0", spelled, name=name, preprocessing=recipe)
        for name, spelled in labels.items()
    }
    settings = Settings(models=tuple(models), methods=("grad_cam",))
    comparison = collect(
        compare(image, settings, models=models), image=image, settings=settings, source="a" * 64
    )
    assert comparison.predictions["nih"].labels == ("Pleural Effusion", "Pleural Thickening")
    assert voted(comparison, "Pleural Effusion").models == ("nih", "chexpert")
    assert vote(comparison, "Edema") is None
