"""Splits by patient that keep the frequency of every label similar in all parts."""

from collections.abc import Sequence

import numpy as np

from cxrbench.data.studies import Studies
from cxrbench.errors import InputError

__all__ = ["split"]


def split(studies: Studies, fractions: Sequence[float], *, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Split by patient, stratified by what the patients have (iterative stratification).

    A patient's label set is everything any of their images is positive for, and everything any is uncertain
    about: uncertain labels are what policies differ in, so they are shared out too. The label with the fewest
    patients left is shared out first, each of its patients to the side that still lacks most of that label,
    then to the side that lacks most patients, then by lot. Fractions are of patients, not of images.

    The result depends on patients, labels and seed only, not on the order of the rows.

    Args:
        studies: to be split.
        fractions: the sides' shares, each above 0, together 1; for example (0.8, 0.1, 0.1).
        seed: of the lots.

    Returns:
        One array of row positions a side, ascending; together every row once.

    Raises:
        InputError: fractions that are no shares, a row without a patient, or fewer patients than sides.

    Reference:
        Sechidis et al. 2011, "On the stratification of multi-label data", doi:10.1007/978-3-642-23808-6_10.
    """
    shares = np.asarray(fractions, np.float64)
    if shares.ndim != 1 or not len(shares) or (shares <= 0).any() or abs(shares.sum() - 1) > 1e-6:
        raise InputError(f"Fractions must each be above 0 and together 1; got {tuple(fractions)}.")
    names = studies.table["patient"].to_numpy(dtype=str)
    if (names == "").any():
        raise InputError(f"Row {int(np.argmax(names == '')) + 1} names no patient; a safe split needs one.")
    patients, of_row = np.unique(names, return_inverse=True)
    if len(patients) < len(shares):
        raise InputError(f"A split into {len(shares)} sides needs as many patients; got {len(patients)}.")
    side_of = _stratify(_label_sets(studies.targets, of_row, len(patients)), shares, seed)
    return tuple(np.flatnonzero(side_of[of_row] == side) for side in range(len(shares)))


def _label_sets(targets: np.ndarray, of_row: np.ndarray, patients: int) -> np.ndarray:
    """Targets (N, L) → (patients, 2L) bool: positive somewhere, uncertain somewhere."""
    sets = np.zeros((patients, 2 * targets.shape[1]), bool)
    rows, labels = np.nonzero(targets == 1)
    sets[of_row[rows], labels] = True
    rows, labels = np.nonzero(targets == -1)
    sets[of_row[rows], labels + targets.shape[1]] = True
    return sets


def _stratify(sets: np.ndarray, shares: np.ndarray, seed: int) -> np.ndarray:
    """Which side (P,) each patient with the label sets (P, M) goes to."""
    random = np.random.default_rng(seed)
    order, lots = random.permutation(len(sets)), random.random(len(sets))
    side_of = np.full(len(sets), -1)
    # Plain lists inside the loop: a patient is a handful of additions, too few for an array to pay.
    room = (shares * len(sets)).tolist()
    wanted = np.outer(sets.sum(0), shares).tolist()  # label → what each side still lacks of it
    labels_of = np.split(np.nonzero(sets)[1], np.cumsum(sets.sum(1))[:-1])
    left = sets.sum(0)
    while left.any():
        label = int(np.where(left > 0, left, len(sets) + 1).argmin())
        for patient in order[sets[order, label] & (side_of[order] < 0)].tolist():
            side = _neediest(wanted[label], room, lots[patient])
            side_of[patient] = side
            room[side] -= 1
            for other in labels_of[patient].tolist():
                wanted[other][side] -= 1
        left = sets[side_of < 0].sum(0)
    for patient in order[side_of[order] < 0].tolist():
        side_of[patient] = side = _neediest(room, room, lots[patient])
        room[side] -= 1
    return side_of


def _neediest(wanted: list[float], room: list[float], lot: float) -> int:
    """The side that lacks most; of equals the one with most room; of those, one by lot (in [0, 1))."""
    most = max(wanted)
    sides = [side for side, lack in enumerate(wanted) if lack == most]
    if len(sides) > 1:
        widest = max(room[side] for side in sides)
        sides = [side for side in sides if room[side] == widest]
    return sides[int(lot * len(sides))]
