"""The Phantom page's film with outlines, its truth, and the downloads."""

import base64
import io
import json
import zipfile
from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd
import streamlit as st

from cxrbench.app.services import phantoms
from cxrbench.app.services.image_encoding import outlines
from cxrbench.app.services.phantom_order import Order
from cxrbench.data.phantom import KINDS, Phantom
from cxrbench.writing import png_bytes

__all__ = [
    "ABOUT",
    "archive",
    "drawing",
    "heart_share",
    "name_of",
    "png",
    "regions",
    "say_truth",
    "truth_table",
]

ABOUT: Final = (
    "A simulated chest, projected as an X-ray beam would: every finding is placed by anatomy, and its truth "
    "is known to the pixel. It is good for asking whether a heat map points at what is there. It is no "
    "patient, and a model that does well on phantoms has shown nothing about real films."
)

# Okabe and Ito's, without black; each outline also bears its name.
_COLOURS: Final = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#7fb2ff")
_ORGANS: Final = {"heart": "Heart", "lungs": "Lungs"}


def regions(phantom: Phantom) -> dict[str, np.ndarray]:
    """What can be outlined, by name: findings first, then shortcuts, then organs; only what has a pixel."""
    found = dict(phantom.masks)
    found |= {f"Shortcut: {KINDS[kind].title}": mask for kind, mask in phantom.shortcuts.items()}
    found |= {_ORGANS.get(name, name): mask for name, mask in phantom.outlines.items()}
    return {name: mask for name, mask in found.items() if mask.any()}


def png(image: np.ndarray) -> bytes:
    """An image (H, W), in [0, 1] or bool, as an 8-bit PNG."""
    return png_bytes(np.rint(image.astype(np.float32) * 255).astype(np.uint8))


def drawing(phantom: Phantom, shown: Iterable[str]) -> str:
    """The film as an SVG picture, with the outlines of these regions and their names.

    Args:
        phantom: what was taken.
        shown: names out of `regions`; others are passed over.
    """
    side = phantom.image.shape[0]
    every = regions(phantom)
    source = base64.b64encode(png(phantom.image)).decode("ascii")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">',
        f'<image width="{side}" height="{side}" href="data:image/png;base64,{source}"/>',
    ]
    taken: list[tuple[float, float]] = []
    for index, name in enumerate(every):
        if name in shown:
            parts.append(_outlined(name, every[name], _COLOURS[index % len(_COLOURS)], taken))
    return "".join([*parts, "</svg>"])


def _outlined(name: str, mask: np.ndarray, colour: str, taken: list[tuple[float, float]]) -> str:
    """The borders of a region over a dark halo, and its name above its upper left corner.

    Places in `taken` hold a name already; this one goes where none is, and is added.
    """
    path = "".join(
        f"M{'L'.join(f'{x:g} {y:g}' for x, y in polygon)}Z" for polygon in outlines(mask) if polygon
    )
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    side = mask.shape[0]
    x = min(float(columns[0]), side - 6.6 * len(name))
    y = max(13.0, float(rows[0]) - 5)
    while any(abs(x - left) < 110 and abs(y - top) < 15 for left, top in taken):
        y += 15
    taken.append((x, y))
    return (
        f'<path d="{path}" fill="none" stroke="#000" stroke-opacity=".55" stroke-width="3"/>'
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.4"/>'
        f'<text x="{x:g}" y="{y:g}" font-family="sans-serif" font-size="11.5" fill="{colour}" stroke="#000" '
        f'stroke-opacity=".75" stroke-width="3" paint-order="stroke">{escape(name)}</text>'
    )


def truth_table(phantom: Phantom) -> pd.DataFrame:
    """A row for each of CheXpert's fourteen, those present first.

    Returns:
        Columns Finding, Truth (bool), Severity (as text, nothing where a parent follows from its child), Mask
        (share of the film as text), Box ("left, top, right, bottom" in pixels).
    """
    rows = []
    for name, value in phantom.truth.items():
        rows.append(
            {
                "Finding": name,
                "Truth": bool(value),
                "Severity": f"{phantom.severity[name]:.2f}" if name in phantom.severity else "",
                "Mask": f"{phantom.masks[name].mean():.1%}" if name in phantom.masks else "",
                "Box": ", ".join(map(str, phantom.boxes[name])) if name in phantom.boxes else "",
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values("Truth", ascending=False, kind="stable").reset_index(drop=True)


def heart_share(phantom: Phantom) -> float:
    """Width of the heart over that of both lungs on a frontal film; NaN on a lateral one."""
    if phantom.view == "LATERAL" or not all(phantom.outlines[name].any() for name in _ORGANS):
        return float("nan")
    heart, lungs = (np.flatnonzero(phantom.outlines[name].any(0)) for name in _ORGANS)
    return float((heart[-1] - heart[0] + 1) / (lungs[-1] - lungs[0] + 1))


def say_truth(phantom: Phantom) -> None:
    """The patient, and the truth of all fourteen findings."""
    share = heart_share(phantom)
    with st.container(horizontal=True, gap="medium"):
        st.metric("Patient", f"{'woman' if phantom.sex == 'F' else 'man'}, {phantom.age}", width="content")
        if not np.isnan(share):
            st.metric(
                "Heart / chest",
                f"{share:.2f}",
                width="content",
                help="Cardiothoracic ratio: the heart's width over the chest's, from this film's outlines. "
                "Above 0.5 on a PA film the heart is called enlarged; AP films magnify it.",
            )
    table = truth_table(phantom)
    st.dataframe(
        table,
        hide_index=True,
        height=35 * (len(table) + 1) + 3,
        column_config={
            "Finding": st.column_config.TextColumn(width=182),
            "Truth": st.column_config.CheckboxColumn(width=42),
            "Severity": st.column_config.TextColumn(
                help="As ordered. Empty: absent, or a parent that follows from its child.",
                width=60,
                alignment="right",
            ),
            "Mask": st.column_config.TextColumn(
                help="Its share of the film's pixels.", width=50, alignment="right"
            ),
            "Box": st.column_config.TextColumn(
                help="left, top, right, bottom in pixels of the 512 × 512 film.", width=116
            ),
        },
    )
    hidden = [name for name in phantom.severity if name not in phantom.boxes]
    if hidden:
        st.caption(
            f"{', '.join(hidden)}: there, but no pixel shows it; another finding hides it, or this view."
        )


def name_of(order: Order) -> str:
    """A file name's stem."""
    return f"phantom-{order.seed}-{order.view.lower()}{f'-{order.take}' if order.take else ''}"


def archive(phantom: Phantom, order: Order) -> bytes:
    """A ZIP: the film, one mask per region (white inside), and truth.json with the order to repeat it."""
    record = {
        "order": {
            "seed": order.seed,
            "view": order.view,
            "size": phantoms.SIZE,
            "exposure": order.take,
            "sex": order.sex,
            "age": order.age,
            "findings": dict(order.findings),
            "shot": dict(order.shot),
            "shortcuts": list(order.shortcuts),
        },
        "patient": {"sex": phantom.sex, "age": phantom.age},
        "truth": phantom.truth,
        "severity": phantom.severity,
        "boxes": {name: list(box) for name, box in phantom.boxes.items()},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as held:
        held.writestr("film.png", png(phantom.image))
        held.writestr("truth.json", json.dumps(record, indent=1))
        for name, mask in regions(phantom).items():
            stem = "".join(letter if letter.isalnum() else "-" for letter in name.casefold())
            held.writestr(f"masks/{stem}.png", png(mask))
    return file.getvalue()
