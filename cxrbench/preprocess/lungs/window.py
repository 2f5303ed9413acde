"""The segmentation network's input: small, square, with normalised grey levels."""

from typing import Final

import cv2
import numpy as np

__all__ = ["CHANNELS", "SIDE", "prepare"]

SIDE: Final = 160
CHANNELS: Final = 2


def prepare(pixels: np.ndarray) -> np.ndarray:
    """Prepare a grey film (H, W) in any range: (2, S, S) float32, about −2 to 2.

    First channel: greys between the 1st and 99th percentile. Second: the same after CLAHE on 5 × 5 tiles,
    which compensates for most of the film curve. The aspect ratio is ignored, as in training.
    """
    small = cv2.resize(np.asarray(pixels, np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    low, high = np.percentile(small, (1, 99))
    grey = np.clip((small - low) / max(float(high - low), 1e-6), 0, 1)
    # Created per call: a CLAHE object is not safe to share between threads.
    equalised = cv2.createCLAHE(clipLimit=3.0, tileGridSize=(5, 5)).apply((grey * 255).astype(np.uint8))
    return ((np.stack([grey, equalised.astype(np.float32) / 255]) - 0.5) / 0.25).astype(np.float32)
