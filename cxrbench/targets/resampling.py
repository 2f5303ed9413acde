"""Multi-label resampling, as indices or as sampling weights."""

import numpy as np

from cxrbench.errors import InputError
from cxrbench.targets.imbalance import irlbl, mean_ir, positives

__all__ = ["ml_ros", "ml_rus", "sampling_weights"]


def ml_ros(targets: np.ndarray, share: float = 0.25, *, seed: int = 0) -> np.ndarray:
    """ML-ROS: copy images with rare findings until there are ``share`` more images.

    Findings with IRLbl above MeanIR are rare. They take turns: each has one of its images copied, drawn with
    replacement, and leaves when its IRLbl, counted anew, is no longer above MeanIR as it was at the start.
    The copies carry their frequent findings with them (see ``scumble``). Ends early when no rare one is left.

    Args:
        targets: (N, L) of 1, 0, −1, NaN; only positives count.
        share: copies as a share of N; the paper uses 0.1, 0.2 and 0.25.
        seed: of the draws.

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
    copies, left = [np.arange(len(present))], round(len(present) * share)
    while rare and left:
        # Turns as long as nobody leaves, all at once; then what was drawn after the first leaving is undone.
        turns = -(-left // len(rare))
        drawn = np.column_stack([random.choice(bags[label], turns) for label in rare]).ravel()[:left]
        after = tally + np.cumsum(present[drawn], axis=0)  # (left, L): n₊ after each copy
        place = np.arange(left) % len(rare)
        own = after[np.arange(left), np.array(rare)[place]]
        leaves = np.flatnonzero(after.max(1) / own <= limit)
        last = int(leaves[0]) if len(leaves) else left - 1
        copies.append(drawn[: last + 1])
        tally, left = after[last], left - last - 1
        if len(leaves):
            rare = rare[place[last] + 1 :] + rare[: place[last]]
    return np.concatenate(copies)


def ml_rus(targets: np.ndarray, share: float = 0.25, *, seed: int = 0) -> np.ndarray:
    """ML-RUS: leave out ``share`` of the images, drawn from those that show no rare finding.

    Args:
        targets: (N, L) of 1, 0, −1, NaN; only positives count. IRLbl above MeanIR is rare.
        share: of N, in [0, 1); at most all images without a rare finding go.
        seed: of the draw.

    Returns:
        Indices of the images that stay, in order.

    Reference:
        Charte et al. 2015, doi:10.1016/j.neucom.2014.08.091, algorithm ML-RUS.
    """
    _check(share, above=1)
    present = positives(targets)
    open_to = np.flatnonzero(~present[:, _rare(targets)].any(1))
    many = min(round(len(present) * share), len(open_to))
    gone = np.random.default_rng(seed).choice(open_to, many, replace=False)
    return np.delete(np.arange(len(present)), gone)


def sampling_weights(targets: np.ndarray, *, power: float = 0.0) -> np.ndarray:
    """How likely each image should be drawn, so that the findings are drawn more evenly.

    Draw a finding with probability ∝ n₊^power, then one of its positives:
    ``w(i) = Σ_l∈i n₊(l)^(power − 1) / Σ_l n₊(l)^power``. Images that show nothing are a finding of their own.
    A multi-label image comes with all its findings, so they end up more even, not equal.

    Args:
        targets: (N, L) of 1, 0, −1, NaN; only positives count.
        power: 0 draws findings evenly, 0.5 by the square root of their frequency, 1 as often as they are.

    Returns:
        (N,) float64, above 0, summing to 1.

    Reference:
        Kang et al. 2020, arXiv:1910.09217, eq. 1, for one label per image; here for several.
    """
    present = positives(targets)
    shown = np.column_stack((present, ~present.any(1)))
    many = shown.sum(0).astype(np.float64)
    known = many > 0
    wanted = many[known] ** power
    return shown[:, known] @ (wanted / wanted.sum() / many[known])


def _rare(targets: np.ndarray) -> list[int]:
    ratios = irlbl(targets)
    return [int(label) for label in np.flatnonzero(ratios > mean_ir(targets))]


def _check(share: float, *, above: float) -> None:
    if not 0 <= share < above:
        limit = "0 or more" if above == np.inf else f"in [0, {above:g})"
        raise InputError(f"Share must be {limit}, a part of all images; got {share}.")
