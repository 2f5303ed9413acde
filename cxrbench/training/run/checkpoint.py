"""Checkpoints that are written whole, with the one before kept as a fallback."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from cxrbench.errors import InputError
from cxrbench.writing import draft

__all__ = ["load", "save"]

_BROKEN = (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError, zipfile.BadZipFile)


def save(state: dict[str, Any], path: Path, *, say: Callable[[str], None] = print) -> bool:
    """Write a state; the one there becomes the previous one.

    The bytes are on the disk before the name is given, so a kill at any moment leaves a whole file under
    the name or under the previous one. A full disk costs this checkpoint, not the run.

    Returns:
        Whether the state was written.
    """
    try:
        with draft(path, sync=True) as own:
            with own.open("wb") as file:  # given a path, torch would write its name into the file
                torch.save(state, file)
            if path.exists():
                path.replace(_previous(path))
    except (OSError, RuntimeError, InputError) as error:
        say(f"The checkpoint could not be written ({error}); training goes on, the one before is kept.")
        return False
    return True


def load(path: Path, *, say: Callable[[str], None] = print) -> dict[str, Any] | None:
    """The newest state that can be read, or None where there is none. Tensors and plain values only."""
    for candidate in (path, _previous(path)):
        if not candidate.exists():
            continue
        try:
            state: dict[str, Any] = torch.load(candidate, map_location="cpu", weights_only=True)
        except _BROKEN as error:
            say(f"Checkpoint {candidate.name} is broken ({type(error).__name__}); trying the one before.")
        else:
            return state
    return None


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.stem}.previous{path.suffix}")
