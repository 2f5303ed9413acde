"""``Preprocessing``: from a radiograph to a network input, saved with the model."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import cv2
import numpy as np

from cxrbench.errors import InputError
from cxrbench.preprocess.contrast import CONTRASTS, window
from cxrbench.preprocess.lungs import crop_box, segment
from cxrbench.preprocess.placement import Box, Placement

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Fit", "Interpolation", "Preprocessing", "Size"]

Fit = Literal["stretch", "pad", "crop", "letterbox"]
Interpolation = Literal["bilinear", "bicubic", "area"]
Size = int | tuple[int, int]  # side of a square, or (height, width)

_LARGEST: Final = 4096
_STEEPEST: Final = 100
_MOST_TILES: Final = 64
_CV2: Final = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
_FITS: Final = ("stretch", "pad", "crop", "letterbox")
_CROPS: Final = ("none", "lungs")
# Settings added later, which an older file may lack; all others are required.
_LATER: Final = frozenset({"crop", "window", "contrast", "clahe_clip", "clahe_tiles", "central"})


@dataclass(frozen=True)
class Preprocessing:
    """Preprocessing of a film: crop, contrast, fit into a rectangle, resize, normalise (pixel − mean) / std.

    In this order. The contrast is computed at the resolution of the film and on the cropped part, so that a
    border that is cut off has no influence on it.

    Args:
        size: of the network's input in pixels: the side of a square, or (height, width).
        mean: subtracted from pixels in [0, 1].
        std: divisor after the subtraction.
        interpolation: of the resize. For ``bilinear`` and ``bicubic``, an axis that shrinks by more than
            half is averaged over areas first, against aliasing; ``area`` averages over areas throughout.
        fit: how the film gets the proportions of the input. ``stretch`` ignores the aspect ratio (as in the
            CheXpert papers), ``pad`` adds black to the short side, ``crop`` cuts the long side (as
            torchxrayvision does), ``letterbox`` resizes the film to lie inside the input, in whole pixels
            of it, and then adds black around.
        crop: ``none`` keeps the whole film, ``lungs`` the bounding box of the segmented lungs; where the
            segmentation is not reliable, the whole film.
        window: percent of the pixels clipped at either end of the grey scale before it is stretched; 0 for
            no window.
        contrast: a key of ``CONTRASTS``: ``none``, ``equalise`` or ``clahe``; applied after the window.
        clahe_clip: clip limit of CLAHE, in multiples of the mean height of its histograms.
        clahe_tiles: of CLAHE: tiles a side.
        central: of ``fit="crop"``: the share of the sides that is kept, around the centre; 224 / 256 as in
            the evaluation of many ImageNet models.

    Raises:
        InputError: a setting is invalid; the message names it.
    """

    size: Size = 224
    mean: float = 0.5
    std: float = 0.25
    interpolation: Interpolation = "bilinear"
    fit: Fit = "stretch"
    crop: Literal["none", "lungs"] = "none"
    window: float = 0.0
    contrast: str = "none"
    clahe_clip: float = 2.0
    clahe_tiles: int = 8
    central: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _checked_size(self.size))
        choices = {
            "interpolation": tuple(_CV2),
            "fit": _FITS,
            "crop": _CROPS,
            "contrast": tuple(CONTRASTS),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"Preprocessing {name} must be one of {allowed}; got {getattr(self, name)!r:.50}."
                )
        for name in ("mean", "std", "window", "clahe_clip", "central"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
                raise InputError(f"Preprocessing {name} must be a finite number; got {value!r:.50}.")
        if self.std <= 0:
            raise InputError(f"Preprocessing std must be above 0; got {self.std}.")
        if not 0 <= self.window < 50:
            raise InputError(f"Preprocessing window must lie in [0, 50) percent; got {self.window}.")
        if not 1 <= self.clahe_clip <= _STEEPEST:
            raise InputError(f"Preprocessing clahe_clip must be 1 to {_STEEPEST}; got {self.clahe_clip}.")
        tiles = self.clahe_tiles
        if not isinstance(tiles, int) or isinstance(tiles, bool) or not 1 <= tiles <= _MOST_TILES:
            raise InputError(f"Preprocessing clahe_tiles must be 1 to {_MOST_TILES}; got {tiles!r:.50}.")
        if not 0 < self.central <= 1 or (self.central < 1 and self.fit != "crop"):
            raise InputError(
                "Preprocessing central must lie in (0, 1], and be 1 unless fit is 'crop'; got "
                f"{self.central} with fit {self.fit!r}."
            )

    @property
    def input_shape(self) -> tuple[int, int]:
        """(height, width) of the network's input in pixels."""
        return (self.size, self.size) if isinstance(self.size, int) else self.size

    def __call__(self, image: np.ndarray, box: Box | None = None) -> "Tensor":
        """Preprocess a grey image (H, W), float in [0, 1], to an input (1, height, width) float32.

        Args:
            image: the film.
            box: result of ``box`` for this film, to avoid a second segmentation.

        Raises:
            InputError: the image has another shape, is empty, or leaves [0, 1]: in another range, a network
                returns about the same for every image.
        """
        import torch  # not at the top: a stored comparison opens without torch

        grey = np.asarray(image, dtype=np.float32)
        if grey.ndim != 2 or 0 in grey.shape:
            raise InputError(f"An image must be grey, of shape (height, width); got shape {grey.shape}.")
        low, high = float(grey.min()), float(grey.max())
        if not (low >= 0 and high <= 1):  # NaN fails both
            raise InputError(f"Pixels must lie in [0, 1]; got {low:g} to {high:g}; read_image scales them.")
        box = self.box(grey) if box is None else box
        top, left, bottom, right = box
        placement, part = self.placement(grey.shape, box), self.spread(grey[top:bottom, left:right])
        fitted = part if self.fit == "letterbox" else placement.cut(grey, part)
        above, before, below, after = placement.filled
        framed = np.zeros(self.input_shape, np.float32)
        framed[above:below, before:after] = self._resized(fitted, (below - above, after - before))
        return torch.from_numpy((framed - self.mean) / self.std)[None].float()

    def box(self, image: np.ndarray) -> Box:
        """Crop of a film (H, W): top, left, bottom, right."""
        if self.crop == "none":
            return 0, 0, image.shape[0], image.shape[1]
        return crop_box(segment(image))  # the whole film where the segmentation is not reliable

    def spread(self, part: np.ndarray) -> np.ndarray:
        """Apply window and contrast to the cropped part of a film, (h, w) in [0, 1]."""
        part = window(part, self.window) if self.window else part
        return CONTRASTS[self.contrast].apply(part, self.clahe_clip, self.clahe_tiles)

    def placement(self, shape: tuple[int, ...], box: Box | None = None) -> Placement:
        """Placement of the network's input on a film.

        Args:
            shape: (H, W) of the film.
            box: result of ``box`` for this film; optional if ``crop`` is ``none``.

        Raises:
            InputError: ``box`` is missing although films are cropped, or does not lie on the film.
        """
        height, width = shape
        if box is None:
            if self.crop != "none":
                raise InputError(
                    f"This preprocessing crops each film to its {self.crop}; pass "
                    "box=preprocessing.box(image), or maps would be misplaced."
                )
            box = (0, 0, height, width)
        top, left, bottom, right = box
        if not (0 <= top < bottom <= height and 0 <= left < right <= width):
            raise InputError(f"A box must lie on the film of {height} × {width} pixels; got {box!r:.80}.")
        box = (top, left, bottom, right)
        return Placement((height, width), box, self.fit, self.input_shape, self.central)

    def departure(self, shape: tuple[int, int]) -> str:
        """What the network sees instead of exactly the whole film of a shape (H, W); "" if it sees that."""
        if self.crop != "none":
            return f"a crop ({self.crop})"
        if self.placement(shape).window == (0, 0, *shape):
            return ""
        height, width = self.input_shape
        return f"it {'cut' if self.fit == 'crop' else 'framed'} to {width} × {height} pixels"

    def to_original(self, maps: np.ndarray, shape: tuple[int, int], box: Box | None = None) -> np.ndarray:
        """Map (K, h, w) on any grid over the network's input back to the film: (K, H, W) of ``shape``.

        Bilinear, pixel centres aligned as in ``interpolate(align_corners=False)``. Pixels that the network
        does not see (cut off by ``fit``, outside ``box``) are NaN.

        Raises:
            InputError: as for ``placement``.
        """
        return self.placement(shape, box).lay(maps)

    def key(self) -> str:
        """Hash of the settings, 12 hex digits: part of the key of anything cached after them."""
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def as_dict(self) -> dict[str, Any]:
        """Settings as plain values for a JSON file."""
        values = {**asdict(self), "size": self.size if isinstance(self.size, int) else list(self.size)}
        if self.central == 1:  # as most: older versions do not know the setting
            del values["central"]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Preprocessing from the settings in a JSON file; settings added later may be missing.

        Raises:
            InputError: a required setting is missing, or one is unknown to this version.
        """
        known = {field.name for field in fields(cls)}
        if not known - _LATER <= set(values) <= known:
            raise InputError(
                f"Preprocessing needs the settings {sorted(known)}; got {sorted(values)!r:.200}: "
                "the model was saved by another version of cxrbench."
            )
        return cls(**values)

    def _resized(self, image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        height, width = shape
        if self.interpolation != "area":
            rows, columns = (
                new if old > 2 * new else old for old, new in zip(image.shape, shape, strict=True)
            )
            if (rows, columns) != image.shape:
                image = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
        if image.shape != shape:
            image = cv2.resize(image, (width, height), interpolation=_CV2[self.interpolation])
        return np.asarray(np.clip(image, 0, 1))  # cubic interpolation overshoots at edges


def _checked_size(size: Any) -> Size:
    """A side, or a height and a width: of a square the side alone, so that equal sizes are equal values."""
    sides = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    whole = all(isinstance(side, int) and not isinstance(side, bool) for side in sides)
    if not whole or len(sides) != 2 or not all(1 <= side <= _LARGEST for side in sides):
        raise InputError(
            f"Preprocessing size must be a side of 1 to {_LARGEST} pixels, or a height and a width of as "
            f"many; got {size!r:.50}."
        )
    height, width = sides
    return height if height == width else (height, width)
