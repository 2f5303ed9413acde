"""Polygons, masks and points of CheXlocalize (Saporta et al. 2022, doi:10.1038/s42256-022-00536-x)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw

from cxrbench.data.truth.regions import Region
from cxrbench.data.truth.runs import Runs
from cxrbench.errors import InputError
from cxrbench.labels import canonical, finding_key

__all__ = [
    "CHEXLOCALIZE",
    "Masks",
    "localised_finding",
    "patient_of",
    "polygon_mask",
    "read_chexlocalize",
    "read_chexlocalize_regions",
    "read_points",
    "segmentation_json",
]

# The findings that are localised, in the data set's own spelling and order.
CHEXLOCALIZE: Final = (
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Lesion",
    "Airspace Opacity",
    "Edema",
    "Consolidation",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Support Devices",
)

# Film → finding in the spelling of ``CHEXLOCALIZE`` → its mask; a finding that is not named is not there.
Masks = Mapping[str, Mapping[str, Runs]]

_BY_KEY: Final = {finding_key(name): name for name in CHEXLOCALIZE}


def localised_finding(name: str) -> str | None:
    """A finding in CheXlocalize's spelling ("Lung Opacity" is "Airspace Opacity"); None for another one."""
    return _BY_KEY.get(finding_key(name))


def patient_of(film: str) -> str:
    """The patient of a film named ``patient64541_study1_view1_frontal``."""
    return film.split("_")[0]


def read_chexlocalize(source: Path) -> Masks:
    """Read ``gt_annotations_*.json`` (polygons) or ``*_segmentations_*.json`` (COCO's run lengths).

    Polygons are drawn as CheXlocalize draws them, outline included. Findings that it does not localise are
    left out.

    Raises:
        InputError: not JSON, or a film of another form; the message names it.
    """
    masks: dict[str, dict[str, Runs]] = {}
    for film, entry in _objects(source):
        size = entry.get("img_size")
        if size is not None and not _is_size(size):
            raise InputError(f"{source.name}, {film}: img_size must be [height, width]; got {size!r:.40}.")
        found = {localised_finding(name): value for name, value in entry.items()}
        try:
            masks[film] = {
                name: Runs.from_coco(value) if size is None else _drawn(value, (size[0], size[1]))
                for name, value in found.items()
                if name is not None
            }
            if size is not None:
                missing = [name for name in CHEXLOCALIZE if name not in masks[film]]
                masks[film].update(dict.fromkeys(missing, Runs.empty((size[0], size[1]))))
        except InputError as error:
            raise InputError(f"{source.name}, {film}: {error}") from error
    return masks


def read_chexlocalize_regions(source: Path) -> list[Region]:
    """The annotated findings of all films, as regions; findings without a pixel are left out."""
    return [
        Region(film, patient_of(film), canonical(finding), runs.size, runs=runs)
        for film, findings in read_chexlocalize(source).items()
        for finding, runs in findings.items()
        if runs.area
    ]


def read_points(source: Path) -> Mapping[str, Mapping[str, np.ndarray]]:
    """Read readers' most representative points: film → finding → (P, 2) x and y in pixels of the film.

    Raises:
        InputError: not JSON, or something else than lists of points.
    """
    points: dict[str, dict[str, np.ndarray]] = {}
    for film, entry in _objects(source):
        found = {localised_finding(name): value for name, value in entry.items()}
        points[film] = {
            name: _points(value, f"{source.name}, {film}, {name}")
            for name, value in found.items()
            if name is not None
        }
    return points


def segmentation_json(masks: Masks) -> str:
    """Masks in the form of ``gradcam_segmentations_val.json``."""
    records = {
        film: {finding: runs.coco() for finding, runs in findings.items()} for film, findings in masks.items()
    }
    return json.dumps(records)


def polygon_mask(polygons: Sequence[np.ndarray], size: tuple[int, int]) -> np.ndarray:
    """The union of polygons with their outlines, (H, W) bool, as CheXlocalize draws them.

    Args:
        polygons: (P, 2) x and y of each; one of less than two points has no area and is left out.
        size: (H, W).
    """
    canvas = Image.new("1", (size[1], size[0]))
    draw = ImageDraw.Draw(canvas)
    for polygon in polygons:
        if len(polygon) > 1:
            draw.polygon([(float(x), float(y)) for x, y in polygon], outline=1, fill=1)
    return np.array(canvas, bool)


def _drawn(value: object, size: tuple[int, int]) -> Runs:
    if not isinstance(value, list):
        raise InputError(f"The polygons of a finding must be lists of [x, y]; got {value!r:.60}.")
    polygons = [_points(polygon, "polygon") for polygon in value]
    if not any(len(polygon) > 1 for polygon in polygons):
        return Runs.empty(size)
    return Runs.of(polygon_mask(polygons, size))


def _points(value: object, name: str) -> np.ndarray:
    try:
        points = np.array(value, np.float64).reshape(-1, 2)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name}: expected a list of points [x, y]; got {value!r:.60}.") from error
    if not np.isfinite(points).all():
        raise InputError(f"{name}: expected points [x, y] of finite numbers; got {value!r:.60}.")
    return points


def _is_size(size: object) -> bool:
    return isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)


def _objects(source: Path) -> list[tuple[str, dict[str, Any]]]:
    """The films of a JSON file, each an object."""
    try:
        content = json.loads(Path(source).read_bytes())
    except FileNotFoundError as error:
        raise InputError(f"There is no file {source}; check the path.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{source}: expected CheXlocalize's JSON, got another file ({error}).") from error
    if not isinstance(content, dict) or not all(isinstance(entry, dict) for entry in content.values()):
        raise InputError(f"{Path(source).name}: expected an object of films, each with its findings.")
    return list(content.items())
