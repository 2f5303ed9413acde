"""Checkpoints, written atomically, with the previous one as a fallback."""

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
    """Write a state; the existing file becomes the previous one.

    The file is synced to disk before it is renamed, so that a complete file exists at any moment. If the disk
    is full, this checkpoint is skipped and training continues.

    Returns:
        Whether the state was written.
    """
    try:
        with draft(path, sync=True) as own:
            with own.open("wb") as file:  # with a path, torch would store the file name in the archive
                torch.save(state, file)
            if path.exists():
                path.replace(_previous(path))
    except (OSError, RuntimeError, InputError) as error:
        say(f"The checkpoint could not be written ({error}); training continues, the previous one is kept.")
        return False
    return True


def load(path: Path, *, say: Callable[[str], None] = print) -> dict[str, Any] | None:
    """Load the newest readable state, with tensors and plain values only; None if there is none."""
    for candidate in (path, _previous(path)):
        if not candidate.exists():
            continue
        try:
            state: dict[str, Any] = torch.load(candidate, map_location="cpu", weights_only=True)
        except _BROKEN as error:
            say(f"Checkpoint {candidate.name} is broken ({type(error).__name__}); trying the previous one.")
        else:
            return state
    return None


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.stem}.previous{path.suffix}")
