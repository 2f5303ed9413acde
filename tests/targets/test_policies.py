import math

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT, COMPETITION
from cxrbench.targets import POLICIES, RULES, Policy, mixture
from cxrbench.targets.policies import Blank

RANDOM = np.random.default_rng(0)
TARGETS = RANDOM.choice([1, 0, -1, np.nan], (300, 14))
GUESSES = RANDOM.random((300, 14))


def slow(
    policy: Policy, targets: np.ndarray, labels: tuple[str, ...], blank: Blank
) -> list[list[tuple[float, float]]]:
    """For each entry the range its value must lie in, one entry after the other; (nan, nan) for masked."""
    ranges = {
        "ignore": (math.nan, math.nan),
        "zeros": (0, 0),
        "ones": (1, 1),
        "smoothed-ones": (0.55, 0.85),
        "smoothed-zeros": (0, 0.3),
        "keep": (-1, -1),
    }
    rows = []
    for row, guessed in zip(targets, GUESSES, strict=True):
        out = []
        for value, label, guess in zip(row, labels, guessed, strict=True):
            if math.isnan(value):
                out.append((0, 0) if blank == "zero" else (math.nan, math.nan))
            elif value == -1:
                rule = policy.findings.get(label, policy.rule)
                out.append((guess, guess) if rule == "guess" else ranges[rule])
            else:
                out.append((value, value))
        rows.append(out)
    return rows


@pytest.mark.parametrize("blank", ["zero", "mask"])
@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_follows_its_rule_entry_by_entry(name: str, blank: Blank) -> None:
    result = POLICIES[name](TARGETS, CHEXPERT, blank=blank, seed=3, guesses=GUESSES)
    low, high = np.moveaxis(np.array(slow(POLICIES[name], TARGETS, CHEXPERT, blank)), -1, 0)
    assert result.shape == TARGETS.shape
    assert result.dtype == np.float32
    assert_array_equal(np.isnan(result), np.isnan(low))
    known = ~np.isnan(low)
    assert (result[known] >= low[known] - 1e-7).all()
    assert (result[known] <= high[known] + 1e-7).all()


def global_state() -> np.ndarray:
    """NumPy's global random generator, which must not change."""
    state: np.ndarray = np.random.get_state(legacy=False)["state"]["key"].copy()  # noqa: NPY002
    return state


@pytest.mark.parametrize("name", POLICIES)
def test_policies_do_not_modify_their_arguments(name: str) -> None:
    before = TARGETS.copy()
    state = global_state()
    first = POLICIES[name](TARGETS, CHEXPERT, blank="mask", seed=1, guesses=GUESSES)
    assert_array_equal(first, POLICIES[name](TARGETS, CHEXPERT, blank="mask", seed=1, guesses=GUESSES))
    assert_array_equal(TARGETS, before)
    assert_array_equal(global_state(), state)


def test_smoothed_labels_fill_their_range_and_follow_the_seed() -> None:
    uncertain = np.full((5000, 1), -1.0)
    for name, low, high in (("smoothed-ones", 0.55, 0.85), ("smoothed-zeros", 0, 0.3)):
        drawn = POLICIES[name](uncertain, ["Edema"], blank="zero", seed=0)
        assert drawn.mean() == pytest.approx((low + high) / 2, abs=0.01)
        assert drawn.std() == pytest.approx((high - low) / math.sqrt(12), abs=0.01)
        assert (drawn != POLICIES[name](uncertain, ["Edema"], blank="zero", seed=1)).mean() > 0.99


def test_a_findings_draws_do_not_depend_on_the_others_rules() -> None:
    alone = mixture({"Edema": "smoothed-ones"})
    all_of_them = POLICIES["smoothed-ones"]
    column = CHEXPERT.index("Edema")
    assert_array_equal(
        alone(TARGETS, CHEXPERT, blank="zero")[:, column],
        all_of_them(TARGETS, CHEXPERT, blank="zero")[:, column],
    )


def test_best_per_finding_follows_irvins_table() -> None:
    # Validation AUROC of U-Ignore, U-Zeros and U-Ones (Irvin et al. 2019, table 3).
    table = {
        "Atelectasis": {"ignore": 0.818, "zeros": 0.811, "ones": 0.858},
        "Cardiomegaly": {"ignore": 0.828, "zeros": 0.840, "ones": 0.832},
        "Consolidation": {"ignore": 0.938, "zeros": 0.932, "ones": 0.899},
        "Edema": {"ignore": 0.934, "zeros": 0.929, "ones": 0.941},
        "Pleural Effusion": {"ignore": 0.928, "zeros": 0.931, "ones": 0.934},
    }
    best = [max(table[finding], key=table[finding].__getitem__) for finding in COMPETITION]
    assert POLICIES["best-per-finding"].rules(COMPETITION) == best
    assert POLICIES["best-per-finding"].rules(["Fracture"]) == ["ignore"]


def test_findings_are_known_in_any_spelling() -> None:
    policy = mixture({"effusion": "ones", "Airspace Opacity": "zeros"}, otherwise="ignore")
    assert policy.rules(["Effusion", "Lung Opacity", "Edema"]) == ["ones", "zeros", "ignore"]


def test_the_meaning_of_blanks_must_be_stated() -> None:
    with pytest.raises(TypeError):
        POLICIES["ones"](TARGETS, CHEXPERT)  # type: ignore[call-arg]
    with pytest.raises(InputError, match="'zero', 'mask'"):
        POLICIES["ones"](TARGETS, CHEXPERT, blank="drop")  # type: ignore[arg-type]


def test_invalid_targets_are_refused() -> None:
    with pytest.raises(InputError, match="other values"):
        POLICIES["ones"](np.full((2, 14), 0.5), CHEXPERT, blank="zero")
    with pytest.raises(InputError, match=r"\(N, 14\)"):
        POLICIES["ones"](np.zeros((2, 13)), CHEXPERT, blank="zero")
    with pytest.raises(InputError, match="choose from: ignore, zeros, ones"):
        mixture({"Edema": "maybe"})


def test_each_policy_has_its_name_as_key() -> None:
    assert all(policy.name == name for name, policy in POLICIES.items())
    smoothed = {"smoothed-ones", "smoothed-zeros"}
    assert set(RULES) == {"ignore", "zeros", "ones", "guess", "keep"} | smoothed


def test_guesses_are_required_where_a_rule_needs_them() -> None:
    with pytest.raises(InputError, match="trained with 'ignore'; got none"):
        POLICIES["self-trained"](TARGETS, CHEXPERT, blank="zero")
    with pytest.raises(InputError, match=r"got \(2, 14\)"):
        POLICIES["self-trained"](TARGETS, CHEXPERT, blank="zero", guesses=GUESSES[:2])


def test_a_policy_states_what_it_needs() -> None:
    needy = {name: policy.needs for name, policy in POLICIES.items() if policy.needs}
    assert needy == {"self-trained": "guesses", "multiclass": "three-class"}
    assert mixture({"Edema": "guess"}).needs == "guesses"
