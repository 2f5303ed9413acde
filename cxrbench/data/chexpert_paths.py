"""Locates the images of a CheXpert table, whatever folder its paths start from."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
import pandas as pd

from cxrbench.errors import InputError

__all__ = ["images_of_studies", "resolve"]

# Number of rows whose files are searched to locate the images: one may be missing, but hardly all.
_PROBES = 16
_IMAGES = (".jpg", ".jpeg", ".png", ".dcm", ".dicom", ".tif", ".tiff")


def resolve(
    paths: pd.Series,
    source: Path | str | IO[bytes],
    root: Path | str | None,
    *,
    exists: Callable[[Path], bool] = Path.is_file,
) -> pd.Series:
    """Paths under the folder that holds the images; the folder is determined once, for all rows.

    Args:
        paths: as written in the table, with ``/``.
        source: of the table; its folder and the parent folder are searched.
        root: the folder to search instead.
        exists: tests a path; by default whether it is a file.
    """
    if root is None and not isinstance(source, (str, Path)):
        return paths
    folder = Path(source).absolute().parent if isinstance(source, (str, Path)) else Path()
    bases = [Path(root).absolute()] if root is not None else [folder, folder.parent]
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
    """Expand a table of one row per study to one row per image, each with the labels of its study.

    Args:
        raw: the table, every column as text.
        column: with folders such as ``test/patient64741/study1``; replaced by the images' paths.
        source: of the table.
        root: the folder to search; by default the table's own, then its parent.
        name: of the table, for messages.

    Raises:
        InputError: no study's folder is found, or none holds an image.
    """
    folders = raw[column].str.replace("\\", "/").str.strip().str.rstrip("/")
    listings = [_images_in(Path(folder)) for folder in resolve(folders, source, root, exists=Path.is_dir)]
    if not any(listings):
        raise InputError(
            f"{name}: the column {column!r} lists studies, not images, and no image was found in "
            f"{folders.iloc[0]!r}; give the folder of the images (--root), or a table with a column 'Path'."
        )
    # A study without images is kept, under its folder, so that it is reported as unreadable.
    rows = np.repeat(np.arange(len(raw)), [max(1, len(listing)) for listing in listings])
    images = [image for listing in listings for image in listing or [""]]
    paths = [f"{folders.iloc[row]}/{image}" for row, image in zip(rows, images, strict=True)]
    return raw.iloc[rows].reset_index(drop=True).assign(**{column: paths})


def _images_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(file.name for file in folder.iterdir() if file.suffix.lower() in _IMAGES)


def _find_prefix(
    probes: list[tuple[str, ...]], bases: list[Path], exists: Callable[[Path], bool]
) -> tuple[Path, int]:
    """The folder that holds the first probe found, and how many leading parts of its path to drop."""
    for base in bases:
        # The base may be the parent of the data set's folder, which the user may have renamed.
        folders = [base, *sorted(child for child in _children(base) if child.name.startswith("CheXpert"))]
        for parts in probes:
            for folder in folders:
                for dropped in range(len(parts) - 1):
                    if exists(folder.joinpath(*parts[dropped:])):
                        return folder, dropped
    return bases[0], 0


def _children(folder: Path) -> list[Path]:
    return [child for child in folder.iterdir() if child.is_dir()] if folder.is_dir() else []
