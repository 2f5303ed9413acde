"""`LabelTable`: the labels of a data set, and groupings of its images by sex, age and view."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from cxrbench.data.clinical import age_bands
from cxrbench.data.studies import Studies

__all__ = ["LabelTable", "group_masks", "label_table"]

_FEWEST: Final = 50  # images of a group that is shown
_MOST_GROUPS: Final = 8


@dataclass(frozen=True, eq=False)
class LabelTable:
    """The labels of a data set, with groupings of its images.

    Args:
        key: identifies the content in caches.
        title: of the data set, for menus.
        words: its origin, and how to interpret it.
        labels: L names.
        targets: (N, L) float32: 1, 0, −1, NaN.
        groups: name of a grouping, such as "Sex" → the group of each image (N,), "" where unknown.
        patients: number of patients; 0 where the table names none.
    """

    key: str
    title: str
    words: str
    labels: tuple[str, ...]
    targets: np.ndarray
    groups: Mapping[str, np.ndarray]
    patients: int

    @property
    def findings(self) -> list[int]:
        """Indices of the labels that are findings: all but "No Finding"."""
        return [index for index, label in enumerate(self.labels) if label != "No Finding"]


def label_table(key: str, title: str, words: str, studies: Studies) -> LabelTable:
    """Build the label table of studies, grouped by sex, age and view where these are known.

    Args:
        key: see `LabelTable`.
        title: see `LabelTable`.
        words: see `LabelTable`.
        studies: N images; where each has a patient of its own, the table is taken to name no patients.
    """
    table = studies.table
    groups = {
        "Sex": table["sex"].to_numpy(dtype=str),
        "Age": age_bands(table["age"].to_numpy(np.float64)),
        "View": _views(table),
    }
    patients = int(table["patient"].nunique())
    return LabelTable(
        key,
        title,
        words,
        studies.labels,
        studies.targets,
        {name: values for name, values in groups.items() if len(np.unique(values)) > 1},
        patients if patients < len(table) else 0,
    )


def group_masks(table: LabelTable, grouping: str) -> dict[str, np.ndarray]:
    """Mask (N,) bool of the images of each group; at most eight groups, then the unknown.

    Groups of fewer than fifty images are left out: their shares are too uncertain to compare.

    Args:
        table: the labels.
        grouping: a key of ``table.groups``.
    """
    values = table.groups[grouping]
    names, counts = np.unique(values, return_counts=True)
    order = names if grouping == "Age" else names[np.argsort(-counts, kind="stable")]
    masks = {str(name): values == name for name in [*order[order != ""][:_MOST_GROUPS], *order[order == ""]]}
    return {name or "not known": mask for name, mask in masks.items() if mask.sum() >= _FEWEST}


def _views(table: pd.DataFrame) -> np.ndarray:
    """AP, PA or lateral (N,); "frontal" where the projection is unknown."""
    view, projection = table["view"].to_numpy(dtype=str), table["projection"].to_numpy(dtype=str)
    return np.where(view == "lateral", "lateral", np.where(projection != "", projection, view))
