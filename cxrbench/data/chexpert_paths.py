"""Locates the images of a CheXpert table, whatever folder its paths start from."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import pandas as pd

from cxrbench.errors import InputError

__all__ = ["images_of_studies", "resolve"]

# Rows whose file is looked for to find out where the images lie: one may well be missing, sixteen will not.
_PROBES = 16
_IMAGES = (".jpg", ".jpeg", ".png", ".dcm", ".dicom", ".tif", ".tiff")


def resolve(
    paths: pd.Series,
    source: Path | str | IO[bytes],
    root: Path | str | None,
    *,
    exists: Callable[[Path], bool] = Path.is_file,
) -> pd.Series:
    """The paths under the folder where the images truly lie: decided once, then the same for every row.

    Args:
        paths: as the table writes them, with ``/``.
        source: of the table; its folder is looked in, and the one above.
        root: the folder to look in instead.
        exists: what tells that a path is right; files by default.
    """
    if root is None and not isinstance(source, (str, Path)):
        return paths
    own = Path(source).absolute().parent if isinstance(source, (str, Path)) else Path()
    bases = [Path(root).absolute()] if root is not None else [own, own.parent]
    probes = paths.iloc[np.unique(np.linspace(0, len(paths) - 1, _PROBES).astype(int))]
    base, dropped = _find_prefix([PurePosixPath(path).parts for path in probes], bases, exists)
    if PurePosixPath(paths.iloc[0]).is_absolute():
        if not dropped:
            return paths
        paths, dropped = paths.str.lstrip("/"), dropped - 1
    kept = paths.str.split("/", n=dropped).str[-1] if dropped else paths
    return (base.as_posix().rstrip("/") + "/" + kept).astype("str")


def images_of_studies(
    raw: pd.DataFrame, column: str, source: Path | str | IO[bytes], root: Path | str | None, name: str
) -> pd.DataFrame:
    """A table of one row per study → one row per image in the studies' folders, each with its study's labels.

    Args:
        raw: the table, every column as text.
        column: that holds folders such as ``test/patient64741/study1``; becomes the images' paths.
        source: of the table.
        root: the folder to look in; by default the table's own, then the one above.
        name: of the table, for messages.

    Raises:
        InputError: no folder of a study is found, or none holds an image.
    """
    folders = raw[column].str.replace("\\", "/").str.strip().str.rstrip("/")
    found = [_images_in(Path(folder)) for folder in resolve(folders, source, root, exists=Path.is_dir)]
    if not any(found):
        raise InputError(
            f"{name}: the column {column!r} lists studies, not images, and no image was found in "
            f"{folders.iloc[0]!r}; give the folder of the images (--root), or a table with a column 'Path'."
        )
    # A study without images stays, under its folder, so that it is named among what cannot be read.
    rows = np.repeat(np.arange(len(raw)), [max(1, len(images)) for images in found])
    images = [image for listed in found for image in listed or [""]]
    paths = [f"{folders.iloc[row]}/{image}" for row, image in zip(rows, images, strict=True)]
    return raw.iloc[rows].reset_index(drop=True).assign(**{column: paths})


def _images_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(file.name for file in folder.iterdir() if file.suffix.lower() in _IMAGES)


def _find_prefix(
    probes: list[tuple[str, ...]], bases: list[Path], exists: Callable[[Path], bool]
) -> tuple[Path, int]:
    """The folder, and how many leading parts to drop, under which the first probe is found."""
    for base in bases:
        # A folder above the data set's own: its parts' first is the name of a folder the user has renamed.
        folders = [base, *sorted(child for child in _children(base) if child.name.startswith("CheXpert"))]
        for parts in probes:
            for folder in folders:
                for dropped in range(len(parts) - 1):
                    if exists(folder.joinpath(*parts[dropped:])):
                        return folder, dropped
    return bases[0], 0


def _children(folder: Path) -> list[Path]:
    return [child for child in folder.iterdir() if child.is_dir()] if folder.is_dir() else []
