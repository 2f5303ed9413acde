"""Renders the phantom that an order describes; also as a radiograph like any other of the session."""

import hashlib
from functools import lru_cache
from typing import Final

from cxrbench.app.services import phantom_link
from cxrbench.app.services.phantom_order import Order
from cxrbench.app.services.radiographs import Source
from cxrbench.data.phantom import Phantom, render

__all__ = ["SIZE", "radiograph", "simulate"]

SIZE: Final = 512  # pixels per side


@lru_cache(maxsize=16)  # about 5 MB each
def simulate(order: Order) -> Phantom:
    """Render the phantom of an order, 512 pixels per side; the last 16 are kept.

    Raises:
        InputError: the phantom has no such finding, view, setting or shortcut.
    """
    return render(
        order.seed,
        dict(order.findings),
        view=order.view,
        size=SIZE,
        exposure=order.take,
        sex=order.sex,
        age=order.age,
        shot=dict(order.shot),
        shortcuts=order.shortcuts,
    )


def radiograph(order: Order) -> Source:
    """The phantom of an order as a radiograph for the Compare page, with its truth, masks and link.

    Raises:
        InputError: as ``simulate``.
    """
    phantom = simulate(order)
    present = [name for name, value in phantom.truth.items() if value]
    words = (
        f"A phantom ordered on the Phantom page: patient {order.seed}, {phantom.view}, {phantom.sex}, "
        f"{phantom.age} years. In truth: {', '.join(present)}."
    )
    return Source(
        title=f"Phantom {order.seed}, {phantom.view}",
        words=words,
        image=phantom.image,
        sha256=hashlib.sha256(phantom.image.tobytes()).hexdigest(),
        truth=phantom.truth,
        masks=phantom.masks,
        view="Lateral" if phantom.view == "LATERAL" else phantom.view,
        findings=tuple(phantom.severity)[:1] or ("No Finding",),
        link=("phantom", phantom_link.write(order)),
    )
