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

__all__ = ["Fit", "Interpolation", "Preprocessing"]

Fit = Literal["stretch", "pad", "crop"]
Interpolation = Literal["bilinear", "bicubic"]

_LARGEST: Final = 4096
_STEEPEST: Final = 100
_MOST_TILES: Final = 64
_CV2: Final = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
_FITS: Final = ("stretch", "pad", "crop")
_CROPS: Final = ("none", "lungs")
# Settings added later, which an older file may lack; all others are required.
_LATER: Final = frozenset({"crop", "window", "contrast", "clahe_clip", "clahe_tiles"})


@dataclass(frozen=True)
class Preprocessing:
    """Preprocessing of a film: crop, contrast, fit into a square, resize, normalise (pixel − mean) / std.

    In this order. The contrast is computed at the resolution of the film and on the cropped part, so that a
    border that is cut off has no influence on it.

    Args:
        size: side of the network's square input, in pixels.
        mean: subtracted from pixels in [0, 1].
        std: divisor after the subtraction.
        interpolation: of the resize. An axis that shrinks by more than half is averaged over areas first,
            against aliasing.
        fit: how the film becomes square. ``stretch`` ignores the aspect ratio (as in the CheXpert papers),
            ``pad`` adds black to the short side, ``crop`` cuts the long side (as torchxrayvision does).
        crop: ``none`` keeps the whole film, ``lungs`` the bounding box of the segmented lungs; where the
            segmentation is not reliable, the whole film.
        window: percent of the pixels clipped at either end of the grey scale before it is stretched; 0 for
            no window.
        contrast: a key of ``CONTRASTS``: ``none``, ``equalise`` or ``clahe``; applied after the window.
        clahe_clip: clip limit of CLAHE, in multiples of the mean height of its histograms.
        clahe_tiles: of CLAHE: tiles a side.

    Raises:
        InputError: a setting is invalid; the message names it.
    """

    size: int = 224
    mean: float = 0.5
    std: float = 0.25
    interpolation: Interpolation = "bilinear"
    fit: Fit = "stretch"
    crop: Literal["none", "lungs"] = "none"
    window: float = 0.0
    contrast: str = "none"
    clahe_clip: float = 2.0
    clahe_tiles: int = 8

    def __post_init__(self) -> None:
        if not isinstance(self.size, int) or isinstance(self.size, bool) or not 1 <= self.size <= _LARGEST:
            raise InputError(f"Preprocessing size must be 1 to {_LARGEST} pixels; got {self.size!r:.50}.")
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
        for name in ("mean", "std", "window", "clahe_clip"):
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

    def __call__(self, image: np.ndarray, box: Box | None = None) -> "Tensor":
        """Preprocess a grey image (H, W), float in [0, 1], to an input (1, size, size) float32.

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
        square = self.placement(grey.shape, box).cut(grey, self.spread(grey[top:bottom, left:right]))
        resized = self._resize(square)
        return torch.from_numpy((resized - self.mean) / self.std)[None].float()

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
        return Placement((height, width), (top, left, bottom, right), self.fit)

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
        return asdict(self)

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

    def _resize(self, image: np.ndarray) -> np.ndarray:
        height, width = (self.size if side > 2 * self.size else side for side in image.shape)
        if (height, width) != image.shape:
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        if image.shape != (self.size, self.size):
            image = cv2.resize(image, (self.size, self.size), interpolation=_CV2[self.interpolation])
        return np.asarray(np.clip(image, 0, 1))  # cubic interpolation overshoots at edges
