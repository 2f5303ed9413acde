"""Multi-label resampling, as indices or as sampling weights."""

import numpy as np

from cxrbench.errors import InputError
from cxrbench.targets.imbalance import irlbl, mean_ir, positives

__all__ = ["ml_ros", "ml_rus", "sampling_weights"]


def ml_ros(targets: np.ndarray, share: float = 0.25, *, seed: int = 0) -> np.ndarray:
    """ML-ROS: oversample images with rare findings until there are ``share`` more images.

    Findings with IRLbl above MeanIR are rare. In turn, one image of each is copied, drawn with replacement; a
    finding drops out once its updated IRLbl is no longer above the initial MeanIR. Frequent findings are
    copied along with rare ones (see ``scumble``). Stops early when no rare finding remains.

    Args:
        targets: (N, L) of 1, 0, −1, NaN; only positives count.
        share: copies as a share of N; the paper uses 0.1, 0.2 and 0.25.
        seed: random seed.

    Returns:
        Indices (N + copies,): all images in order, then the copies.

    Reference:
        Charte et al. 2015, doi:10.1016/j.neucom.2014.08.091, algorithm ML-ROS.
    """
    _check(share, above=np.inf)
    present = positives(targets)
    limit, random = mean_ir(targets), np.random.default_rng(seed)
    tally, rare = present.sum(0), _rare(targets)
    bags = {label: np.flatnonzero(present[:, label]) for label in rare}
    copies, remaining = [np.arange(len(present))], round(len(present) * share)
    while rare and remaining:
        # All turns at once, as if no finding dropped out; draws after the first dropout are discarded.
        turns = -(-remaining // len(rare))
        drawn = np.column_stack([random.choice(bags[label], turns) for label in rare]).ravel()[:remaining]
        after = tally + np.cumsum(present[drawn], axis=0)  # (remaining, L): n₊ after each copy
        turn = np.arange(remaining) % len(rare)
        own = after[np.arange(remaining), np.array(rare)[turn]]
        dropouts = np.flatnonzero(after.max(1) / own <= limit)
        last = int(dropouts[0]) if len(dropouts) else remaining - 1
        copies.append(drawn[: last + 1])
        tally, remaining = after[last], remaining - last - 1
        if len(dropouts):
            rare = rare[turn[last] + 1 :] + rare[: turn[last]]
    return np.concatenate(copies)


def ml_rus(targets: np.ndarray, share: float = 0.25, *, seed: int = 0) -> np.ndarray:
    """ML-RUS: remove ``share`` of the images, drawn from those without a rare finding.

    Args:
        targets: (N, L) of 1, 0, −1, NaN; only positives count. IRLbl above MeanIR is rare.
        share: of N, in [0, 1); limited to the images without a rare finding.
        seed: random seed.

    Returns:
        Indices of the remaining images, in order.

    Reference:
        Charte et al. 2015, doi:10.1016/j.neucom.2014.08.091, algorithm ML-RUS.
    """
    _check(share, above=1)
    present = positives(targets)
    candidates = np.flatnonzero(~present[:, _rare(targets)].any(1))
    count = min(round(len(present) * share), len(candidates))
    removed = np.random.default_rng(seed).choice(candidates, count, replace=False)
    return np.delete(np.arange(len(present)), removed)


def sampling_weights(targets: np.ndarray, *, power: float = 0.0) -> np.ndarray:
    """Sampling weights of images that balance the findings.

    Draw a finding with probability ∝ n₊^power, then one of its positives:
    ``w(i) = Σ_l∈i n₊(l)^(power − 1) / Σ_l n₊(l)^power``. Images without findings count as one more finding.
    An image is drawn with all its findings, so their frequencies become more even, not equal.

    Args:
        targets: (N, L) of 1, 0, −1, NaN; only positives count.
        power: 0 draws findings evenly, 0.5 by the square root of their frequency, 1 by their frequency.

    Returns:
        (N,) float64, above 0, summing to 1.

    Reference:
        Kang et al. 2020, arXiv:1910.09217, eq. 1, for one label per image; here for several.
    """
    present = positives(targets)
    shown = np.column_stack((present, ~present.any(1)))
    count = shown.sum(0).astype(np.float64)
    known = count > 0
    frequency = count[known] ** power
    weights: np.ndarray = shown[:, known] @ (frequency / frequency.sum() / count[known])
    return weights


def _rare(targets: np.ndarray) -> list[int]:
    ratios = irlbl(targets)
    return [int(label) for label in np.flatnonzero(ratios > mean_ir(targets))]


def _check(share: float, *, above: float) -> None:
    if not 0 <= share < above:
        limit = "0 or more" if above == np.inf else f"in [0, {above:g})"
        raise InputError(f"share must be {limit}, as a fraction of all images; got {share}.")
