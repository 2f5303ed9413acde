import numpy as np
import pytest

from cxrbench.augment import Mixup, MixupDraw
from cxrbench.errors import InputError

NAN = np.nan
IMAGES = np.random.default_rng(0).random((5, 1, 8, 8), dtype=np.float32)
TARGETS = np.array([[1, 0, NAN], [0, 1, 1], [NAN, NAN, 0], [0.7, 1, 0], [1, 0, 0]])


def test_images_and_targets_are_mixed_by_the_same_shares() -> None:
    draw = MixupDraw(np.array([1, 0, 3, 2, 4]), np.array([0.9, 0.8, 0.7, 0.6, 0.5]))
    images, targets = draw.images(IMAGES), draw.targets(TARGETS)
    for i, (j, share) in enumerate(zip(draw.partners, draw.shares, strict=True)):
        np.testing.assert_allclose(images[i], share * IMAGES[i] + (1 - share) * IMAGES[j], atol=1e-6)
        for label in range(3):
            one, other = TARGETS[i, label], TARGETS[j, label]
            slow = NAN if np.isnan(one) or np.isnan(other) else share * one + (1 - share) * other
            np.testing.assert_allclose(targets[i, label], slow)
    assert images.dtype == np.float32


def test_a_partner_with_share_0_has_no_influence_even_where_it_is_unknown() -> None:
    draw = MixupDraw(np.array([2, 2, 2, 2, 2]), np.ones(5))
    np.testing.assert_array_equal(draw.targets(TARGETS), TARGETS)
    np.testing.assert_array_equal(draw.images(IMAGES), IMAGES)


def test_the_seed_determines_the_draw_and_each_share_is_at_least_one_half() -> None:
    first, again = (Mixup(0.4).draw(np.random.default_rng(5), 64) for _ in range(2))
    np.testing.assert_array_equal(first.partners, again.partners)
    np.testing.assert_array_equal(first.shares, again.shares)
    assert sorted(first.partners) == list(range(64))
    assert (first.shares >= 0.5).all()
    assert (first.shares <= 1).all()


def test_shares_follow_the_folded_beta_distribution() -> None:
    from scipy.stats import beta, kstest

    shares = Mixup(0.4).draw(np.random.default_rng(0), 4000).shares
    folded = lambda x: beta.cdf(x, 0.4, 0.4) - beta.cdf(1 - x, 0.4, 0.4)  # noqa: E731
    assert kstest(shares, folded).pvalue > 0.01


def test_alpha_0_mixes_nothing_and_invalid_values_are_refused() -> None:
    draw = Mixup(0).draw(np.random.default_rng(0), 5)
    np.testing.assert_array_equal(draw.images(IMAGES), IMAGES)
    for alpha in (-1, NAN, np.inf):
        with pytest.raises(InputError, match="alpha"):
            Mixup(alpha)


def test_uncertain_targets_need_a_policy_first() -> None:
    with pytest.raises(InputError, match="policy"):
        MixupDraw(np.array([0, 1]), np.array([0.6, 0.6])).targets(np.array([[-1.0], [0.0]]))
