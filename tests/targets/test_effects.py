"""The counted effect of a policy against the policy itself, entry by entry."""

import numpy as np
import pytest

from cxrbench.labels import CHEXPERT
from cxrbench.targets import POLICIES
from cxrbench.targets.effects import policy_effect
from cxrbench.targets.imbalance import counts
from cxrbench.targets.policies import Blank

RNG = np.random.default_rng(0)
TARGETS = RNG.choice([1.0, 0.0, -1.0, np.nan], (500, len(CHEXPERT)), p=(0.3, 0.2, 0.2, 0.3))
GUESSES = RNG.uniform(0.01, 0.99, TARGETS.shape)


@pytest.mark.parametrize("blank", ["zero", "mask"])
@pytest.mark.parametrize("name", POLICIES)
def test_the_effect_counts_the_targets_that_the_policy_produces(name: str, blank: Blank) -> None:
    seen = POLICIES[name](TARGETS, CHEXPERT, blank=blank, seed=3, guesses=GUESSES)
    found = policy_effect(counts(TARGETS), CHEXPERT, POLICIES[name], blank=blank)
    np.testing.assert_array_equal(found.present, (seen == 1).sum(0))
    np.testing.assert_array_equal(found.soft, ((seen > 0) & (seen < 1)).sum(0))
    np.testing.assert_array_equal(found.absent, (seen == 0).sum(0))
    np.testing.assert_array_equal(found.kept, (seen == -1).sum(0))
    np.testing.assert_array_equal(found.left_out, np.isnan(seen).sum(0))
    assert (sum(vars(found).values()) == len(TARGETS)).all()
