"""Elastic deformation by a smooth random displacement field."""

from dataclasses import dataclass

import cv2
import numpy as np

from cxrbench.augment.ranges import check_widths

__all__ = ["Elastic", "ElasticDraw"]


@dataclass(frozen=True)
class ElasticDraw:
    """One drawn deformation: y(p) = x(p + u(p)), u white noise smoothed by a Gaussian and scaled.

    Args:
        strength: longest displacement, as a fraction of the shorter side; 0 is the identity.
        smoothness: standard deviation of the Gaussian, as a fraction of the shorter side.
        seed: random seed of the field.

    Reference:
        Simard et al. 2003, "Best practices for convolutional neural networks applied to visual document
        analysis", doi:10.1109/ICDAR.2003.1227801. There the field is scaled by a factor; here by its longest
        vector, so that the strength is a length.
    """

    strength: float = 0.0
    smoothness: float = 0.1
    seed: int = 0

    def field(self, shape: tuple[int, int]) -> np.ndarray:
        """Displacement field (2, H, W) float32 in pixels: down, right."""
        height, width = shape
        side = min(shape)
        noise = np.random.default_rng(self.seed).standard_normal((2, height, width), dtype=np.float32)
        sigma = max(self.smoothness * side, 0.5)
        smooth = np.stack([cv2.GaussianBlur(component, (0, 0), sigma) for component in noise])
        longest = float(np.sqrt((smooth**2).sum(0)).max())
        return smooth * (self.strength * side / longest) if longest else np.zeros_like(smooth)

    def image(self, image: np.ndarray) -> np.ndarray:
        """Deform an image (H, W), bilinearly; pixels from outside are black."""
        if not self.strength:
            return image.copy()
        down, right = self.field(image.shape)
        rows, columns = np.indices(image.shape, dtype=np.float32)
        return cv2.remap(image, columns + right, rows + down, cv2.INTER_LINEAR)

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """Deform a mask (H, W) bool like the image; pixels covered by at least half are true."""
        return self.image(mask.astype(np.float32)) >= 0.5 if self.strength else mask.copy()


@dataclass(frozen=True)
class Elastic:
    """Ranges of elastic deformation.

    Args:
        strength: the longest displacement is uniform in [0, strength], a fraction of the shorter side. Above
            about 0.03 ribs bend unrealistically.
        smoothness: standard deviation of the Gaussian, as a fraction of the shorter side.
    """

    strength: float = 0.02
    smoothness: float = 0.1

    def __post_init__(self) -> None:
        check_widths(self, below_one=("strength", "smoothness"))

    def draw(self, rng: np.random.Generator) -> ElasticDraw:
        """Draw a deformation."""
        return ElasticDraw(rng.uniform() * self.strength, self.smoothness, int(rng.integers(2**32)))
