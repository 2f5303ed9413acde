"""Lung segmentation by a small network, and whether its mask can be relied on.

torchxrayvision's segmenter (PSPNet) would be another way; its weights are not offered here, since they can
only be fetched from a release page. Importing this package imports no torch.
"""

from cxrbench.preprocess.lungs.masks import (
    as_drawn,
    clean,
    components,
    drop_small,
    fill_holes,
    split_touching,
    under_lungs,
)
from cxrbench.preprocess.lungs.segment import Lungs, crop_box, segment, share_inside

__all__ = [
    "Lungs",
    "as_drawn",
    "clean",
    "components",
    "crop_box",
    "drop_small",
    "fill_holes",
    "segment",
    "share_inside",
    "split_touching",
    "under_lungs",
]
