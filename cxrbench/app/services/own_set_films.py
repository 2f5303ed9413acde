"""Films of the user's data sets as radiographs for Compare: only images that a data set's own tables list."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.services.compare_links import film_address
from cxrbench.app.services.radiographs import Source
from cxrbench.data import Studies, datasets, phantom, read_image
from cxrbench.data.datasets import OwnDataSet
from cxrbench.data.reading import stamp_of
from cxrbench.errors import InputError
from cxrbench.labels import canonical

__all__ = ["PARAMETER", "ListedFilms", "compare_address", "films_of", "radiograph"]

PARAMETER: Final = "image"  # query parameter of the Compare page: "NAME/path below its folder"


@dataclass(frozen=True, eq=False)
class ListedFilms:
    """The images that a data set's tables list, with their labels.

    Args:
        studies: of all splits.
        paths: (N,) of the images, below the data set's folder where they are.
    """

    studies: Studies
    paths: pd.Index

    def having(self, label: str, value: float) -> np.ndarray:
        """Rows (n,) of the images for which a label has a value: 1, 0 or −1."""
        return np.flatnonzero(self.studies.table[label].to_numpy() == value)


def films_of(entry: OwnDataSet) -> ListedFilms:
    """The images of a data set; cached for all sessions until one of its tables changes.

    Raises:
        InputError: its folder is gone, or a table cannot be read.
    """
    found = entry.recognised()
    versions = tuple((str(table), *stamp_of(table)) for table in found.tables.values())
    return _films(entry.name, versions, found)


@st.cache_resource(max_entries=2, show_spinner="Reading the data set's tables …")
def _films(name: str, versions: tuple[tuple[str | int, ...], ...], _found: datasets.DataSet) -> ListedFilms:
    studies = datasets.join_splits(datasets.read_data_set(_found))
    folder = f"{_found.folder.as_posix().rstrip('/')}/"
    return ListedFilms(studies, pd.Index(studies.table["path"].str.removeprefix(folder)))


def radiograph(text: str, findings: tuple[str, ...] = ()) -> Source:
    """An image of a data set with its labels.

    Args:
        text: name of the data set, "/", path of the image as the data set lists it.
        findings: to show first; by default the first that is present.

    Raises:
        InputError: no such data set, it lists no such image, or the image cannot be read.
    """
    name, _, path = text.partition("/")
    entry = datasets.find(name)
    films = films_of(entry)
    rows = np.flatnonzero(films.paths == path)
    if not len(rows):
        raise InputError(f"The data set {name} lists no image {path!r:.200}; open one from its own lists.")
    row = films.studies.table.iloc[int(rows[0])]
    film = read_image(Path(row["path"]))
    labels = {canonical(label): float(row[label]) for label in films.studies.labels}
    height, width = film.size
    note = f"; {film.note}" if film.note else ""
    return Source(
        title=f"{name}: {Path(path).name}",
        description=f"{films.studies.name}: {path}, {width} × {height} pixels{note}. {_in_words(labels)}",
        image=film.pixels,
        sha256=film.sha256,
        truth={label: int(value) for label, value in labels.items() if value in (0, 1)},
        note=film.note,
        view={"lateral": "Lateral"}.get(row["view"], row["projection"]),
        findings=findings or tuple(label for label, value in labels.items() if value == 1)[:1],
        link=(PARAMETER, text),
        real=not phantom.holds_phantoms(entry.folder),
    )


def compare_address(name: str, path: str, finding: str, models: Sequence[str]) -> str:
    """The address of an image on the Compare page, relative to the address of any other page.

    Args:
        name: of the data set.
        path: of the image, below the data set's folder.
        finding: to show first.
        models: names; empty for the page's own choice.
    """
    return film_address((PARAMETER, f"{name}/{path}"), finding, models)


def _in_words(labels: dict[str, float]) -> str:
    present = [label for label, value in labels.items() if value == 1]
    uncertain = [label for label, value in labels.items() if value == -1]
    doubt = f" Uncertain: {', '.join(uncertain)}." if uncertain else ""
    return f"Labelled present: {', '.join(present) or 'none'}.{doubt} Labels of a data set can be wrong."
