"""Lung segmentation by a small network, and whether its mask is reliable.

torchxrayvision's segmentation network (PSPNet) is an alternative; it is not offered here because its weights
are available from a release page only. Importing this package does not import torch.
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
