"""Films of the shipped models' data set, which are stored nowhere: rendered again from their seeds."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from cxrbench.app.services.compare_links import film_address
from cxrbench.app.services.phantoms import as_source, described
from cxrbench.app.services.radiographs import Source
from cxrbench.data.phantom import KINDS
from cxrbench.data.phantom.labeller import certain
from cxrbench.data.phantom.shipped import SIZE, shipped_film
from cxrbench.errors import InputError

__all__ = ["PARAMETER", "compare_address", "exists", "radiograph", "shipped_paths"]

PARAMETER: Final = "film"  # query parameter of the Compare page that names such a film
_COMPARED: Final = 30  # rows of a table whose truth is compared: a few milliseconds each


@lru_cache(maxsize=8)  # about 3 MB each
def radiograph(path: str) -> Source:
    """A film of the data set as a radiograph for the Compare page, with its truth, masks, twins and link.

    Raises:
        InputError: the data set has no such film.
    """
    study, film = shipped_film(path)
    phantom = study.render(film, SIZE)
    planted = "".join(f", with a planted {KINDS[kind].title.lower()}" for kind in study.shortcuts)
    return as_source(
        phantom,
        title=f"Patient {study.patient}, {film.view}",
        description=f"{film.path} of the phantoms on which the shipped models were evaluated, rendered again "
        f"from its seed{planted}: {described(phantom)}",
        link=(PARAMETER, path),
    )


def compare_address(path: str, finding: str, models: Sequence[str], methods: Sequence[str] = ()) -> str:
    """The address of a film on the Compare page, relative to the address of any other page.

    Args:
        path: of the film.
        finding: to show first.
        models: names; empty for the page's own choice.
        methods: keys; empty for the page's own choice.
    """
    return film_address((PARAMETER, path), finding, models, methods)


def shipped_paths(paths: Sequence[str], truth: np.ndarray, labels: Sequence[str]) -> list[str] | None:
    """The paths of a table of films as ``radiograph`` takes them; None if they are films of another data set.

    Other data sets of phantoms have films of the same paths. So the truth is compared, of some of the rows.

    Args:
        paths: (N,) of the films, below any folder.
        truth: (N, L), 1 or 0; other values are not compared.
        labels: (L,) names of the findings.
    """
    names = ["/".join(path.split("/")[-4:]) for path in paths]
    if not names:
        return None
    for row in np.unique(np.linspace(0, len(names) - 1, _COMPARED).astype(int)):
        known = _truth(names[row])
        stated = zip(labels, truth[row], strict=True)
        if known is None or any(known.get(name, value) != value for name, value in stated if value in (0, 1)):
            return None
    return names


def exists(path: str) -> bool:
    """Whether the data set has a film of this path; takes milliseconds."""
    return _truth(path) is not None


@lru_cache(maxsize=1024)
def _truth(path: str) -> Mapping[str, int] | None:
    """The truth of a film of the data set; None if it has no such film."""
    try:
        study, _ = shipped_film(path)
    except InputError:
        return None
    return certain(study.findings)
