"""Augmentations on the Preparation page: one with sliders, and all with random parameters as in training."""

import numpy as np
import streamlit as st

from cxrbench.app.preparation.preprocessing import Step, with_mask
from cxrbench.app.services.radiographs import Source, case
from cxrbench.app.widgets import terms
from cxrbench.augment import AUGMENTATIONS, Change, Mixup, MixupDraw, Parameter
from cxrbench.compare import gallery
from cxrbench.preprocess import Preprocessing
from cxrbench.writing import png_bytes

__all__ = ["augmented", "mixed_up", "pick_augmentation", "prepared", "step"]


def pick_augmentation() -> Change:
    """Draw the choice of an augmentation and its parameters; return the change they make."""
    name = st.selectbox(
        "Augmentation",
        list(AUGMENTATIONS),
        format_func=lambda key: AUGMENTATIONS[key].title,
        key="aug_name",
    )
    terms.caption(AUGMENTATIONS[name].summary)
    values = {parameter.name: _value(parameter) for parameter in AUGMENTATIONS[name].parameters}
    return AUGMENTATIONS[name].change(**values)


def _value(parameter: Parameter) -> float:
    """Draw the control of one parameter; return its value."""
    key = f"aug_{parameter.title}"
    if not parameter.step:
        return st.toggle(parameter.title, bool(parameter.default), key=key)
    bounds = (parameter.low, parameter.high, parameter.default, parameter.step)
    return st.slider(parameter.title, *bounds, key=key, help=parameter.summary or None)


def prepared(source: Source, preprocessing: Preprocessing) -> tuple[np.ndarray, np.ndarray, str]:
    """The network's input before normalisation, a mask of it, and the name of the mask."""
    box = (0, 0, *source.image.shape)  # not cropped, to show what moves across the border
    image = preprocessing(source.image, box)[0].numpy() * preprocessing.std + preprocessing.mean
    masks = {name: mask for name, mask in source.masks.items() if mask.any()}
    name = next(iter(masks), "a disc in the centre")
    if masks:
        mask = masks[name]
    else:  # no ground truth: a disc shows where pixels move
        rows, columns = np.indices(source.image.shape)
        centre = np.array(source.image.shape) / 2
        mask = np.hypot(rows - centre[0], columns - centre[1]) < min(source.image.shape) / 8
    plain = Preprocessing(size=preprocessing.size, mean=0.0, std=1.0, fit=preprocessing.fit)
    fitted = plain(mask.astype(np.float32), box)[0].numpy() >= 0.5
    return np.clip(image, 0, 1).astype(np.float32), fitted, name


def step(title: str, description: str, image: np.ndarray, mask: np.ndarray | None = None) -> Step:
    """An image (H, W) with the outline of its mask, a title and a description."""
    return Step(title, description, png_bytes(with_mask(image, mask)), (image.shape[0], image.shape[1]))


def augmented(image: np.ndarray, mask: np.ndarray, seed: int) -> list[Step]:
    """Every augmentation with random parameters, applied to the image and its mask."""
    steps = []
    for record in AUGMENTATIONS.values():
        change = record.ranges.draw(np.random.default_rng(seed))
        steps.append(step(record.title, record.summary, change.image(image), change.mask(mask)))
    return steps


def mixed_up(image: np.ndarray, source: Source, preprocessing: Preprocessing, seed: int) -> Step | None:
    """The image mixed with another gallery case by mixup; None without another case."""
    others = [entry.id for entry in gallery.cases() if entry.title != source.title]
    if not others:
        return None
    partner = case(others[seed % len(others)])
    box = (0, 0, *partner.image.shape)
    other = preprocessing(partner.image, box)[0].numpy() * preprocessing.std + preprocessing.mean
    blend = Mixup(1.0).draw(np.random.default_rng(seed), 2)
    share = float(blend.shares[0])
    # The drawn partner may be the image itself.
    swapped = MixupDraw(np.array([1, 0]), blend.shares)
    description = (
        f"{share:.0%} of this radiograph, {1 - share:.0%} of “{partner.title}”; the targets are mixed "
        "with the same weights."
    )
    return step("Mixup", description, swapped.images(np.stack([image, other]))[0])
