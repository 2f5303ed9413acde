"""Augmentations on the Preparation page: one set by hand, and all as training draws them."""

import numpy as np
import streamlit as st

from cxrbench.app.preparation.preprocessing import Step, drawn
from cxrbench.app.services.radiographs import Source, case
from cxrbench.augment import AUGMENTATIONS, Change, Mixup, MixupDraw, Parameter
from cxrbench.compare import gallery
from cxrbench.preprocess import Preprocessing
from cxrbench.writing import png_bytes

__all__ = ["cell", "mixed", "pick_change", "scene", "sheet"]


def pick_change() -> tuple[str, Change]:
    """One augmentation and its sliders → its key and the change they make."""
    name = st.selectbox(
        "Augmentation",
        list(AUGMENTATIONS),
        format_func=lambda key: AUGMENTATIONS[key].title,
        key="aug_name",
    )
    st.caption(AUGMENTATIONS[name].summary)
    values = {parameter.name: _value(parameter) for parameter in AUGMENTATIONS[name].parameters}
    return name, AUGMENTATIONS[name].change(**values)


def _value(parameter: Parameter) -> float:
    """Draw the control of one parameter; returns its value."""
    key = f"aug_{parameter.title}"
    if not parameter.step:
        return st.toggle(parameter.title, bool(parameter.default), key=key)
    bounds = (parameter.low, parameter.high, parameter.default, parameter.step)
    return st.slider(parameter.title, *bounds, key=key, help=parameter.summary or None)


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
    swapped = MixupDraw(
        np.array([1, 0]), blend.shares
    )  # the partner is drawn above, and never the film itself
    words = f"{share:.0%} of this film, {1 - share:.0%} of “{partner.title}”; the targets are mixed alike."
    return cell("Mixup", words, swapped.images(np.stack([image, other]))[0])
