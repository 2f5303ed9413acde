"""Cache of healthy bodies: rendering another finding of the same patient does not build the body again."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache

import numpy as np

from cxrbench.data.phantom.anatomy import Patient
from cxrbench.data.phantom.lateral import LateralScene, build_lateral
from cxrbench.data.phantom.scene import Scene, build
from cxrbench.data.phantom.view import Geometry, draw_geometry

__all__ = ["healthy", "healthy_lateral"]

# Pixels per side above which a body is not kept: at this size it takes 32 MB, a lateral one 16 MB.
_LARGEST = 512


def healthy(patient: Patient, geometry: Geometry, exposure: int) -> Scene:
    """The patient without findings in a frontal beam.

    Args:
        patient: whom.
        geometry: what `draw_geometry` drew for this patient and exposure.
        exposure: its number.

    Returns:
        The scene; its arrays are read-only where it is kept.
    """
    if geometry.size > _LARGEST:
        return build(patient, geometry)
    return _kept(patient, geometry.view.name, geometry.size, exposure)


def healthy_lateral(patient: Patient, geometry: Geometry, exposure: int) -> LateralScene:
    """The same in a lateral beam."""
    if geometry.size > _LARGEST:
        return build_lateral(patient, geometry, exposure)
    return _kept_lateral(patient, geometry.size, exposure)


@lru_cache(maxsize=2)
def _kept(patient: Patient, view: str, size: int, exposure: int) -> Scene:
    scene = build(patient, draw_geometry(patient, view, size, exposure))
    _protect(scene)
    return scene


@lru_cache(maxsize=2)
def _kept_lateral(patient: Patient, size: int, exposure: int) -> LateralScene:
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
