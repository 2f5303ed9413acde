"""Cache of healthy bodies: rendering another finding of the same patient does not build the body again."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache

import numpy as np

from cxrbench.data.phantom.anatomy import Patient
from cxrbench.data.phantom.lateral import LateralScene, build_lateral
from cxrbench.data.phantom.scene import Scene, build
from cxrbench.data.phantom.view import RayGeometry, draw_geometry

__all__ = ["healthy", "healthy_lateral"]

# Pixels per side above which a body is not cached: at this size it takes 32 MB, a lateral one 16 MB.
_MAX_CACHED_SIZE = 512


def healthy(patient: Patient, geometry: RayGeometry, exposure: int) -> Scene:
    """The scene of a patient without findings in a frontal beam.

    Args:
        patient: the body.
        geometry: of `draw_geometry` for this patient and exposure.
        exposure: number of the exposure.

    Returns:
        The scene; its arrays are read-only if it is cached.
    """
    if geometry.size > _MAX_CACHED_SIZE:
        return build(patient, geometry)
    return _cached_frontal(patient, geometry.view.name, geometry.size, exposure)


def healthy_lateral(patient: Patient, geometry: RayGeometry, exposure: int) -> LateralScene:
    """The same in a lateral beam."""
    if geometry.size > _MAX_CACHED_SIZE:
        return build_lateral(patient, geometry, exposure)
    return _cached_lateral(patient, geometry.size, exposure)


@lru_cache(maxsize=2)
def _cached_frontal(patient: Patient, view: str, size: int, exposure: int) -> Scene:
    scene = build(patient, draw_geometry(patient, view, size, exposure))
    _protect(scene)
    return scene


@lru_cache(maxsize=2)
def _cached_lateral(patient: Patient, size: int, exposure: int) -> LateralScene:
    scene = build_lateral(patient, draw_geometry(patient, "LATERAL", size, exposure), exposure)
    _protect(scene)
    return scene


def _protect(part: object) -> None:
    """Make every array of a scene read-only."""
    if isinstance(part, np.ndarray):
        part.setflags(write=False)
    elif isinstance(part, Mapping):
        for value in part.values():
            _protect(value)
    elif is_dataclass(part):
        for field in fields(part):
            _protect(getattr(part, field.name))
