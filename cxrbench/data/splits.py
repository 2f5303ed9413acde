"""Splits by patient that keep the frequency of every label similar in all parts."""

from collections.abc import Sequence

import numpy as np

from cxrbench.data.studies import Studies
from cxrbench.errors import InputError

__all__ = ["split"]


def split(studies: Studies, fractions: Sequence[float], *, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Split by patient, stratified by the patients' labels (iterative stratification).

    A patient's label set holds each label that is positive in any of the patient's images, and separately
    each that is uncertain in any, because policies treat those differently. The label with the fewest
    unassigned patients comes first; each of its patients goes to the part that still lacks most of that
    label, on a tie to the part that lacks most patients, then to a random one. Fractions are of patients, not
    of images.

    The result depends on patients, labels and seed only, not on the order of the rows.

    Args:
        studies: to be split.
        fractions: sizes of the parts, each above 0, sum 1; for example (0.8, 0.1, 0.1).
        seed: of the random ties.

    Returns:
        One array of row positions per part, ascending; together every row once.

    Raises:
        InputError: invalid fractions, a row without a patient, or fewer patients than parts.

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
        raise InputError(f"A split into {len(shares)} parts needs as many patients; got {len(patients)}.")
    part_of = _stratify(_label_sets(studies.targets, of_row, len(patients)), shares, seed)
    return tuple(np.flatnonzero(part_of[of_row] == part) for part in range(len(shares)))


def _label_sets(targets: np.ndarray, of_row: np.ndarray, patients: int) -> np.ndarray:
    """Label sets (patients, 2L) bool of targets (N, L): positive in any image, uncertain in any image."""
    sets = np.zeros((patients, 2 * targets.shape[1]), bool)
    rows, labels = np.nonzero(targets == 1)
    sets[of_row[rows], labels] = True
    rows, labels = np.nonzero(targets == -1)
    sets[of_row[rows], labels + targets.shape[1]] = True
    return sets


def _stratify(sets: np.ndarray, shares: np.ndarray, seed: int) -> np.ndarray:
    """Part (P,) of each patient with the label sets (P, M)."""
    random = np.random.default_rng(seed)
    order, draws = random.permutation(len(sets)), random.random(len(sets))
    part_of = np.full(len(sets), -1)
    # Lists inside the loop: a patient takes a few additions, too few for arrays to be faster.
    missing_patients = (shares * len(sets)).tolist()
    missing = np.outer(sets.sum(0), shares).tolist()  # label → how many each part still lacks
    labels_of = np.split(np.nonzero(sets)[1], np.cumsum(sets.sum(1))[:-1])
    unassigned = sets.sum(0)
    while unassigned.any():
        label = int(np.where(unassigned > 0, unassigned, len(sets) + 1).argmin())
        for patient in order[sets[order, label] & (part_of[order] < 0)].tolist():
            part = _choose_part(missing[label], missing_patients, draws[patient])
            part_of[patient] = part
            missing_patients[part] -= 1
            for patient_label in labels_of[patient].tolist():
                missing[patient_label][part] -= 1
        unassigned = sets[part_of < 0].sum(0)
    for patient in order[part_of[order] < 0].tolist():
        part_of[patient] = part = _choose_part(missing_patients, missing_patients, draws[patient])
        missing_patients[part] -= 1
    return part_of


def _choose_part(missing: list[float], missing_patients: list[float], draw: float) -> int:
    """The part that lacks most; on a tie the one that lacks most patients; then by ``draw`` in [0, 1)."""
    most = max(missing)
    parts = [part for part, lack in enumerate(missing) if lack == most]
    if len(parts) > 1:
        most_patients = max(missing_patients[part] for part in parts)
        parts = [part for part in parts if missing_patients[part] == most_patients]
    return parts[int(draw * len(parts))]
