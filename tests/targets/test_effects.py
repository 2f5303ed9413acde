"""The counted effect of a policy against the policy itself, entry by entry."""

import numpy as np
import pytest

from cxrbench.labels import CHEXPERT
from cxrbench.targets import POLICIES
from cxrbench.targets.effects import policy_effect
from cxrbench.targets.imbalance import counts

TARGETS = np.random.default_rng(0).choice(
    [1.0, 0.0, -1.0, np.nan], (500, len(CHEXPERT)), p=(0.3, 0.2, 0.2, 0.3)
)


@pytest.mark.parametrize("blank", ["zero", "mask"])
@pytest.mark.parametrize("name", POLICIES)
def test_an_effect_is_what_the_policy_does_to_every_target(name: str, blank: str) -> None:
    seen = POLICIES[name](TARGETS, CHEXPERT, blank=blank, seed=3)
    found = policy_effect(counts(TARGETS), CHEXPERT, POLICIES[name], blank=blank)
    soft = (seen > 0) & (seen < 1)
    np.testing.assert_array_equal(found.present, (seen == 1).sum(0))
    np.testing.assert_array_equal(found.soft, soft.sum(0))
    np.testing.assert_array_equal(found.absent, (seen == 0).sum(0))
    np.testing.assert_array_equal(found.left_out, np.isnan(seen).sum(0))
    for label in range(len(CHEXPERT)):
        if found.soft[label]:
            drawn = seen[soft[:, label], label]
            assert found.mean_soft[label] == pytest.approx(drawn.mean(), abs=0.05)
        else:
            assert np.isnan(found.mean_soft[label])
