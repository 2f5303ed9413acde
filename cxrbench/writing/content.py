"""Content and names of files: SHA-256, PNG images, and unused names."""

import hashlib
import io
from collections.abc import Container
from pathlib import Path

import numpy as np
from PIL import Image

__all__ = ["file_sha256", "free_name", "png_bytes"]


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hex digits.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def png_bytes(pixels: np.ndarray, *, optimize: bool = False) -> bytes:
    """Encode pixels as a PNG file without metadata.

    Args:
        pixels: (H, W) uint8 or uint16, or (H, W, 3) or (H, W, 4) uint8; the fourth is alpha.
        optimize: search for the smallest file, which takes several times as long.
    """
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=optimize)
    return buffer.getvalue()


def free_name(name: str, taken: Container[str], *, form: str = "{name} ({number})") -> str:
    """Return ``name``, or if it is taken, the first unused numbered one, from 2 on.

    Example:
        >>> free_name("film", {"film", "film (2)"})
        'film (3)'
    """
    number, free = 1, name
    while free in taken:
        number += 1
        free = form.format(name=name, number=number)
    return free
