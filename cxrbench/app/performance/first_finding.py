"""The finding that the Performance page shows first: the one with the median AUROC."""

from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.performance.curve_data import digest
from cxrbench.evaluation import System
from cxrbench.metrics import auroc

__all__ = ["median_auroc_finding"]

_MIN_IMAGES: Final = 10  # with and without the finding


def median_auroc_finding(system: System) -> str:
    """Return the finding with the (lower) median AUROC: neither the easiest nor the hardest.

    “No Finding”, and findings with fewer than ten positives or negatives, are skipped if others remain.
    """
    labels = system.shown.labels
    aurocs = dict(zip(labels, _aurocs(digest(system), system), strict=True))
    truth = dict(zip(labels, system.shown.targets.T, strict=True))
    defined = [label for label in labels if not np.isnan(aurocs[label]) and label != "No Finding"]
    enough = [
        label for label in defined if min((truth[label] == 1).sum(), (truth[label] == 0).sum()) >= _MIN_IMAGES
    ]
    ranked = sorted(enough or defined, key=lambda label: aurocs[label])
    return ranked[(len(ranked) - 1) // 2] if ranked else labels[0]


@st.cache_data(max_entries=64, show_spinner=False)
def _aurocs(key: str, _system: System) -> np.ndarray:
    return auroc(_system.shown.targets, _system.shown.scores)
