"""The frozen recipe between a radiograph and a network, saved with the model it was trained with."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self

import cv2
import numpy as np
import torch
from torch import Tensor

from cxrbench.errors import InputError

__all__ = ["Preprocessing"]


@dataclass(frozen=True)
class Preprocessing:
    """Fit a grey image into a square, resize it, and normalise it: x = (pixel − mean) / std.

    Args:
        size: side of the network's square input, in pixels.
        mean: subtracted from pixels in [0, 1].
        std: divides what is left.
        interpolation: of the resize; area averaging takes over where the image shrinks by more than half.
        fit: what becomes of the aspect ratio. ``stretch`` gives it up (as in the CheXpert papers), ``pad``
            adds black to the short side, ``crop`` cuts the long side's ends (as torchxrayvision does).
    """

    size: int = 224
    mean: float = 0.5
    std: float = 0.25
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    fit: Literal["stretch", "pad", "crop"] = "stretch"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"Preprocessing size must be at least 1 pixel; got {self.size}.")
        if self.std <= 0:
            raise InputError(f"Preprocessing std must be above 0; got {self.std}.")
        for name, allowed in (("interpolation", tuple(_CV2)), ("fit", ("stretch", "pad", "crop"))):
            if getattr(self, name) not in allowed:
                raise InputError(
                    f"Preprocessing {name} must be one of {allowed}; got {getattr(self, name)!r}."
                )

    def __call__(self, image: np.ndarray) -> Tensor:
        """A grey image (H, W), float in [0, 1] → the network's input (1, size, size)."""
        square = self._fit(np.asarray(image, dtype=np.float32))
        shrinks = min(square.shape) > 2 * self.size
        resized = cv2.resize(
            square,
            (self.size, self.size),
            interpolation=cv2.INTER_AREA if shrinks else _CV2[self.interpolation],
        )
        return torch.from_numpy((resized - self.mean) / self.std)[None].float()

    def to_original(self, maps: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
        """Maps (K, h, w) on any grid over the network's input → (K, H, W) over the radiograph of that shape.

        Bilinear, pixel centres aligned as in ``interpolate(align_corners=False)``. What the network never saw
        (the ends cut off by ``crop``) is NaN.
        """
        height, width = shape
        side = {"stretch": None, "pad": max(shape), "crop": min(shape)}[self.fit]
        target = (width, height) if side is None else (side, side)
        whole = [cv2.resize(np.asarray(m, np.float32), target, interpolation=cv2.INTER_LINEAR) for m in maps]
        stacked = np.stack(whole) if whole else np.empty((0, target[1], target[0]), np.float32)
        if side is None:
            return stacked
        top, left = (side - height) // 2, (side - width) // 2
        if self.fit == "pad":
            return stacked[:, top : top + height, left : left + width]
        full = np.full((len(stacked), height, width), np.nan, np.float32)
        full[:, -top : side - top, -left : side - left] = stacked
        return full

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The recipe a JSON file holds.

        Raises:
            InputError: a key this version does not know: the model was saved by another version.
        """
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise InputError(
                f"Preprocessing holds unknown settings {sorted(unknown)}; update cxrbench to read it."
            )
        return cls(**values)

    def _fit(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape
        if self.fit == "crop":
            side = min(height, width)
            top, left = (height - side) // 2, (width - side) // 2
            return np.ascontiguousarray(image[top : top + side, left : left + side])
        if self.fit == "pad":
            side = max(height, width)
            top, left = (side - height) // 2, (side - width) // 2
            square = np.zeros((side, side), np.float32)
            square[top : top + height, left : left + width] = image
            return square
        return image


_CV2 = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC}
