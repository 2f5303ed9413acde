"""``Region``: where a finding is on a film, by a mask or by boxes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cxrbench.data.truth.runs import Runs
from cxrbench.labels import canonical

__all__ = ["Region", "boxed_regions"]


@dataclass(frozen=True, eq=False)
class Region:
    """Where one finding is on one film.

    Args:
        film: name of the film in its data set, without a suffix.
        patient: identifier; that of the film where the data set names no patients.
        finding: canonical name.
        size: (H, W) of the image that mask and boxes refer to; None for the film's own size.
        runs: the mask; None where there are boxes only.
        boxes: (T, 4) left, top, right, bottom in pixels of ``size``, right and bottom exclusive; None where
            there is a mask only.
        readers: who drew each box, (T,); empty where that is not known.
    """

    film: str
    patient: str
    finding: str
    size: tuple[int, int] | None
    runs: Runs | None = None
    boxes: np.ndarray | None = None
    readers: tuple[str, ...] = ()


def boxed_regions(
    rows: Sequence[tuple[str, str, str, tuple[float, float, float, float]]],
    size: tuple[int, int] | None,
    readers: Sequence[str] = (),
) -> list[Region]:
    """Gather boxes by film and finding, in the order of their first occurrence.

    Args:
        rows: film, patient, finding in any spelling, and left, top, right, bottom; one row per box.
        size: (H, W) that the boxes refer to.
        readers: who drew each box; empty where that is not known.
    """
    groups: dict[tuple[str, str, str], list[int]] = {}
    for index, (film, patient, finding, _) in enumerate(rows):
        groups.setdefault((film, patient, canonical(finding)), []).append(index)
    return [
        Region(
            *key,
            size,
            boxes=np.array([rows[index][3] for index in indices], np.float64),
            readers=tuple(readers[index] for index in indices) if readers else (),
        )
        for key, indices in groups.items()
    ]
