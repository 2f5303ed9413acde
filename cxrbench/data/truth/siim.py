"""Masks of the SIIM-ACR pneumothorax challenge."""

from pathlib import Path
from typing import IO, Final

import numpy as np

from cxrbench.data.tables import read_csv, table_name, text_column
from cxrbench.data.truth.regions import Region
from cxrbench.data.truth.runs import Runs
from cxrbench.errors import InputError

__all__ = ["read_siim_regions"]

_SIZE: Final = (1024, 1024)


def read_siim_regions(source: Path | str | IO[bytes]) -> list[Region]:
    """Read SIIM's ``train-rle.csv``: the columns ``ImageId`` and `` EncodedPixels`` (with a space before it).

    A mask is text of relative run lengths, column by column on 1024² pixels; -1 for none. An image with
    several rows has the union of their masks. Images without a pneumothorax are left out.

    Raises:
        InputError: another table, or run lengths that leave the image.
    """
    name = table_name(source)
    raw = read_csv(source, columns=["ImageId", "EncodedPixels"])
    texts: dict[str, list[str]] = {}
    encoded = text_column(raw, "EncodedPixels")
    for film, text in zip(text_column(raw, "ImageId"), encoded, strict=True):
        if text != "-1":
            texts.setdefault(film, []).append(text)
    return [
        Region(film, film, "Pneumothorax", _SIZE, runs=_union(several, f"{name}, {film}"))
        for film, several in texts.items()
    ]


def _union(texts: list[str], name: str) -> Runs:
    try:
        runs = [Runs.from_relative(text, _SIZE) for text in texts]
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    if len(runs) == 1:
        return runs[0]
    return Runs.of(np.logical_or.reduce([each.mask() for each in runs]))
