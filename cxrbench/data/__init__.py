"""Readers: every data set becomes the same table of studies."""

from cxrbench.data.cache import Cache, build_cache, open_cache
from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.clinical import CLINICAL_FEATURES, Clinical
from cxrbench.data.grouping import POOLINGS, Grouping, group_views
from cxrbench.data.images import MAX_PIXELS, Radiograph, read_image
from cxrbench.data.nih import read_nih, read_nih_boxes
from cxrbench.data.published import PUBLISHED, published_nih_boxes, read_published
from cxrbench.data.splits import split
from cxrbench.data.studies import COLUMNS, Problem, Studies, check_files
from cxrbench.data.tables import is_table

__all__ = [
    "CLINICAL_FEATURES",
    "COLUMNS",
    "MAX_PIXELS",
    "POOLINGS",
    "PUBLISHED",
    "Cache",
    "Clinical",
    "Grouping",
    "Problem",
    "Radiograph",
    "Studies",
    "build_cache",
    "check_files",
    "group_views",
    "is_table",
    "open_cache",
    "published_nih_boxes",
    "read_chexpert",
    "read_image",
    "read_nih",
    "read_nih_boxes",
    "read_published",
    "split",
]
