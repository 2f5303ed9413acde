"""Radiographs and what is known of them: gallery cases, uploaded images, saved bundles."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from cxrbench import assets
from cxrbench.compare import Comparison, bundle, gallery
from cxrbench.data import read_image
from cxrbench.data.phantom import FilmsWithout

__all__ = ["Source", "case", "own"]

_ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Source:
    """A radiograph, and what is known of it before anything is computed.

    Args:
        title: name on the page.
        description: why a case was chosen, or how a file was read.
        image: (H, W) float32 in [0, 1].
        sha256: hash of the pixels or of the file; a cache key.
        precomputed: scores and maps that are stored with it; None if there are none.
        origin: where the stored maps come from, in words.
        computes: whether further maps may be computed.
        truth: finding → 1 or 0, for findings with a ground truth.
        masks: finding → (H, W) bool, for findings with a ground-truth mask.
        note: assumptions made on reading the image file; "" if none.
        view: one of ``FILM_VIEWS``; "" if unknown.
        findings: the findings to show first; empty for the default.
        twins: present finding → the same patient's film without it, for phantoms.
        effects: model → finding → its true effect on the logit, where that is stored.
        link: query parameter and value that restore it in any session; None if it exists in one session only.
        real: whether it is a film of a patient, as far as is known: an uploaded image, or one of a data set.
    """

    title: str
    description: str
    image: np.ndarray
    sha256: str
    precomputed: Comparison | None = None
    origin: str = ""
    computes: bool = True
    truth: Mapping[str, int] = field(default_factory=dict)
    masks: Mapping[str, np.ndarray] = field(default_factory=dict)
    note: str = ""
    view: str = ""
    findings: tuple[str, ...] = ()
    twins: FilmsWithout | None = None
    effects: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    link: tuple[str, str] | None = None
    real: bool = False

    @property
    def unknown(self) -> bool:
        """Whether nothing is known of what it shows: neither a gallery case nor a phantom."""
        return self.link is None and not self.truth


def case(case_id: str) -> Source:
    """A gallery case with its maps.

    Raises:
        InputError: there is no case of that id.
    """
    return _case(case_id, assets.gallery())


@lru_cache(maxsize=32)
def _case(case_id: str, root: Path) -> Source:
    entry, comparison = gallery.case(case_id), gallery.load(case_id)
    return Source(
        title=entry.title,
        description=f"{entry.why} {entry.view} view.",
        image=comparison.image,
        sha256=hashlib.sha256(comparison.image.tobytes()).hexdigest(),
        precomputed=comparison,
        origin="pre-computed",
        truth=comparison.truth,
        masks=comparison.masks,
        view=comparison.view,
        findings=comparison.findings,
        twins=gallery.twins(comparison),
        effects=gallery.effects(case_id),
        link=("case", case_id),
    )


def own(data: bytes, name: str) -> Source:
    """Read an uploaded file: a radiograph, or a bundle with its maps.

    Raises:
        InputError: the file is neither, or it is damaged.
    """
    if data.startswith(_ZIP):
        saved = bundle.load(data, name=name)
        description = "A saved bundle: its stored maps are shown; nothing is computed again."
        description += f" {saved.view} view." if saved.view else ""
        description += f" Image file: {saved.note}." if saved.note else ""
        return Source(
            title=name,
            description=description,
            image=saved.image,
            sha256=hashlib.sha256(data).hexdigest(),
            precomputed=saved,
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
    note = f"; {film.note}" if film.note else ""
    description = f"{film.format}, {width} × {height} pixels{note}. Ground truth unknown."
    return Source(name, description, film.pixels, film.sha256, note=film.note, real=True)
