import numpy as np
import pytest
import torch

from cxrbench.preprocess import Preprocessing
from cxrbench.targets import imbalance
from cxrbench.training import Batches, Images
from cxrbench.training.objective.sampling import SAMPLINGS, Selection

TARGETS = (np.random.default_rng(0).random((400, 3)) < [0.5, 0.4, 0.03]).astype(float)


def shown_once(name: str) -> np.ndarray:
    """The targets of every image that an epoch shows."""
    selection = SAMPLINGS[name].choose(TARGETS, 0)
    pixels = np.zeros((400, 2, 2), np.uint8)
    images = Images(pixels, torch.from_numpy(TARGETS), Preprocessing(size=2), selection=selection)
    batches = Batches(len(images), 20, seed=0, draw=0, weights=images.weights)
    return np.array([images[index][1].numpy() for batch in batches for index, _ in batch])


@pytest.mark.parametrize("name", [name for name in SAMPLINGS if name != "each"])
def test_every_sampling_reduces_the_imbalance(name: str) -> None:
    assert imbalance.mean_ir(shown_once(name)) < imbalance.mean_ir(TARGETS)


def test_each_samples_every_image_once() -> None:
    assert sorted(map(tuple, shown_once("each"))) == sorted(map(tuple, TARGETS))


def test_without_weights_the_order_is_a_seeded_permutation() -> None:
    order = [index for batch in Batches(10, 3, seed=4, draw=2) for index, _ in batch]
    assert order == np.random.default_rng((4, 2)).permutation(10)[:9].tolist()


def test_weights_are_sampling_probabilities() -> None:
    weights = np.array([0.7, 0.2, 0.1, 0.0])
    batches = (Batches(4, 4, seed=0, draw=draw, weights=weights) for draw in range(2000))
    drawn = np.array([index for each in batches for batch in each for index, _ in batch])
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / len(drawn), weights, atol=0.02)


def test_copies_have_the_pixels_targets_and_index_of_their_image() -> None:
    pixels = np.arange(3, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8)
    targets = torch.arange(3.0)[:, None]
    images = Images(
        pixels, targets, Preprocessing(size=2, mean=0, std=1), selection=Selection(np.array([0, 2, 2]))
    )
    assert len(images) == 3
    assert [int(images[i][1]) for i in range(3)] == [0, 2, 2]
    assert [images[i][2] for i in range(3)] == [0, 2, 2]
    assert images[2][0].max() == pytest.approx(2 / 255)
    assert images.targets[:, 0].tolist() == [0, 2, 2]


def test_each_sampling_is_listed_under_its_name() -> None:
    assert all(sampling.name == name and sampling.summary for name, sampling in SAMPLINGS.items())
