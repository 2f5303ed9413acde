"""Where the radiograph comes from: a gallery case, the user's file, or a saved bundle."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from cxrbench import assets
from cxrbench.compare import Comparison, bundle, gallery
from cxrbench.data import read_image

__all__ = ["Source", "case", "own"]

_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Source:
    """A radiograph, and what is known of it before anything is computed.

    Args:
        title: how the page calls it.
        words: about it: why it was chosen, or what its reader had to decide.
        image: (H, W) float32 in [0, 1].
        sha256: of the pixels or of the file: names it in the cache.
        given: maps that came with it.
        origin: where the given maps come from, in words.
        computes: whether maps beyond the given ones may be computed.
        truth: finding → 1 or 0, where known.
        masks: finding → (H, W) bool, where known.
        note: what the reader of the film's file had to decide; "" if nothing.
        view: one of ``FILM_VIEWS``; "" where it is not known.
        findings: to be shown first; empty where it is about none.
        link: query parameter and value that bring it back anywhere; None for what lives in one session only.
    """

    title: str
    words: str
    image: np.ndarray
    sha256: str
    given: Comparison | None = None
    origin: str = ""
    computes: bool = True
    truth: Mapping[str, int] = field(default_factory=dict)
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    note: str = ""
    view: str = ""
    findings: tuple[str, ...] = ()
    link: tuple[str, str] | None = None


def case(case_id: str) -> Source:
    """A gallery case with its maps.

    Raises:
        InputError: there is none of that id.
    """
    return _case(case_id, assets.gallery())


@lru_cache(maxsize=32)
def _case(case_id: str, root: Path) -> Source:
    known, comparison = gallery.case(case_id), gallery.load(case_id)
    return Source(
        title=known.title,
        words=f"{known.why} {known.view} view.",
        image=comparison.image,
        sha256=hashlib.sha256(comparison.image.tobytes()).hexdigest(),
        given=comparison,
        origin="pre-computed",
        truth=comparison.truth,
        masks=comparison.masks,
        view=comparison.view,
        findings=comparison.findings,
        link=("case", case_id),
    )


def own(data: bytes, name: str) -> Source:
    """The reader's file: a radiograph, or a bundle with its maps.

    Raises:
        InputError: it is neither, or damaged.
    """
    if data.startswith(_ZIP):
        saved = bundle.load(data, name=name)
        words = "A saved bundle: its maps are shown as they were computed; nothing is computed anew."
        words += f" {saved.view} view." if saved.view else ""
        words += f" Of the film's file: {saved.note}." if saved.note else ""
        return Source(
            title=name,
            words=words,
            image=saved.image,
            sha256=hashlib.sha256(data).hexdigest(),
            given=saved,
            origin="from the bundle",
            computes=False,
            truth=saved.truth,
            masks=saved.masks,
            note=saved.note,
            view=saved.view,
            findings=saved.findings,
        )
    film = read_image(data, name=name)
    height, width = film.size
    words = f"{film.format}, {width} × {height} pixels{f'; {film.note}' if film.note else ''}. Truth unknown."
    return Source(name, words, film.pixels, film.sha256, note=film.note)
