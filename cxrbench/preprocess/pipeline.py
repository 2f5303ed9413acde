"""The frozen recipe between a radiograph and a network, saved with the model it was trained with."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal, Self

import cv2
import numpy as np

from cxrbench.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Preprocessing"]

_LARGEST: Final = 4096
_CV2: Final = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
_FITS: Final = ("stretch", "pad", "crop")


@dataclass(frozen=True)
class Preprocessing:
    """Fit a grey image into a square, resize it, and normalise it: x = (pixel − mean) / std.

    Args:
        size: side of the network's square input, in pixels.
        mean: subtracted from pixels in [0, 1].
        std: divides what is left.
        interpolation: of the resize. An axis that shrinks by more than half is averaged over areas first, so
            that no fine structure aliases into a coarse one.
        fit: what becomes of the aspect ratio. ``stretch`` gives it up (as in the CheXpert papers), ``pad``
            adds black to the short side, ``crop`` cuts the long side's ends (as torchxrayvision does).

    Raises:
        InputError: one of these breaks its rule; the sentence names it.
    """

    size: int = 224
    mean: float = 0.5
    std: float = 0.25
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    fit: Literal["stretch", "pad", "crop"] = "stretch"

    def __post_init__(self) -> None:
        if not isinstance(self.size, int) or isinstance(self.size, bool) or not 1 <= self.size <= _LARGEST:
            raise InputError(f"Preprocessing size must be 1 to {_LARGEST} pixels; got {self.size!r:.50}.")
        for name, allowed in (("interpolation", tuple(_CV2)), ("fit", _FITS)):
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"Preprocessing {name} must be one of {allowed}; got {getattr(self, name)!r:.50}."
                )
        for name in ("mean", "std"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
                raise InputError(f"Preprocessing {name} must be a finite number; got {value!r:.50}.")
        if self.std <= 0:
            raise InputError(f"Preprocessing std must be above 0; got {self.std}.")

    def __call__(self, image: np.ndarray) -> "Tensor":
        """A grey image (H, W), float in [0, 1] → the network's input (1, size, size) float32.

        Raises:
            InputError: the image has another shape, is empty, or leaves [0, 1]: a network fed with another
                range answers the same for every image.
        """
        import torch  # not above: a stored comparison is opened and drawn without it

        grey = np.asarray(image, dtype=np.float32)
        if grey.ndim != 2 or 0 in grey.shape:
            raise InputError(f"An image must be grey, of shape (height, width); got shape {grey.shape}.")
        low, high = float(grey.min()), float(grey.max())
        if not (low >= 0 and high <= 1):  # NaN fails both
            raise InputError(f"Pixels must lie in [0, 1]; got {low:g} to {high:g}; read_image scales them.")
        resized = self._resize(self._fit(grey))
        return torch.from_numpy((resized - self.mean) / self.std)[None].float()

    def to_original(self, maps: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Maps (K, h, w) on any grid over the network's input → (K, H, W) over the radiograph of that shape.

        Bilinear, pixel centres aligned as in ``interpolate(align_corners=False)``. What the network never saw
        (the ends cut off by ``crop``) is NaN.
        """
        height, width = shape
        top, left, square_height, square_width = self._window(shape)
        size = (square_width, square_height)
        square = np.empty((len(maps), square_height, square_width), np.float32)
        for index, one in enumerate(maps):
            square[index] = cv2.resize(np.asarray(one, np.float32), size, interpolation=cv2.INTER_LINEAR)
        if self.fit == "pad":
            return square[:, -top : height - top, -left : width - left]
        if square.shape[1:] == (height, width):
            return square
        full = np.full((len(maps), height, width), np.nan, np.float32)
        full[:, top : top + square_height, left : left + square_width] = square
        return full

    def key(self) -> str:
        """Twelve hex digits that differ between recipes: part of the name of anything cached after them."""
        text = json.dumps(self.as_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The recipe a JSON file holds.

        Raises:
            InputError: a setting is missing, or one this version does not know.
        """
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            raise InputError(
                f"Preprocessing needs the settings {sorted(known)}; got {sorted(values)!r:.200}: "
                "the model was saved by another version of cxrbench."
            )
        return cls(**values)

    def _window(self, shape: tuple[int, int]) -> tuple[int, int, int, int]:
        """The fitted rectangle over a radiograph: top, left (below 0 where it is padded), height, width."""
        height, width = shape
        if self.fit == "stretch":
            return 0, 0, height, width
        side = max(shape) if self.fit == "pad" else min(shape)
        # Halved before subtracting: which of two middle pixels is the centre is torchxrayvision's choice.
        return height // 2 - side // 2, width // 2 - side // 2, side, side

    def _fit(self, image: np.ndarray) -> np.ndarray:
        top, left, height, width = self._window(image.shape)
        if self.fit == "pad":
            square = np.zeros((height, width), np.float32)
            square[-top : image.shape[0] - top, -left : image.shape[1] - left] = image
            return square
        return np.ascontiguousarray(image[top : top + height, left : left + width])

    def _resize(self, image: np.ndarray) -> np.ndarray:
        height, width = (self.size if side > 2 * self.size else side for side in image.shape)
        if (height, width) != image.shape:
            image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        if image.shape != (self.size, self.size):
            image = cv2.resize(image, (self.size, self.size), interpolation=_CV2[self.interpolation])
        return np.clip(image, 0, 1)  # cubic interpolation overshoots at edges
