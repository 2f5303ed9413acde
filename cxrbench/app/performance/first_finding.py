"""The finding that the Performance page opens with: the one of median AUROC."""

from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.performance.curve_data import digest
from cxrbench.evaluation import System
from cxrbench.metrics import auroc

__all__ = ["teaching_finding"]

_FEWEST: Final = 10  # images with and without a finding, for it to be the one that the page opens with


def teaching_finding(system: System) -> str:
    """The finding whose AUROC is the (lower) median: its curves have something to show.

    “No Finding” and findings with fewer than ten images on either side are passed over while others remain.
    """
    labels = system.shown.labels
    areas = dict(zip(labels, _areas(digest(system), system), strict=True))
    truth = dict(zip(labels, system.shown.targets.T, strict=True))
    known = [label for label in labels if not np.isnan(areas[label]) and label != "No Finding"]
    enough = [
        label for label in known if min((truth[label] == 1).sum(), (truth[label] == 0).sum()) >= _FEWEST
    ]
    ranked = sorted(enough or known, key=lambda label: areas[label])
    return ranked[(len(ranked) - 1) // 2] if ranked else labels[0]


@st.cache_data(max_entries=64, show_spinner=False)
def _areas(key: str, _system: System) -> np.ndarray:
    return auroc(_system.shown.targets, _system.shown.scores)
