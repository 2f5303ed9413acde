"""Planted shortcuts: markers that correlate with a finding but are not part of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from cxrbench.data.phantom.solids import Array
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT, canonical

__all__ = ["KINDS", "Shortcut", "ShortcutKind", "part_title", "plant", "read_shortcut"]

# A pixel belongs to a shortcut's mask if its value changes by more than this.
VISIBLE = 0.02


@dataclass(frozen=True)
class ShortcutKind:
    """One kind of shortcut: draw(image, rng) → changed image."""

    name: str
    title: str
    draw: Callable[[Array, np.random.Generator], Array]


@dataclass(frozen=True)
class Shortcut:
    """A shortcut tied to a finding.

    Attributes:
        kind: one of `KINDS`.
        finding: the finding with which it correlates.
        rate: its probability in studies with the finding.
        otherwise: its probability in studies without. Exchange the two to reverse the correlation in a test
            set.
    """

    kind: str
    finding: str
    rate: float = 0.95
    otherwise: float = 0.02

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"Shortcut {self.kind!r} is not known; choose from: {', '.join(KINDS)}.")
        if canonical(self.finding) not in CHEXPERT:
            raise InputError(
                f"A shortcut needs one of CheXpert's findings, not {self.finding!r}; "
                f"choose from: {', '.join(CHEXPERT)}."
            )
        for share in (self.rate, self.otherwise):
            if not 0 <= share <= 1:
                raise InputError(f"The rate of a shortcut must be in [0, 1], got {share}.")


def read_shortcut(text: str) -> Shortcut:
    """Parse a shortcut as written on the command line.

    Args:
        text: KIND:FINDING:RATE or KIND:FINDING:RATE:OTHERWISE, such as "hospital:Pleural Effusion:0.95:0.02".

    Returns:
        The shortcut; `otherwise` is 0.02 where it is omitted.

    Raises:
        InputError: the text has another form, or an invalid value.
    """
    kind, *rest = (part.strip() for part in text.split(":"))
    form = f"A shortcut is written KIND:FINDING:RATE[:OTHERWISE], as in tint:Edema:0.95:0.02; got {text!r}."
    if len(rest) not in (2, 3):
        raise InputError(form)
    try:
        rates = [float(part) for part in rest[1:]]
    except ValueError as error:
        raise InputError(f"{form} The rates must be numbers from 0 to 1.") from error
    return Shortcut(kind, canonical(rest[0]), *rates)


def plant(image: Array, kind: str, rng: np.random.Generator) -> tuple[Array, np.ndarray]:
    """Draw one shortcut on a film.

    Args:
        image: (H, W) in [0, 1].
        kind: one of `KINDS`.
        rng: its stream; the position varies a little.

    Returns:
        The changed image, and where it changed visibly (H, W) bool.

    Raises:
        InputError: the kind is not known.
    """
    if kind not in KINDS:
        raise InputError(f"Shortcut {kind!r} is not known; choose from: {', '.join(KINDS)}.")
    changed = np.clip(KINDS[kind].draw(image, rng), 0, 1).astype(np.float32)
    return changed, np.abs(changed - image) > VISIBLE


def _token(image: Array, rng: np.random.Generator) -> Array:
    """A hospital's lead token in the upper corner: three letters in a frame."""
    size = image.shape[0]
    left, top = (round(share * size) for share in rng.uniform((0.04, 0.05), (0.08, 0.09)))
    wide, high = round(0.105 * size), round(0.05 * size)
    ink = np.zeros(image.shape, np.uint8)
    cv2.rectangle(ink, (left, top), (left + wide, top + high), 255, max(1, size // 256), cv2.LINE_AA)
    place = (left + round(0.012 * size), top + round(0.037 * size))
    cv2.putText(
        ink, "STV", place, cv2.FONT_HERSHEY_SIMPLEX, size / 640, 255, max(1, size // 256), cv2.LINE_AA
    )
    return _overlay(image, ink)


def _letter(image: Array, rng: np.random.Generator) -> Array:
    """A second side letter, large and low, as one technician might place it."""
    size = image.shape[0]
    position = tuple(round(share * size) for share in rng.uniform((0.87, 0.83), (0.91, 0.9)))
    ink = np.zeros(image.shape, np.uint8)
    cv2.putText(
        ink, "L", position, cv2.FONT_HERSHEY_DUPLEX, size / 360, 255, max(1, size // 170), cv2.LINE_AA
    )
    return _overlay(image, ink)


def _electrode(image: Array, rng: np.random.Generator) -> Array:
    """A monitor's electrode beside the lower chest, and its lead; it is not labelled as a device."""
    size = image.shape[0]
    x, y = rng.uniform((0.2, 0.66), (0.26, 0.72))
    lead = np.array([[x, y], [x - 0.05, y + 0.12], [x - 0.02, y + 0.22], [x - 0.1, 1.02]])
    ink = np.zeros(image.shape, np.uint8)
    fine = max(1, size // 256)
    cv2.polylines(
        ink, [np.rint(_smooth(lead) * size * 16).astype(np.int32)], False, 150, fine, cv2.LINE_AA, 4
    )
    middle = (round(x * size), round(y * size))
    cv2.circle(ink, middle, max(3, round(0.019 * size)), 70, -1, cv2.LINE_AA)  # the pad
    cv2.circle(ink, middle, max(2, round(0.009 * size)), 245, -1, cv2.LINE_AA)  # its snap
    return _overlay(image, ink)


def _smooth(corners: np.ndarray) -> np.ndarray:
    """A cubic Bézier curve with four control points (4, 2), as 24 points."""
    t = np.linspace(0, 1, 24)[:, None]
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    return np.asarray(sum(w * corner for w, corner in zip(weights, corners, strict=True)))


def _tint(image: Array, rng: np.random.Generator) -> Array:
    """The intensity curve of one scanner: brighter greys and a shadow towards the feet."""
    shade = np.linspace(1, rng.uniform(0.88, 0.92), image.shape[0], dtype=np.float32)[:, None]
    return image ** np.float32(0.8) * shade


def _overlay(image: Array, ink: np.ndarray) -> Array:
    """Composite white ink over the film, as lead appears."""
    cover = ink.astype(np.float32) / 255
    return image * (1 - cover) + np.float32(0.98) * cover


KINDS: Final = {
    kind.name: kind
    for kind in (
        ShortcutKind("hospital", "hospital's lead token", _token),
        ShortcutKind("electrode", "monitor's electrode", _electrode),
        ShortcutKind("letter", "second side letter", _letter),
        ShortcutKind("tint", "scanner tint", _tint),
    )
}


def part_title(part: str) -> str:
    """The name of a part of a film in words: a finding's, a marker's, or a shortcut's."""
    return KINDS[part].title.capitalize() if part in KINDS else part
