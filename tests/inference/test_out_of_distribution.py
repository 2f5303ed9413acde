import numpy as np
import pytest
import torch
from sklearn.covariance import LedoitWolf

from cxrbench.errors import InputError
from cxrbench.inference import predict
from cxrbench.inference.out_of_distribution import fit_statistics, pooled_features
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing


def features(count: int, width: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = np.eye(width) + 0.2 * np.random.default_rng(9).normal(size=(width, width))
    sample: np.ndarray = rng.normal(size=(count, width)) @ mixing + 3
    return sample


def test_with_all_directions_the_distance_is_that_of_scikit_learn() -> None:
    training, validation = features(60, 12), features(40, 12, seed=1)
    statistics = fit_statistics(training, validation, rank=12)
    oracle = LedoitWolf().fit(training).mahalanobis(validation)
    # One direction less than all, whose variance is its own; directions are rounded to 16 bits.
    np.testing.assert_allclose(statistics.distances(validation) ** 2, oracle, rtol=1e-2)


def test_few_directions_are_those_of_largest_variance_and_the_others_share_their_mean() -> None:
    training, validation = features(50, 8), features(30, 8, seed=1)
    statistics = fit_statistics(training, validation, rank=3)
    covariance = LedoitWolf().fit(training).covariance_
    variances, directions = np.linalg.eigh(covariance)
    variances[:5] = variances[:5].mean()
    precision = directions @ np.diag(1 / variances) @ directions.T
    centred = validation - training.mean(axis=0)
    slow = np.sqrt(np.einsum("nd,de,ne->n", centred, precision, centred))
    np.testing.assert_allclose(statistics.distances(validation), slow, rtol=1e-2)


def test_95_of_100_validation_films_are_within_the_limit() -> None:
    validation = features(100, 6, seed=1)
    statistics = fit_statistics(features(80, 6), validation)
    assert (statistics.distances(validation) <= statistics.limit).sum() in (95, 96)
    assert statistics.films == 80


def test_more_features_than_films_have_a_distance() -> None:
    statistics = fit_statistics(features(10, 30), features(10, 30, seed=1))
    assert len(statistics.variances) == 9
    assert np.isfinite(statistics.distances(features(5, 30, seed=2))).all()


@pytest.mark.parametrize(
    ("training", "validation", "message"),
    [
        (np.ones((1, 4)), np.ones((3, 4)), "at least two training films"),
        (np.ones((5, 4)), np.ones((0, 4)), "one validation film"),
        (np.ones((5, 4)), np.ones((5, 3)), "as many features"),
        (np.ones((5, 4)), np.ones((5, 4)), "that vary"),
    ],
)
def test_what_cannot_be_fitted_is_refused(training: np.ndarray, validation: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit_statistics(training, validation)


def model_with_statistics() -> tuple[Classifier, np.ndarray]:
    """A random model that knows films of smooth noise, and 30 such films."""
    model = create("efficientnet_b0", ("Edema", "Fracture"), preprocessing=Preprocessing(size=64))
    films = np.random.default_rng(0).random((30, 8, 8), np.float32).repeat(8, 1).repeat(8, 2)
    images = torch.stack([model.spec.preprocessing(film) for film in films])
    rows = pooled_features(model, [images[:20], images[20:]])
    model.feature_statistics = fit_statistics(rows[:20], rows[20:])
    return model, films


@pytest.mark.parametrize("name", ["efficientnet_b0", "swin_tiny", "vit_tiny", "alexnet"])
def test_features_are_the_means_of_every_stage_from_one_pass(name: str) -> None:
    model = create(name, ("Edema",), preprocessing=Preprocessing(size=64))
    images = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        stages = [model.trunk(images, stage) for stage in model.stages]
        maps = [one.as_maps(one.value).double().flatten(2).mean(2).numpy() for one in stages]
    rows = pooled_features(model, [images])
    np.testing.assert_allclose(rows, np.concatenate(maps, axis=1), atol=1e-5)


def test_a_prediction_states_the_distance_and_its_scores_do_not_change() -> None:
    model, films = model_with_statistics()
    known = predict(model, films[:3])
    flat = predict(model, np.full((64, 64), 0.9, np.float32))
    assert (known.distances < 1).all()
    assert flat.distances[0] > 1
    statistics, model.feature_statistics = model.feature_statistics, None
    without = predict(model, films[:3])
    np.testing.assert_array_equal(without.logits, known.logits)
    assert np.isnan(without.distances).all()
    assert without.distances.shape == (3,)
    assert predict(model, []).distances.shape == (0,)
    assert statistics is not None


def test_no_image_has_no_features() -> None:
    with pytest.raises(InputError, match="at least one image"):
        pooled_features(create("alexnet", ("Edema",), preprocessing=Preprocessing(size=64)), [])
