from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from cxrbench.errors import InputError
from cxrbench.models import create, hub
from cxrbench.models import folder as files
from cxrbench.models.feature_statistics import FeatureStatistics
from cxrbench.preprocess import Preprocessing


def statistics(width: int = 4) -> FeatureStatistics:
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(width, 2)))[0]
    return FeatureStatistics(rng.normal(size=width), directions, np.array([0.5, 2.0]), 0.1, 3.0, 90)


def test_the_distance_is_that_of_the_whole_covariance_matrix() -> None:
    about = statistics(6)
    outer = about.directions @ about.directions.T
    covariance = about.directions @ np.diag(about.variances) @ about.directions.T
    inverse = np.linalg.inv(covariance + about.rest * (np.eye(6) - outer))
    features = np.random.default_rng(1).normal(size=(5, 6))
    slow = [np.sqrt((row - about.mean) @ inverse @ (row - about.mean)) for row in features]
    np.testing.assert_allclose(about.distances(features), slow, rtol=1e-10)
    assert about.distances(about.mean[None]) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"variances": np.array([0.5, 0.0])},
        {"rest": -1.0},
        {"limit": float("nan")},
        {"mean": np.zeros(3)},
        {"directions": np.full((4, 2), np.inf)},
    ],
)
def test_statistics_that_are_none_are_refused(change: dict[str, object]) -> None:
    values = {**vars(statistics()), **change}
    with pytest.raises(InputError, match="Feature statistics"):
        FeatureStatistics(**values)


def test_statistics_travel_with_the_weights(tmp_path: Path) -> None:
    model = create("alexnet", ("Edema",), preprocessing=Preprocessing(size=64), name="small")
    without = hub.load(hub.save(model, tmp_path / "without"))
    assert without.feature_statistics is None
    assert not (tmp_path / "without" / files.STATISTICS).exists()
    model.feature_statistics = statistics(256)
    loaded = hub.load(hub.save(model, tmp_path / "with")).feature_statistics
    assert loaded is not None
    assert (loaded.limit, loaded.films) == (3.0, 90)
    features = np.random.default_rng(2).normal(size=(3, 256))
    expected = model.feature_statistics.distances(features)
    np.testing.assert_allclose(loaded.distances(features), expected, rtol=2e-3)  # directions in 16 bits
    # A saved model may be saved again over itself, with and without them.
    model.feature_statistics = None
    assert hub.load(hub.save(model, tmp_path / "with")).feature_statistics is None


def test_statistics_of_other_weights_or_damaged_ones_are_refused(tmp_path: Path) -> None:
    model = create("alexnet", ("Edema",), preprocessing=Preprocessing(size=64), name="small")
    model.feature_statistics = statistics(256)
    first = hub.save(model, tmp_path / "first")
    model = create("alexnet", ("Edema",), preprocessing=Preprocessing(size=64), name="small", seed=1)
    second = hub.save(model, tmp_path / "second")
    (second / files.STATISTICS).write_bytes((first / files.STATISTICS).read_bytes())
    with pytest.raises(InputError, match="measured with other weights"):
        hub.load(second)
    (second / files.STATISTICS).write_bytes(b"no tensors")
    with pytest.raises(InputError, match="damaged or not a safetensors file"):
        hub.load(second)
    save_file({"mean": np.zeros(3, np.float32)}, second / files.STATISTICS)
    with pytest.raises(InputError, match="must hold arrays"):
        hub.load(second)
