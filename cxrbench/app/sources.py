"""What is looked at: a gallery case, an image of one's own, or a saved bundle."""

import hashlib
from dataclasses import dataclass

import streamlit as st

from cxrbench.compare import Comparison, Settings, bundle, gallery
from cxrbench.data import read_image

__all__ = ["Source", "from_bundle", "from_case", "from_upload"]


@dataclass(frozen=True, eq=False)
class Source:
    """A radiograph with whatever is known of it beforehand.

    Args:
        id: of the picture, in the memory of results.
        title: a line for people.
        about: why it is here, or what it is.
        comparison: the picture, its truth, and results that need no computing.
        origin: where those results come from, as cells say it.
        linkable: whether a link can bring it back.
        finding: what to look at first.
    """

    id: str
    title: str
    about: str
    comparison: Comparison
    origin: str
    linkable: bool
    finding: str | None = None


@st.cache_resource(max_entries=64, show_spinner="Opening the case …")
def from_case(case_id: str) -> Source:
    """A case of the gallery with its pre-computed maps.

    Raises:
        InputError: there is no such case.
    """
    case = gallery.case(case_id)
    present = ", ".join(case.findings) or "no finding"
    return Source(
        id=case_id,
        title=case.title,
        about=f"{case.why} View: {case.view}. In truth: {present}.",
        comparison=gallery.load(case_id),
        origin="pre-computed",
        linkable=True,
        finding=case.findings[0] if case.findings else None,
    )


def from_upload(data: bytes, name: str) -> Source:
    """An image of one's own; nothing of the file but its pixels is kept.

    Raises:
        InputError: the file is no radiograph that can be read.
    """
    radiograph = read_image(data, name=name)
    height, width = radiograph.size
    note = f" {radiograph.note}" if radiograph.note else ""
    return Source(
        id=radiograph.sha256,
        title="Your own image",
        about=f"{radiograph.format}, {width} × {height} pixels; kept in memory only, and no tag of it.{note}",
        comparison=Comparison(radiograph.pixels, radiograph.sha256, Settings((), ()), {}, {}),
        origin="",
        linkable=False,
    )


def from_bundle(data: bytes, name: str) -> Source:
    """A comparison that was saved, with its maps.

    Raises:
        InputError: the file is no bundle, or a damaged one.
    """
    comparison = bundle.load(data, name=name)
    digest = hashlib.sha256(data).hexdigest()
    findings = [finding for finding, present in comparison.truth.items() if present]
    return Source(
        # Not the id it names itself: a file from a stranger must not answer for a picture of someone else's.
        id=f"bundle {digest}",
        title="A saved comparison",
        about="Maps and scores as they were saved; other models and methods are computed anew.",
        comparison=comparison,
        origin="from the bundle",
        linkable=False,
        finding=findings[0] if findings else None,
    )
