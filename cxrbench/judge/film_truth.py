"""``RealFilm``: a film, and where its findings are in its own pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cxrbench.data.truth import Region
from cxrbench.errors import InputError
from cxrbench.judge.boxes import box_mask, boxes_of_map
from cxrbench.judge.maps import reduced_mask

__all__ = ["READERS", "RealFilm", "Truth", "truth_on_film"]

READERS: Final = 2  # who must agree, where several readers drew boxes

_UNEQUAL: Final = 0.02  # relative difference of aspect ratios from which two images are not the same


@dataclass(frozen=True, eq=False)
class Truth:
    """Where a finding is on a film, in the film's own pixels.

    Args:
        mask: (H, W) bool; None where there are boxes only.
        boxes: (T, 4) left, top, right, bottom, right and bottom exclusive.
    """

    mask: np.ndarray | None
    boxes: np.ndarray


@dataclass(frozen=True, eq=False)
class RealFilm:
    """A film, and where its findings are.

    Args:
        image: (H, W) in [0, 1].
        patient: identifier, as in the published tables.
        truth: finding, in any spelling → where it is.
    """

    image: np.ndarray
    patient: str
    truth: Mapping[str, Truth]


def truth_on_film(region: Region, shape: tuple[int, int]) -> Truth | None:
    """A published region in the pixels of a film, which may have another resolution.

    Where several readers drew boxes, the mask is what at least two of them marked, and all their boxes count.
    Where there is a mask only, its connected regions have a box each.

    Args:
        region: as published.
        shape: (H, W) of the film.

    Returns:
        None where fewer than two of several readers drew a box.

    Raises:
        InputError: the film has another aspect ratio than the annotated image, or a box lies beyond it.
    """
    size = region.size or shape
    scale = np.array([shape[0] / size[0], shape[1] / size[1]])
    if abs(scale[0] / scale[1] - 1) > _UNEQUAL:
        raise InputError(
            f"{region.film}: the film has {shape[0]} × {shape[1]} pixels (height × width), its annotation is "
            f"of {size[0]} × {size[1]}; give the films that were annotated, at any resolution."
        )
    if region.boxes is None:
        mask = np.zeros(shape, bool) if region.runs is None else reduced_mask(region.runs.mask(), shape)
        return Truth(mask, boxes_of_map(mask.astype(np.float32), (127,)))
    boxes = region.boxes * np.tile(scale[::-1], 2)
    if (boxes[:, 2:] > np.array(shape[::-1]) * (1 + _UNEQUAL)).any():
        raise InputError(
            f"{region.film}: a box reaches to {boxes[:, 2:].max():.0f} pixels, beyond the film of {shape[0]} "
            f"× {shape[1]}; give the films at the resolution at which they were annotated."
        )
    names = dict.fromkeys(region.readers)
    if not names:
        return Truth(None, boxes)
    if len(names) < READERS:
        return None
    own = [boxes[[reader == name for reader in region.readers]] for name in names]
    marked = np.sum([box_mask(each, shape) for each in own], axis=0)
    return Truth(marked >= READERS, boxes)
