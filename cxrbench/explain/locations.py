"""Where a finding lies on other films: a map that never sees the film that it is shown on."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from cxrbench.data import published_nih_boxes
from cxrbench.data.phantom import phantom_priors
from cxrbench.labels import canonical, finding_key

__all__ = ["NIH_SIZE", "box_cover", "nih_prior", "phantom_priors"]

NIH_SIZE: Final = 1024  # pixels per side of the published images, in which NIH's boxes are given

# CheXpert's finding → NIH's boxes that are one; other names are the same in both.
_NIH_KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"Lung Lesion": ("Mass", "Nodule"), "Lung Opacity": ("Infiltration",)}
)


def box_cover(boxes: np.ndarray, cells: int = 128) -> np.ndarray:
    """Mean cover of boxes on a grid: the share of boxes that reach into each cell.

    Args:
        boxes: (N, 4), left, top, right, bottom as fractions of the film's sides.
        cells: cells per side.

    Returns:
        (cells, cells) in [0, 1]; 0 everywhere if there are no boxes.
    """
    starts = np.arange(cells) / cells
    left, top, right, bottom = np.asarray(boxes, float).reshape(-1, 4).T[..., None]
    rows, columns = (
        ((low < starts + 1 / cells) & (high > starts)).astype(float)
        for low, high in ((top, bottom), (left, right))
    )
    cover: np.ndarray = rows.T @ columns / max(len(rows), 1)
    return cover


def nih_prior(finding: str, *, without_patient: str = "", cells: int = 128) -> np.ndarray:
    """Where a finding lies on NIH's films with boxes, leaving out one patient's own.

    Args:
        finding: a name of NIH or CheXpert; those without boxes have no prior.
        without_patient: NIH's identifier of the patient whose boxes are left out, such as ``00013118``.
        cells: cells per side.

    Returns:
        (cells, cells) in [0, 1], 0 everywhere where nothing is known.

    Raises:
        InputError: torchxrayvision, which contains the table, is not installed.
    """
    table = _nih_boxes()
    kinds = _NIH_KINDS.get(canonical(finding), (finding,))
    wanted = {finding_key(canonical(kind)) for kind in kinds}
    chosen = table["key"].isin(wanted) & (table["patient"] != without_patient)
    return box_cover(table.loc[chosen, ["left", "top", "right", "bottom"]].to_numpy(), cells)


@lru_cache(maxsize=1)
def _nih_boxes() -> pd.DataFrame:
    boxes = published_nih_boxes()
    left, top = boxes["x"] / NIH_SIZE, boxes["y"] / NIH_SIZE
    return pd.DataFrame(
        {
            "key": [finding_key(canonical(name)) for name in boxes["finding"]],
            "patient": boxes["image"].str.split("_").str[0],
            "left": left,
            "top": top,
            "right": left + boxes["width"] / NIH_SIZE,
            "bottom": top + boxes["height"] / NIH_SIZE,
        }
    )
