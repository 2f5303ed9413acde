import numpy as np
import pytest

from cxrbench.augment import AUGMENTATIONS, Augmentation, Draw, Intensity, IntensityDraw, apply
from cxrbench.errors import InputError

IMAGE = np.random.default_rng(0).random((60, 50), dtype=np.float32)


def test_an_intensity_change_follows_its_formula() -> None:
    change = IntensityDraw(brightness=0.05, contrast=1.2, gamma=0.8)
    slow = [[min(max(0.5 + 1.2 * (v**0.8 - 0.5) + 0.05, 0), 1) for v in row] for row in IMAGE.tolist()]
    np.testing.assert_allclose(change.image(IMAGE), slow, atol=1e-6)


def test_the_default_is_the_identity() -> None:
    np.testing.assert_allclose(IntensityDraw().image(IMAGE), IMAGE, atol=1e-6)


def test_noise_has_the_drawn_deviation_and_is_deterministic() -> None:
    grey = np.full((300, 300), 0.5, np.float32)
    noisy = IntensityDraw(noise=0.05, seed=3).image(grey)
    assert noisy.std() == pytest.approx(0.05, rel=0.02)
    assert noisy.mean() == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_array_equal(noisy, IntensityDraw(noise=0.05, seed=3).image(grey))
    assert not np.array_equal(noisy, IntensityDraw(noise=0.05, seed=4).image(grey))


def test_the_film_curve_is_the_one_of_the_training_recipe() -> None:
    exposure = Augmentation().draw(np.random.default_rng(1)).exposure
    bytes_ = np.rint(IMAGE * 255).astype(np.uint8)
    wanted = exposure.image(bytes_ / np.float32(255))
    np.testing.assert_allclose(apply(bytes_, Draw(exposure=exposure)), wanted, atol=1e-5)


def test_draws_stay_within_their_ranges() -> None:
    wide = Intensity(0.1, 0.2, 0.5, 0.03)
    for seed in range(200):
        draw = wide.draw(np.random.default_rng(seed))
        assert abs(draw.brightness) <= 0.1
        assert abs(draw.contrast - 1) <= 0.2
        assert abs(np.log2(draw.gamma)) <= 0.5
        assert 0 <= draw.noise <= 0.03
    with pytest.raises(InputError, match="noise"):
        Intensity(noise=-0.1)


@pytest.mark.parametrize("name", list(AUGMENTATIONS))
def test_every_augmentation_keeps_shape_and_range_and_moves_masks_as_declared(name: str) -> None:
    record = AUGMENTATIONS[name]
    mask = np.zeros(IMAGE.shape, bool)
    mask[20:40, 10:20] = True
    moved = False
    for seed in range(12):
        change = record.ranges.draw(np.random.default_rng(seed))
        out = change.image(IMAGE)
        assert out.shape == IMAGE.shape
        assert out.dtype == np.float32
        assert out.min() >= 0
        assert out.max() <= 1
        changed_mask = change.mask(mask)
        moved |= not np.array_equal(changed_mask, mask)
        assert changed_mask.any()
    assert moved == record.moves
