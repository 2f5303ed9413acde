"""Where findings are on real radiographs: readers of published boxes, masks, points and saliency maps."""

from cxrbench.data.truth.boxes import read_nih_regions, read_rsna_regions, read_vindr_regions
from cxrbench.data.truth.chexlocalize import (
    CHEXLOCALIZE,
    Masks,
    localised_finding,
    patient_of,
    polygon_mask,
    read_chexlocalize,
    read_chexlocalize_regions,
    read_points,
    segmentation_json,
)
from cxrbench.data.truth.regions import Region
from cxrbench.data.truth.results import read_cutoffs, read_results, read_summary, read_thresholds
from cxrbench.data.truth.runs import Runs
from cxrbench.data.truth.saliency import Saliency, read_saliency, saliency_files
from cxrbench.data.truth.siim import read_siim_regions
from cxrbench.data.truth.sources import TRUTHS, TruthSource, film_files, truth_file

__all__ = [
    "CHEXLOCALIZE",
    "TRUTHS",
    "Masks",
    "Region",
    "Runs",
    "Saliency",
    "TruthSource",
    "film_files",
    "localised_finding",
    "patient_of",
    "polygon_mask",
    "read_chexlocalize",
    "read_chexlocalize_regions",
    "read_cutoffs",
    "read_nih_regions",
    "read_points",
    "read_results",
    "read_rsna_regions",
    "read_saliency",
    "read_siim_regions",
    "read_summary",
    "read_thresholds",
    "read_vindr_regions",
    "saliency_files",
    "segmentation_json",
    "truth_file",
]
