"""Simulated radiographs, cached, and as sources for the Compare page."""

import hashlib
from functools import lru_cache
from typing import Final

from cxrbench.app.services import phantom_link
from cxrbench.app.services.phantom_settings import PhantomSettings
from cxrbench.app.services.radiographs import Source
from cxrbench.data.phantom import FilmsWithout, Phantom, render

__all__ = ["SIZE", "as_source", "described", "radiograph", "simulate"]

SIZE: Final = 512  # pixels per side


@lru_cache(maxsize=16)  # about 5 MB each
def simulate(settings: PhantomSettings) -> Phantom:
    """Render a phantom, 512 pixels per side; the last 16 are cached.

    Raises:
        InputError: the phantom has no such finding, view, setting or shortcut.
    """
    return render(
        settings.seed,
        dict(settings.findings),
        view=settings.view,
        size=SIZE,
        exposure=settings.take,
        sex=settings.sex,
        age=settings.age,
        shot=dict(settings.shot),
        shortcuts=settings.shortcuts,
    )


def radiograph(settings: PhantomSettings) -> Source:
    """A phantom as a radiograph for the Compare page, with its truth, masks and link.

    Raises:
        InputError: as ``simulate``.
    """
    phantom = simulate(settings)
    return as_source(
        phantom,
        title=f"Phantom {settings.seed}, {phantom.view}",
        description=f"Simulated on the Phantom page: patient {settings.seed}, {phantom.view}, "
        f"{described(phantom)}",
        link=("phantom", phantom_link.write(settings)),
    )


def as_source(phantom: Phantom, *, title: str, description: str, link: tuple[str, str]) -> Source:
    """A rendered phantom as a radiograph for the Compare page, with all that is known of it."""
    return Source(
        title=title,
        description=description,
        image=phantom.image,
        sha256=hashlib.sha256(phantom.image.tobytes()).hexdigest(),
        truth=phantom.truth,
        masks=phantom.masks,
        view="Lateral" if phantom.view == "LATERAL" else phantom.view,
        findings=tuple(phantom.severity)[:1] or ("No Finding",),
        twins=FilmsWithout(phantom.scenario, phantom.truth, phantom.image, original=phantom),
        link=link,
    )


def described(phantom: Phantom) -> str:
    """Sex, age and present findings of a phantom, as the end of a sentence."""
    present = [name for name, value in phantom.truth.items() if value]
    return f"{phantom.sex}, {phantom.age} years. Present: {', '.join(present)}."
