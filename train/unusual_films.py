"""Films of the shipped data set, and pictures unlike them: in other looks, turned, photographs, noise."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
import skimage.data
from sklearn.datasets import load_sample_images

from cxrbench.data import read_image, read_nih
from cxrbench.data.phantom.plan import patient_studies
from cxrbench.data.phantom.shipped import FRACTIONS, PATIENTS, SIZE
from cxrbench.terminal import ProgressBar
from train import films as looks

__all__ = ["CHANGES", "look", "noise", "photographs", "real_films", "shipped_films"]

SPLITS: Final = ("train", "valid", "test")

# What happens to films by mistake: name → change of a film (H, W).
CHANGES: Final[Mapping[str, Callable[[np.ndarray], np.ndarray]]] = MappingProxyType(
    {
        "inverted": lambda film: 1 - film,
        "upside down": lambda film: film[::-1],
        "mirrored": lambda film: film[:, ::-1],
    }
)
_PHOTOGRAPHS: Final = ("astronaut", "camera", "cat", "chelsea", "coffee", "coins", "moon", "page", "rocket")


def shipped_films(split: str, count: int) -> tuple[list[np.ndarray], list[str]]:
    """Films of the patients of a split of the shipped models' data set, and their views.

    Args:
        split: "train", "valid" or "test".
        count: number of films; a study with a lateral film gives two.

    Returns:
        Films (320, 320) in steps of 1/255, as they are stored for training, and "PA", "AP" or "LATERAL".
    """
    bounds = [0, *np.rint(np.cumsum(FRACTIONS) * PATIENTS).astype(int)]
    place = SPLITS.index(split)
    rng = np.random.default_rng(place + 1)
    films: list[np.ndarray] = []
    views: list[str] = []
    with ProgressBar(f"{split} films rendered") as progress:
        for patient in bounds[place] + 1 + rng.permutation(bounds[place + 1] - bounds[place]):
            studies = patient_studies(int(patient), PATIENTS, fractions=FRACTIONS)
            study = studies[int(rng.integers(len(studies)))]
            for film in study.films[: count - len(films)]:
                films.append(np.rint(study.render(film, SIZE).image * 255).astype(np.float32) / 255)
                views.append(film.view)
                progress(len(films), count)
            if len(films) == count:
                break
    return films, views


def look(film: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A film in a random look: other tones, objects, geometry, wear, borders and text; not turned over."""
    picture = looks.toned(film.astype(np.float32), rng) if rng.random() < 0.8 else film.astype(np.float32)
    if rng.random() < 0.3:
        picture = looks.littered(picture, rng)
    picture, _ = looks.warped(picture, np.zeros_like(picture), rng)
    picture = looks.worn(picture, rng)
    if rng.random() < 0.4:
        picture = looks.bordered(picture, rng)
    if rng.random() < 0.5:
        picture = looks.written(picture, rng)
    changed: np.ndarray = np.clip(picture, 0, 1).astype(np.float32)
    return changed


def real_films(table: Path) -> list[np.ndarray]:
    """The films that a table of NIH ChestX-ray14 lists, ``Data_Entry_2017_v2020.csv``, beside its images."""
    return [read_image(path).pixels for path in read_nih(table).paths]


def photographs(count: int) -> list[np.ndarray]:
    """Crops of photographs that scikit-learn and scikit-image hold, grey, 320 pixels per side."""
    rng = np.random.default_rng(0)
    whole = [*load_sample_images().images, *(getattr(skimage.data, name)() for name in _PHOTOGRAPHS)]
    crops = []
    for number in range(count):
        picture = whole[number % len(whole)]
        grey = picture @ [0.299, 0.587, 0.114] if picture.ndim == 3 else picture
        side = int(min(grey.shape) * rng.uniform(0.4, 1))
        top, left = (int(rng.integers(length - side + 1)) for length in grey.shape)
        crop = np.ascontiguousarray(grey[top : top + side, left : left + side], np.float32) / 255
        crops.append(cv2.resize(crop, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
    return crops


def noise(count: int) -> list[np.ndarray]:
    """Pictures made by code, 320 pixels per side: noise, clouds, gradients, lines of text, in turn."""
    rng = np.random.default_rng(0)
    kinds = (_white_noise, _clouds, _gradient, _text)
    return [kinds[number % len(kinds)](rng).astype(np.float32) for number in range(count)]


def _white_noise(rng: np.random.Generator) -> np.ndarray:
    return rng.random((SIZE, SIZE))


def _clouds(rng: np.random.Generator) -> np.ndarray:
    smooth = cv2.GaussianBlur(rng.standard_normal((SIZE, SIZE)), (0, 0), float(np.exp(rng.uniform(0, 4))))
    clouds: np.ndarray = (smooth - smooth.min()) / np.ptp(smooth)
    return clouds


def _gradient(rng: np.random.Generator) -> np.ndarray:
    along = np.linspace(0, 1, SIZE)
    down, right = rng.uniform(-1, 1, 2)
    gradient: np.ndarray = np.clip(down * along[:, None] + right * along + rng.uniform(0.2, 0.8), 0, 1)
    return gradient


def _text(rng: np.random.Generator) -> np.ndarray:
    paper = 255 * int(rng.integers(2))
    page = np.full((SIZE, SIZE), paper, np.uint8)
    for row in range(14):
        line = "".join(rng.choice(list("abcdefghij klmno"), 24))
        cv2.putText(page, line, (5, 20 + 22 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 255 - paper, 1)
    return page / 255
