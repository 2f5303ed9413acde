"""Where findings lie on the films of other phantoms."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from cxrbench import assets
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT

__all__ = ["phantom_priors"]


def phantom_priors() -> Mapping[str, np.ndarray]:
    """Where findings lie on frontal phantoms of other patients: finding → (64, 64), the share of masks.

    The patients are of a data set of their own, so no film of the shipped test set or gallery is among them.

    Raises:
        InputError: the file is missing.
    """
    return _phantom_priors(assets.locations() / "phantom.npz")


@lru_cache(maxsize=2)
def _phantom_priors(path: Path) -> Mapping[str, np.ndarray]:
    if not path.is_file():
        raise InputError(f"{path} is missing; write it with python -m train.references.")
    with np.load(path) as stored:
        return MappingProxyType(
            {name: stored[name].astype(np.float32) / 255 for name in CHEXPERT if name in stored}
        )
