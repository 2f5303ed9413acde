"""Preprocessing on the Preparation page: one film through every step, with pictures and descriptions."""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
import streamlit as st

from cxrbench.app.services import own_radiographs
from cxrbench.app.services.radiographs import Source, case
from cxrbench.compare import gallery
from cxrbench.errors import InputError
from cxrbench.preprocess import CONTRASTS, Box, Preprocessing
from cxrbench.preprocess.lungs import Lungs, crop_box, segment
from cxrbench.writing import png_bytes

__all__ = ["Step", "drawn", "lungs_of", "pick_film", "pick_recipe", "show", "steps"]

Fit = Literal["stretch", "pad", "crop"]

_SHOWN: Final = 560  # longest side of a picture as sent to the browser
_ORANGE, _BLUE = (230, 159, 0), (86, 180, 233)  # of Okabe and Ito: told apart by every eye
_UPLOAD: Final = "prep_upload"  # key of the uploader


@dataclass(frozen=True)
class Step:
    """One step: its name, what it does, and the picture after it."""

    title: str
    words: str
    picture: bytes
    size: tuple[int, int]


def pick_film() -> Source | None:
    """A gallery case or the reader's own file; None where there is neither."""
    titles = {entry.id: entry.title for entry in gallery.cases()} | own_radiographs.titles()
    asked = st.query_params.get("prep_film")
    if asked and asked not in titles and "prep_film" not in st.session_state:
        what = (
            "an uploaded image, which" if asked.startswith(own_radiographs.OWN) else f"{asked[:60]!r}, which"
        )
        st.warning(f"The link asks for {what} is not here; another radiograph is shown.")
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
            about="They stay on this machine, and are gone when you leave.",
        )
    own_radiographs.say_problems(_UPLOAD)
    if not titles:
        return None
    return own_radiographs.film(chosen) or case(chosen)


def _show_upload(film_id: str) -> None:
    st.session_state.update(prep_film=film_id, open_prep_upload=False)


def pick_recipe() -> Preprocessing:
    """The settings of a `Preprocessing`, each with what it is for."""
    crop = st.toggle(
        "Crop to the lungs",
        True,
        key="prep_crop",
        bind="query-params",
        help="The rectangle of the segmented lungs, down to the lower border. Where the segmentation is not "
        "sure, nothing is cropped.",
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
        help="This share of the pixels becomes plain black, as many plain white, and the rest is stretched.",
    )
    contrast = st.selectbox(
        "Contrast",
        list(CONTRASTS),
        2,
        format_func=lambda name: CONTRASTS[name].title,
        key="prep_contrast",
        bind="query-params",
        help="How the greys are spread after the window.",
    )
    st.caption(CONTRASTS[contrast].summary)
    clip, tiles = 2.0, 8
    if contrast == "clahe":
        clip = st.slider(
            "CLAHE: limit",
            1.0,
            10.0,
            2.0,
            0.5,
            key="prep_clip",
            bind="query-params",
            help="Higher is stronger.",
        )
        tiles = st.slider("CLAHE: tiles a side", 1, 16, 8, key="prep_tiles", bind="query-params")
    fits: dict[Fit, str] = {
        "stretch": "Stretch to a square",
        "pad": "Pad with black",
        "crop": "Cut the long side",
    }
    fit = st.selectbox(
        "Aspect ratio", list(fits), format_func=lambda name: fits[name], key="prep_fit", bind="query-params"
    )
    size = st.select_slider(
        "Network's input, pixels per side",
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


@st.cache_data(show_spinner="Looking for the lungs …", max_entries=16)
def lungs_of(sha256: str, _image: np.ndarray) -> Lungs | str:
    """The lungs of a film, or the sentence on why they cannot be looked for."""
    try:
        return segment(_image)
    except InputError as error:
        return str(error)


def steps(source: Source, recipe: Preprocessing) -> list[Step]:
    """A film, from its file to the network's input and back: six pictures."""
    film, lungs = source.image, lungs_of(source.sha256, source.image)
    height, width = film.shape
    box: Box = (0, 0, height, width)
    mask = lungs.mask if isinstance(lungs, Lungs) else None
    if recipe.crop == "lungs" and isinstance(lungs, Lungs):
        box = crop_box(lungs)
    placement = recipe.placement(film.shape, box)
    part = film[box[0] : box[2], box[1] : box[3]]
    spread = recipe.spread(part)
    input_ = recipe(film, box)[0].numpy()
    seen = np.clip(input_ * recipe.std + recipe.mean, 0, 1)
    back = np.nan_to_num(placement.lay(seen[None])[0])
    said = _about(lungs)
    noted = f" Of its file: {source.note}." if source.note else ""
    cropped = box != (0, 0, height, width)
    cut = f"{(part.size / film.size):.0%} of the film is kept." if cropped else "The whole film is kept."
    return [
        _step("1 · Decode", f"{width} × {height} grey pixels from 0 to 1, bone bright.{noted}", film),
        _step("2 · Lungs", said, film, mask, box if cropped else None),
        _step("3 · Crop", cut, part),
        _step("4 · Greys", f"{_greys(recipe)} Mean grey {part.mean():.2f} → {spread.mean():.2f}.", spread),
        _step(
            "5 · Fit, resize, normalise",
            f"{recipe.size} × {recipe.size}: {_shrunk(placement.window, recipe.size)} The network reads "
            f"(pixel − {recipe.mean:g}) / {recipe.std:g}: {input_.min():.2f} to {input_.max():.2f}.",
            seen,
        ),
        _step(
            "6 · Back on the film",
            "The way a heat map goes: each pixel of the input, back in its place. Black was never seen.",
            back,
        ),
    ]


def show(found: list[Step], across: int = 3) -> None:
    """Steps in a grid."""
    for start in range(0, len(found), across):
        for column, step in zip(st.columns(across), found[start : start + across], strict=False):
            with column:
                st.markdown(f"**{step.title}**")
                alt = f"{step.title}: {step.words}"
                st.image(step.picture, width="stretch", output_format="PNG", alt=alt)
                st.caption(step.words)


def drawn(image: np.ndarray, mask: np.ndarray | None = None, box: Box | None = None) -> np.ndarray:
    """A grey picture (H, W) in [0, 1] → (h, w, 3) uint8, with a mask's border and a frame."""
    shrink = min(1.0, _SHOWN / max(image.shape))
    size = tuple(max(1, round(side * shrink)) for side in image.shape[::-1])
    small = cv2.resize(np.asarray(image, np.float32), size, interpolation=cv2.INTER_AREA)
    colour = np.repeat(np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)
    if mask is not None:
        outline = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        borders, _ = cv2.findContours(outline, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(colour, borders, -1, _ORANGE, 2 if min(size) > 250 else 1)
    if box is not None:
        top, left, bottom, right = (round(side * shrink) for side in box)
        cv2.rectangle(colour, (left, top), (right - 1, bottom - 1), _BLUE, 2)
    return colour


def _step(
    title: str, words: str, image: np.ndarray, mask: np.ndarray | None = None, box: Box | None = None
) -> Step:
    return Step(title, words, png_bytes(drawn(image, mask, box)), (image.shape[0], image.shape[1]))


def _about(lungs: Lungs | str) -> str:
    if isinstance(lungs, str):
        return lungs
    if not lungs.sure:
        return f"Not sure, so nothing is cropped. {lungs.reason}"
    return f"Orange: the lungs, {lungs.mask.mean():.0%} of the film. Blue: what the crop keeps."


def _greys(recipe: Preprocessing) -> str:
    words = [f"{recipe.window:g} % cut off at either end."] if recipe.window else []
    if recipe.contrast != "none":
        words.append(f"{CONTRASTS[recipe.contrast].title} over the part that is kept.")
    return " ".join(words) or "Left as they are."


def _shrunk(window: Box, size: int) -> str:
    down, across = (window[2] - window[0]) / size, (window[3] - window[1]) / size
    return f"one pixel for {across:.1f} × {down:.1f} of the film's."
