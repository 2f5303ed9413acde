"""The simulated radiograph with outlines, its ground truth, and the downloads."""

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
from cxrbench.app.services.phantom_settings import PhantomSettings
from cxrbench.app.widgets import terms
from cxrbench.data.phantom import KINDS, Phantom
from cxrbench.figures import outline_polygons
from cxrbench.writing import png_bytes

__all__ = [
    "archive",
    "drawing",
    "file_stem",
    "heart_share",
    "png",
    "regions",
    "show_truth",
    "truth_table",
]

# Okabe and Ito's palette without black; each outline is also labelled with its name.
_COLOURS: Final = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#7fb2ff")
_ORGANS: Final = {"heart": "Heart", "lungs": "Lungs"}


def regions(phantom: Phantom) -> dict[str, np.ndarray]:
    """Name → non-empty mask: findings first, then shortcuts, then organs."""
    masks = dict(phantom.masks)
    masks |= {f"Shortcut: {KINDS[kind].title}": mask for kind, mask in phantom.shortcuts.items()}
    masks |= {_ORGANS.get(name, name): mask for name, mask in phantom.outlines.items()}
    return {name: mask for name, mask in masks.items() if mask.any()}


def png(image: np.ndarray) -> bytes:
    """An image (H, W), in [0, 1] or bool, as an 8-bit PNG."""
    return png_bytes(np.rint(image.astype(np.float32) * 255).astype(np.uint8))


def drawing(phantom: Phantom, shown: Iterable[str]) -> str:
    """The radiograph as an SVG, with the outlines of these regions and their names.

    Args:
        phantom: the simulated patient and radiograph.
        shown: keys of `regions`; others are ignored.
    """
    side = phantom.image.shape[0]
    masks = regions(phantom)
    source = base64.b64encode(png(phantom.image)).decode("ascii")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}">',
        f'<image width="{side}" height="{side}" href="data:image/png;base64,{source}"/>',
    ]
    labels: list[tuple[float, float]] = []
    for index, name in enumerate(masks):
        if name in shown:
            parts.append(_outline_svg(name, masks[name], _COLOURS[index % len(_COLOURS)], labels))
    return "".join([*parts, "</svg>"])


def _outline_svg(name: str, mask: np.ndarray, colour: str, labels: list[tuple[float, float]]) -> str:
    """The outline of a region over a dark halo, and its name above its upper left corner.

    `labels` are the positions of earlier names; this one avoids them, and is appended.
    """
    path = "".join(f"M{'L'.join(f'{x:g} {y:g}' for x, y in polygon)}Z" for polygon in outline_polygons(mask))
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    side = mask.shape[0]
    x = min(float(columns[0]), side - 6.6 * len(name))
    y = max(13.0, float(rows[0]) - 5)
    while any(abs(x - left) < 110 and abs(y - top) < 15 for left, top in labels):
        y += 15
    labels.append((x, y))
    return (
        f'<path d="{path}" fill="none" stroke="#000" stroke-opacity=".55" stroke-width="3"/>'
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.4"/>'
        f'<text x="{x:g}" y="{y:g}" font-family="sans-serif" font-size="11.5" fill="{colour}" stroke="#000" '
        f'stroke-opacity=".75" stroke-width="3" paint-order="stroke">{escape(name)}</text>'
    )


def truth_table(phantom: Phantom) -> pd.DataFrame:
    """One row per finding of CheXpert, those present first.

    Returns:
        Columns Finding, Truth (bool), Severity (as text, empty for a parent implied by its child), Mask
        (share of the image as text), Box ("left, top, right, bottom" in pixels).
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
    """Cardiothoracic ratio: width of the heart over that of both lungs; NaN on a lateral view."""
    if phantom.view == "LATERAL" or not all(phantom.outlines[name].any() for name in _ORGANS):
        return float("nan")
    heart, lungs = (np.flatnonzero(phantom.outlines[name].any(0)) for name in _ORGANS)
    return float((heart[-1] - heart[0] + 1) / (lungs[-1] - lungs[0] + 1))


def show_truth(phantom: Phantom) -> None:
    """Draw the patient's data and the ground truth of all findings."""
    share = heart_share(phantom)
    with st.container(horizontal=True, gap="medium"):
        st.metric("Patient", f"{'woman' if phantom.sex == 'F' else 'man'}, {phantom.age}", width="content")
        if not np.isnan(share):
            st.metric(
                "Heart / chest",
                f"{share:.2f}",
                width="content",
                help="Cardiothoracic ratio: the heart's width over the chest's, from the outlines. "
                "Above 0.5 on a PA view the heart counts as enlarged; an AP view magnifies it.",
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
                help="As selected. Empty: absent, or a parent implied by its child.",
                width=60,
                alignment="right",
            ),
            "Mask": st.column_config.TextColumn(
                help="Area of the mask as a share of the image.", width=50, alignment="right"
            ),
            "Box": st.column_config.TextColumn(
                help="left, top, right, bottom in pixels of the 512 × 512 image.", width=116
            ),
        },
    )
    hidden = [name for name in phantom.severity if name not in phantom.boxes]
    if hidden:
        terms.caption(
            f"{', '.join(hidden)}: present, but not visible: hidden by another finding or in this view."
        )


def file_stem(settings: PhantomSettings) -> str:
    """Stem of the names of downloaded files."""
    return f"phantom-{settings.seed}-{settings.view.lower()}{f'-{settings.take}' if settings.take else ''}"


def archive(phantom: Phantom, settings: PhantomSettings) -> bytes:
    """A ZIP of the radiograph, one mask per region (white inside), and truth.json with all settings."""
    record = {
        "order": {
            "seed": settings.seed,
            "view": settings.view,
            "size": phantoms.SIZE,
            "exposure": settings.take,
            "sex": settings.sex,
            "age": settings.age,
            "findings": dict(settings.findings),
            "shot": dict(settings.shot),
            "shortcuts": list(settings.shortcuts),
        },
        "patient": {"sex": phantom.sex, "age": phantom.age},
        "truth": phantom.truth,
        "severity": phantom.severity,
        "boxes": {name: list(box) for name, box in phantom.boxes.items()},
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("film.png", png(phantom.image))
        bundle.writestr("truth.json", json.dumps(record, indent=1))
        for name, mask in regions(phantom).items():
            stem = "".join(letter if letter.isalnum() else "-" for letter in name.casefold())
            bundle.writestr(f"masks/{stem}.png", png(mask))
    return file.getvalue()
