"""ROAD: imputation against a dense solution and pytorch-grad-cam; the share that is really removed."""

import numpy as np
import pytest
import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.judge import noisy_linear, road

RANDOM = np.random.default_rng(8)
IMAGE = torch.from_numpy(RANDOM.random((2, 14, 11)))


def dense_imputation(image: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """Each removed pixel is the weighted mean of its neighbours: a full matrix, one equation per pixel."""
    height, width = removed.shape
    matrix, right = np.eye(removed.size), image.ravel().copy()
    for row, column in np.argwhere(removed):
        weights = {
            (row + i, column + j): (2 if 0 in (i, j) else 1)
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
            if (i, j) != (0, 0) and 0 <= row + i < height and 0 <= column + j < width
        }
        place = row * width + column
        right[place] = 0
        for (i, j), weight in weights.items():
            matrix[place, i * width + j] = -weight / sum(weights.values())
    solution: np.ndarray = np.linalg.solve(matrix, right).reshape(removed.shape)
    return solution


@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_imputed_pixels_are_the_weighted_mean_of_their_neighbours(share: float) -> None:
    removed = RANDOM.random((14, 11)) < share
    imputed = noisy_linear(IMAGE, removed, noise=0)
    for channel, original in zip(imputed.numpy(), IMAGE.numpy(), strict=True):
        np.testing.assert_allclose(channel, dense_imputation(original, removed), atol=1e-4)
        assert np.array_equal(channel[~removed], original[~removed])


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # theirs
def test_a_removed_block_is_imputed_as_by_pytorch_grad_cam() -> None:
    from pytorch_grad_cam.metrics.road import NoisyLinearImputer

    removed = np.zeros((14, 11), bool)
    removed[3:10, 2:8] = True
    kept = torch.from_numpy(~removed).float()
    expected = NoisyLinearImputer(noise=0)(IMAGE.float(), kept)
    torch.testing.assert_close(noisy_linear(IMAGE.float(), removed, noise=0), expected, atol=1e-4, rtol=0)


def test_noise_is_seeded_and_of_the_stated_size() -> None:
    image, removed = torch.full((1, 60, 60), 0.5), np.ones((60, 60), bool)
    removed[0, 0] = False
    imputed = noisy_linear(image, removed, noise=0.01, seed=2)
    noise = (imputed - 0.5).numpy()[0][removed]
    assert noise.std() == pytest.approx(0.01, rel=0.05)
    assert torch.equal(imputed, noisy_linear(image, removed, noise=0.01, seed=2))
    assert not torch.equal(imputed, noisy_linear(image, removed, noise=0.01, seed=3))
    with pytest.raises(InputError, match="at least one pixel that is not removed"):
        noisy_linear(image, np.ones((60, 60), bool))
    assert torch.equal(noisy_linear(image, ~np.ones((60, 60), bool)), image)


def test_the_share_that_is_asked_for_is_removed_even_of_a_sparse_map() -> None:
    image = torch.from_numpy(RANDOM.random((1, 40, 40)))
    sparse = np.zeros((40, 40))
    sparse[5:8, 5:8] = 1  # a percentile of 80 % would be 0, and remove everything
    changed: list[float] = []

    def score(images: Tensor) -> Tensor:
        changed.extend((images != image).double().mean((1, 2, 3)).tolist())
        return images.sum((1, 2, 3))

    result = road(image, sparse, score, shares=(0.2, 0.5))
    np.testing.assert_allclose(result.removed, [0.2, 0.5])
    np.testing.assert_allclose(changed, [0.2, 0.5, 0.2, 0.5])


def test_a_map_of_what_the_model_reads_is_better_than_its_opposite() -> None:
    image = torch.zeros(1, 40, 40, dtype=torch.float64)
    image[0, 10:20, 10:20] = 1
    relevance = image[0].numpy() + 0.1 * RANDOM.random((40, 40))

    def score(images: Tensor) -> Tensor:
        return images[:, 0, 10:20, 10:20].mean((1, 2))

    right, wrong = (road(image, each, score, shares=(0.1, 0.3)).value for each in (relevance, -relevance))
    assert right == pytest.approx(-wrong)
    assert right > 0.3
