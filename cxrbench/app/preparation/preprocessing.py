"""Preprocessing on the Preparation page: every step of it as a picture with a description."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import streamlit as st

from cxrbench.app.services import own_radiographs
from cxrbench.app.services.radiographs import Source, case
from cxrbench.app.widgets import terms
from cxrbench.compare import gallery
from cxrbench.errors import InputError
from cxrbench.figures import omission_note, outline_polygons
from cxrbench.preprocess import CONTRASTS, Box, Preprocessing
from cxrbench.preprocess.lungs import Lungs, crop_box, segment
from cxrbench.preprocess.pipeline import Fit
from cxrbench.writing import png_bytes

__all__ = ["Step", "lungs_of", "pick_preprocessing", "pick_radiograph", "show", "steps", "with_mask"]


_SHOWN: Final = 560  # longest side of a picture as sent to the browser
_ORANGE, _BLUE = (230, 159, 0), (86, 180, 233)  # Okabe and Ito's, distinguishable with colour blindness
_UPLOAD: Final = "prep_upload"  # key of the uploader


@dataclass(frozen=True)
class Step:
    """One step: its title, its description, the PNG after it, and the size (height, width) of the image."""

    title: str
    description: str
    picture: bytes
    size: tuple[int, int]


def pick_radiograph() -> Source | None:
    """Draw the choice of a radiograph; return it, or None if there is none to choose."""
    titles = {entry.id: entry.title for entry in gallery.cases()} | own_radiographs.titles()
    linked = st.query_params.get("prep_film")
    if linked and linked not in titles and "prep_film" not in st.session_state:
        name = "an uploaded image" if linked.startswith(own_radiographs.OWN) else repr(linked[:60])
        st.warning(f"The link asks for {name}, which is not available; another radiograph is shown.")
    if titles:
        chosen = st.selectbox(
            "Radiograph",
            list(titles),
            format_func=lambda key: titles.get(key, key),
            key="prep_film",
            bind="query-params",
            on_change=own_radiographs.forget_problems,
            args=(_UPLOAD,),
        )
    with st.popover(
        "Your own image", icon=":material/upload:", width="stretch", key="open_prep_upload", on_change="rerun"
    ):
        own_radiographs.uploader(
            "PNG, JPEG, TIFF or DICOM",
            _UPLOAD,
            _show_upload,
            about="Images stay in the memory of this machine and are deleted when you leave.",
        )
    own_radiographs.show_problems(_UPLOAD)
    if not titles:
        return None
    return own_radiographs.film(chosen) or case(chosen)


def _show_upload(film_id: str) -> None:
    st.session_state.update(prep_film=film_id, open_prep_upload=False)


def pick_preprocessing() -> Preprocessing:
    """Draw the settings of a `Preprocessing`; return it."""
    crop = st.toggle(
        "Crop to the lungs",
        True,
        key="prep_crop",
        bind="query-params",
        help="Crops to the bounding box of the segmented lungs, down to the lower border of the radiograph. "
        "If the segmentation is uncertain, nothing is cropped.",
    )
    window = st.slider(
        "Percentile window",
        0.0,
        10.0,
        1.0,
        0.5,
        format="%.1f %%",
        key="prep_window",
        bind="query-params",
        help="This share of the pixels becomes black, the same share white; the rest is stretched linearly.",
    )
    contrast = st.selectbox(
        "Contrast",
        list(CONTRASTS),
        2,
        format_func=lambda name: CONTRASTS[name].title,
        key="prep_contrast",
        bind="query-params",
        help="How grey values are transformed after the percentile window.",
    )
    terms.caption(CONTRASTS[contrast].summary)
    clip, tiles = 2.0, 8
    if contrast == "clahe":
        clip = st.slider(
            "CLAHE: clip limit",
            1.0,
            10.0,
            2.0,
            0.5,
            key="prep_clip",
            bind="query-params",
            help="Higher: stronger contrast.",
        )
        tiles = st.slider("CLAHE: tiles per side", 1, 16, 8, key="prep_tiles", bind="query-params")
    fits: dict[Fit, str] = {
        "stretch": "Stretch to a square",
        "pad": "Pad with black",
        "crop": "Crop the longer side",
    }
    fit = st.selectbox(
        "Aspect ratio", list(fits), format_func=lambda name: fits[name], key="prep_fit", bind="query-params"
    )
    size = st.select_slider(
        "Input size, pixels per side",
        (32, 64, 96, 128, 224, 320),
        224,
        key="prep_size",
        bind="query-params",
    )
    return Preprocessing(
        size=size,
        fit=fit,
        crop="lungs" if crop else "none",
        window=window,
        contrast=contrast,
        clahe_clip=clip,
        clahe_tiles=tiles,
    )


@st.cache_data(show_spinner="Segmenting the lungs …", max_entries=16)
def lungs_of(sha256: str, _image: np.ndarray) -> Lungs | str:
    """The lungs of a radiograph, or the reason why they cannot be segmented."""
    try:
        return segment(_image)
    except InputError as error:
        return str(error)


def steps(source: Source, preprocessing: Preprocessing) -> list[Step]:
    """Six pictures of a radiograph, from its file to the network's input and back."""
    film, lungs = source.image, lungs_of(source.sha256, source.image)
    height, width = film.shape
    box: Box = (0, 0, height, width)
    mask = lungs.mask if isinstance(lungs, Lungs) else None
    if preprocessing.crop == "lungs" and isinstance(lungs, Lungs):
        box = crop_box(lungs)
    placement = preprocessing.placement(film.shape, box)
    cropped = film[box[0] : box[2], box[1] : box[3]]
    contrasted = preprocessing.spread(cropped)
    normalised = preprocessing(film, box)[0].numpy()
    resized = np.clip(normalised * preprocessing.std + preprocessing.mean, 0, 1)
    back = np.nan_to_num(placement.lay(resized[None])[0])
    note = f" Note on the file: {source.note}." if source.note else ""
    is_cropped = box != (0, 0, height, width)
    kept = f"{cropped.size / film.size:.0%} of the radiograph is kept." if is_cropped else "Not cropped."
    return [
        _step("1 · Decode", f"{width} × {height} grey pixels from 0 to 1, bone bright.{note}", film),
        _step("2 · Lungs", _about_lungs(lungs), film, mask, box if is_cropped else None),
        _step("3 · Crop", kept, cropped),
        _step(
            "4 · Contrast",
            f"{_about_contrast(preprocessing)} Mean value {cropped.mean():.2f} → {contrasted.mean():.2f}.",
            contrasted,
        ),
        _step(
            "5 · Fit, resize, normalise",
            f"{_about_size(placement.window, preprocessing.input_shape)} "
            f"The input is (pixel − {preprocessing.mean:g}) / {preprocessing.std:g}, here from "
            f"{normalised.min():.2f} to {normalised.max():.2f}.",
            resized,
        ),
        _step(
            "6 · Back on the radiograph",
            "As a heat map is placed: each pixel of the input at its position. Black: not part of the input.",
            back,
        ),
    ]


def show(steps: list[Step], columns: int = 3) -> None:
    """Draw steps in a grid."""
    for start in range(0, len(steps), columns):
        for column, step in zip(st.columns(columns), steps[start : start + columns], strict=False):
            with column:
                st.markdown(f"**{step.title}**")
                alt = f"{step.title}: {step.description}"
                st.image(step.picture, width="stretch", output_format="PNG", alt=alt)
                terms.caption(step.description)


def with_mask(image: np.ndarray, mask: np.ndarray | None = None, box: Box | None = None) -> np.ndarray:
    """A grey image (H, W) in [0, 1] as (h, w, 3) uint8, with the outlines of a mask and a box."""
    shrink = min(1.0, _SHOWN / max(image.shape))
    size = tuple(max(1, round(side * shrink)) for side in image.shape[::-1])
    small = cv2.resize(np.asarray(image, np.float32), size, interpolation=cv2.INTER_AREA)
    colour = np.repeat(np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)
    if mask is not None:
        borders = [np.rint(polygon * shrink - 0.5).astype(np.int32) for polygon in outline_polygons(mask)]
        cv2.polylines(colour, borders, True, _ORANGE, 2 if min(size) > 250 else 1)
    if box is not None:
        top, left, bottom, right = (round(side * shrink) for side in box)
        cv2.rectangle(colour, (left, top), (right - 1, bottom - 1), _BLUE, 2)
    return colour


def _step(
    title: str, description: str, image: np.ndarray, mask: np.ndarray | None = None, box: Box | None = None
) -> Step:
    return Step(title, description, png_bytes(with_mask(image, mask, box)), (image.shape[0], image.shape[1]))


def _about_lungs(lungs: Lungs | str) -> str:
    if isinstance(lungs, str):
        return lungs
    if not lungs.sure:
        return f"The segmentation is uncertain, so nothing is cropped. {lungs.reason}"
    omitted = omission_note(lungs.mask)
    return f"Orange: the lungs, {lungs.mask.mean():.0%} of the radiograph{omitted}. Blue: the crop."


def _about_contrast(preprocessing: Preprocessing) -> str:
    parts = [f"{preprocessing.window:g} % clipped at either end."] if preprocessing.window else []
    if preprocessing.contrast != "none":
        parts.append(f"{CONTRASTS[preprocessing.contrast].title} of the cropped image.")
    return " ".join(parts) or "Unchanged."


def _about_size(window: Box, size: tuple[int, int]) -> str:
    height, width = size
    down, across = (window[2] - window[0]) / height, (window[3] - window[1]) / width
    return f"{width} × {height}: one pixel for {across:.1f} × {down:.1f} pixels of the radiograph."
