"""Augmentations on the Preparation page: one set by hand, and all as training draws them."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import streamlit as st

from cxrbench.app.preparation.preprocessing import Step, drawn
from cxrbench.app.services.radiographs import Source, case
from cxrbench.augment import AUGMENTATIONS, AffineDraw, ElasticDraw, IntensityDraw, Mixup
from cxrbench.compare import gallery
from cxrbench.preprocess import Preprocessing
from cxrbench.writing import png_bytes

__all__ = ["cell", "mixed", "pick_change", "scene", "sheet"]


def _slide(label: str, low: float, high: float, start: float, step: float, help_: str | None = None) -> float:
    return float(st.slider(label, low, high, start, step, key=f"aug_{label}", help=help_))


# Augmentation → its sliders, which make one change of it.
_SLIDERS: Final[dict[str, Callable[[], Any]]] = {
    "rotation": lambda: AffineDraw(degrees=_slide("Degrees", -30.0, 30.0, 10.0, 0.5)),
    "shift": lambda: AffineDraw(
        right=_slide("To the right", -0.2, 0.2, 0.08, 0.01),
        down=_slide("Downwards", -0.2, 0.2, 0.05, 0.01),
    ),
    "scale": lambda: AffineDraw(scale=_slide("Times as large", 0.6, 1.5, 1.15, 0.01)),
    "shear": lambda: AffineDraw(shear=_slide("Lean in degrees", -20.0, 20.0, 8.0, 0.5)),
    "curve": lambda: IntensityDraw(
        brightness=_slide("Brightness", -0.4, 0.4, 0.0, 0.01, "Added to every pixel."),
        contrast=_slide("Contrast", 0.3, 2.0, 1.3, 0.05, "How far pixels move away from mid-grey."),
        gamma=_slide("Gamma", 0.4, 2.5, 1.0, 0.05, "The exponent: below 1 brightens the dark."),
    ),
    "noise": lambda: IntensityDraw(noise=_slide("Deviation", 0.0, 0.2, 0.05, 0.005), seed=1),
    "elastic": lambda: ElasticDraw(
        strength=_slide("Longest displacement", 0.0, 0.12, 0.03, 0.005, "As a fraction of the shorter side."),
        smoothness=_slide("Smoothness", 0.03, 0.3, 0.1, 0.01, "Small values bend ribs as none bend."),
        seed=1,
    ),
    "flip": lambda: AffineDraw(flip=st.toggle("Flip", True, key="aug_flip")),
}


def pick_change() -> tuple[str, Any]:
    """One augmentation and its sliders → its key and the change they make."""
    name = st.selectbox(
        "Augmentation",
        list(AUGMENTATIONS),
        format_func=lambda key: AUGMENTATIONS[key].title,
        key="aug_name",
    )
    st.caption(AUGMENTATIONS[name].summary)
    return name, _SLIDERS[name]()


def scene(source: Source, recipe: Preprocessing) -> tuple[np.ndarray, np.ndarray, str]:
    """What is changed: the film as the network sees it before normalising, a mask on it, and its name."""
    box = (0, 0, *source.image.shape)  # uncropped: one should see what moves in and out
    seen = recipe(source.image, box)[0].numpy() * recipe.std + recipe.mean
    known = {name: mask for name, mask in source.masks.items() if mask.any()}
    name = next(iter(known), "the middle")
    if known:
        mask = known[name]
    else:  # no truth: a disc, so that one can see where things go
        rows, columns = np.indices(source.image.shape)
        middle = np.array(source.image.shape) / 2
        mask = np.hypot(rows - middle[0], columns - middle[1]) < min(source.image.shape) / 8
    plain = Preprocessing(size=recipe.size, mean=0.0, std=1.0, fit=recipe.fit)
    fitted = plain(mask.astype(np.float32), box)[0].numpy() >= 0.5
    return np.clip(seen, 0, 1).astype(np.float32), fitted, name


def cell(title: str, words: str, image: np.ndarray, mask: np.ndarray | None = None) -> Step:
    """A picture (H, W) with its mask's border, and what to say of it."""
    return Step(title, words, png_bytes(drawn(image, mask)), (image.shape[0], image.shape[1]))


def sheet(image: np.ndarray, mask: np.ndarray, draw: int) -> list[Step]:
    """Every augmentation as the draw of that number has it, with the mask where it then lies."""
    cells = []
    for record in AUGMENTATIONS.values():
        change = record.ranges.draw(np.random.default_rng(draw))
        cells.append(cell(record.title, record.summary, change.image(image), change.mask(mask)))
    return cells


def mixed(image: np.ndarray, source: Source, recipe: Preprocessing, draw: int) -> Step | None:
    """The film mixed with another gallery case; None where there is none."""
    others = [entry.id for entry in gallery.cases() if entry.title != source.title]
    if not others:
        return None
    partner = case(others[draw % len(others)])
    other = recipe(partner.image, (0, 0, *partner.image.shape))[0].numpy() * recipe.std + recipe.mean
    blend = Mixup(1.0).draw(np.random.default_rng(draw), 2)
    share = float(blend.shares[0])
    words = f"{share:.0%} of this film, {1 - share:.0%} of “{partner.title}”; the targets are mixed alike."
    return cell("Mixup", words, share * image + (1 - share) * other)
