from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cxrbench.augment import Augmentation, Mixup
from cxrbench.data import read_image
from cxrbench.errors import InputError
from cxrbench.preprocess import Preprocessing
from cxrbench.training import Batches, Images, decode
from cxrbench.training.loop.batches import mixing

RECIPE = Preprocessing(size=24, mean=0.4, std=0.2)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    files = [tmp_path / f"{index}.png" for index in range(5)]
    for path in files:
        cv2.imwrite(str(path), rng.integers(0, 256, (60, 50), dtype=np.uint8))
    return files


def test_a_cached_image_is_the_preprocessed_one_to_half_a_grey_level(
    paths: list[Path], tmp_path: Path
) -> None:
    pixels = decode(paths, RECIPE, tmp_path / "cache")
    images = Images(pixels, torch.zeros(5, 2), RECIPE)
    for index, path in enumerate(paths):
        direct = RECIPE(read_image(path).pixels)
        assert (images[index][0] - direct).abs().max() <= 0.5 / 255 / RECIPE.std + 1e-5


def test_images_are_decoded_once_and_again_after_a_change(paths: list[Path], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    calls = []
    for _ in range(2):
        decode(paths, RECIPE, cache, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(done, 5) for done in range(1, 6)]
    cv2.imwrite(str(paths[2]), np.zeros((7, 9), np.uint8))
    assert not decode(paths, RECIPE, cache)[2].any()
    assert len(list(cache.iterdir())) == 1


def test_missing_and_broken_images_are_reported_in_one_sentence(paths: list[Path], tmp_path: Path) -> None:
    paths[1].write_bytes(b"no image")
    paths[3].unlink()
    with pytest.raises(InputError, match=r"2 of 5 images cannot be read: .*1\.png, .*3\.png"):
        decode(paths, RECIPE, tmp_path / "cache")


def test_one_unreadable_image_of_many_is_reported_and_ignored_in_training(
    paths: list[Path], tmp_path: Path
) -> None:
    many = [*paths * 20, tmp_path / "gone.png"]
    said: list[str] = []
    pixels = decode(many, RECIPE, tmp_path / "cache", say=said.append)
    assert len(said) == 1
    assert said[0].startswith("1 of 101 images cannot be read")
    targets = torch.ones(101, 2)
    images = Images(pixels, targets, RECIPE)
    assert torch.equal(images.targets.isnan().any(1), torch.arange(101) == 100)
    assert not targets.isnan().any()


def test_augmentation_depends_on_seed_pass_and_index_only() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 24, 24), dtype=np.uint8)

    def make(seed: int) -> Images:
        return Images(pixels, torch.zeros(4, 1), RECIPE, augmentation=Augmentation(), seed=seed)

    first, other = make(0), make(1)
    again = make(0)
    _ = again[3, 7]  # an earlier access leaves no trace
    assert torch.equal(first[2, 5][0], again[2, 5][0])
    assert not torch.equal(first[2, 5][0], first[2, 6][0])
    assert not torch.equal(first[2, 5][0], other[2, 5][0])
    plain = Images(pixels, torch.zeros(4, 1), RECIPE)
    assert torch.equal(plain[2, 5][0], plain[2][0])


def test_mixup_mixes_images_and_targets_with_the_same_weights() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)
    targets = torch.tensor([[0.0, 1], [1, 0], [torch.nan, 1], [0, 0], [1, 1], [0, 1]])
    samples = [Images(pixels, targets, RECIPE)[row] for row in (4, 0, 2, 5)]
    mixed, answers, rows = mixing(Mixup(0.5), 3)(samples)
    assert rows.tolist() == [4, 0, 2, 5]
    blend = Mixup(0.5).draw(np.random.default_rng((3, 4, 0, 2, 5)), 4)
    assert (blend.shares < 1).any()
    for row, (partner, share) in enumerate(zip(blend.partners, blend.shares, strict=True)):
        own, other = samples[row], samples[partner]
        torch.testing.assert_close(mixed[row], own[0] * share + other[0] * (1 - share), atol=1e-6, rtol=0)
        wanted = own[1] * share + other[1] * (1 - share)
        torch.testing.assert_close(answers[row], wanted.to(answers.dtype), equal_nan=True)
    assert torch.equal(mixing(Mixup(0.5), 3)(samples)[0], mixed)  # the batch alone decides
    assert not torch.equal(mixing(Mixup(0.5), 4)(samples)[0], mixed)


def test_a_pass_visits_each_image_at_most_once_and_resumes_at_its_position() -> None:
    whole = list(Batches(23, 5, seed=1, draw=2))
    assert [len(batch) for batch in whole] == [5] * 4
    visited = [index for batch in whole for index, _ in batch]
    assert len(set(visited)) == 20
    assert list(Batches(23, 5, seed=1, draw=2, start=3)) == whole[3:]
    assert list(Batches(23, 5, seed=1, draw=3)) != whole
    assert len(list(Batches(3, 5, seed=1, draw=0))) == 1
