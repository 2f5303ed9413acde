"""Twins as the gallery stores them, beside the true effect of each finding on the scores.

A twin differs from its film in the finding and, faintly, around it. So the difference is stored, modulo 256:
a ninth of the size of the picture.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from cxrbench.compare.archive import read_arrays, write_arrays
from cxrbench.errors import InputError
from cxrbench.writing import write_bytes, write_text

__all__ = ["read_effects", "read_twins", "rounded", "write_effects", "write_twins"]

_TWINS: Final = "twins.npz"
_EFFECTS: Final = "effects.json"


def rounded(image: np.ndarray) -> np.ndarray:
    """An image (H, W) in [0, 1] in steps of 1/255, as it is stored."""
    steps: np.ndarray = _samples(np.clip(image, 0, 1)).astype(np.float32) / np.float32(255)
    return steps


def write_twins(folder: Path, image: np.ndarray, twins: Mapping[str, np.ndarray]) -> None:
    """Write the films of a case without each of its parts.

    Args:
        folder: of the case.
        image: the film of the case, (H, W) in steps of 1/255.
        twins: part → the film without it; it is rounded to steps of 1/255.
    """
    changes = {name: (_samples(twin) - _samples(image)).view(np.int8) for name, twin in twins.items()}
    write_bytes(folder / _TWINS, write_arrays(changes))


def read_twins(folder: Path, image: np.ndarray) -> dict[str, np.ndarray]:
    """Part → the film of a case without it, (H, W) float32; empty where none is stored.

    Raises:
        InputError: the file is damaged, or belongs to a film of another size.
    """
    path = folder / _TWINS
    if not path.is_file():
        return {}
    samples, twins = _samples(image), {}
    for name, change in read_arrays(path.read_bytes(), _TWINS).items():
        if change.shape != image.shape or change.dtype != np.int8:
            raise InputError(f"{path} does not belong to the film beside it; write both again.")
        twins[name] = (samples + change.view(np.uint8)).astype(np.float32) / np.float32(255)
    return twins


def write_effects(folder: Path, effects: Mapping[str, Mapping[str, float]]) -> None:
    """Write model → finding → its true effect: the logit of the film minus that of its twin without it."""
    exact = {
        model: {finding: round(effect, 4) for finding, effect in of_model.items() if math.isfinite(effect)}
        for model, of_model in effects.items()
    }
    write_text(folder / _EFFECTS, json.dumps(exact, indent=1) + "\n")


def read_effects(folder: Path) -> dict[str, dict[str, float]]:
    """Model → finding → its true effect, as in ``write_effects``; empty where none is stored."""
    path = folder / _EFFECTS
    if not path.is_file():
        return {}
    stored: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))
    return stored


def _samples(image: np.ndarray) -> np.ndarray:
    samples: np.ndarray = np.rint(image * 255).astype(np.uint8)
    return samples
