"""Geometry of one exposure: where each ray meets the patient."""

from dataclasses import dataclass

import numpy as np

from cxrbench.data.phantom.anatomy import Patient, generator
from cxrbench.data.phantom.solids import Array
from cxrbench.errors import InputError

__all__ = ["VIEWS", "RayGeometry", "ViewSetup", "draw_geometry"]


@dataclass(frozen=True)
class ViewSetup:
    """Position of the patient relative to source and detector.

    Attributes:
        name: "PA" or "AP", as in CheXpert's column, or "LATERAL".
        distance: from source to detector, cm.
        front_at_detector: the chest touches the detector (PA), so that the heart is hardly magnified; in a
            lateral view, the left side does.
        arms_down: arms beside the body and shoulder blades over the lungs.
        half: from the middle of the body to the detector, cm.
    """

    name: str
    distance: float
    front_at_detector: bool
    arms_down: bool
    half: float = 12


VIEWS = {
    view.name: view
    for view in (
        ViewSetup("PA", 183, True, False),
        ViewSetup("AP", 105, False, True),
        ViewSetup("LATERAL", 183, True, False, half=18),
    )
}


@dataclass(frozen=True)
class RayGeometry:
    """The grid of rays of one exposure.

    In a lateral view the roles change: the depth along the beam is x, to the patient's left, and the film's
    horizontal axis is −z, so that the front is on the film's left.

    Attributes:
        view: the position of the patient.
        size: pixels per side.
        field: side of the square detector, cm.
        across, down: detector coordinates of each ray from the patient's midline and lung apex (H, W), cm.
        rotation: shift of the front against the back, cm per cm of depth.
        tilt: the same along the body; positive for a beam that comes from the feet.
        middle: level at which the beam is centred, cm below the apex.
    """

    view: ViewSetup
    size: int
    field: float
    across: Array
    down: Array
    rotation: float
    tilt: float
    middle: float

    @property
    def spacing(self) -> float:
        """Centimetres per pixel on the detector."""
        return self.field / self.size

    def plane(self, depth: float) -> tuple[Array, Array]:
        """Patient coordinates (x, y) of each ray where it crosses the plane at this depth z."""
        gap = self.view.half - depth if self.view.front_at_detector else depth + self.view.half
        scale = np.float32((self.view.distance - gap) / self.view.distance)
        x = self.across * scale - np.float32(self.rotation * depth)
        y = (self.down - np.float32(self.middle)) * scale + np.float32(self.middle + self.tilt * depth)
        return x, y


def draw_geometry(patient: Patient, view: str, size: int, exposure: int) -> RayGeometry:
    """Draw the geometry of one exposure.

    Args:
        patient: the body.
        view: "PA", "AP" or "LATERAL".
        size: pixels per side, at least 64.
        exposure: number of the exposure; another number positions the same patient again.

    Returns:
        The grid of rays.

    Raises:
        InputError: the view is unknown, or the size is too small.
    """
    if view not in VIEWS:
        raise InputError(f"View {view!r} is not known; choose from: {', '.join(VIEWS)}.")
    if size < 64:
        raise InputError(
            f"A phantom needs a size of at least 64 pixels per side, got {size}; choose a larger size."
        )
    if view == "LATERAL":
        return _lateral_geometry(patient, size, exposure)
    rng = generator(patient.seed, "geometry", exposure)
    loose = 1.6 if VIEWS[view].arms_down else 1.0  # a portable film is less well aligned
    field = float(np.clip(2 * patient.chest_width * rng.normal(1.36, 0.06) + 0.7 * patient.fat, 31, 46))
    rotation, tilt = rng.normal(0, 0.028 * loose), rng.normal(0.02, 0.035 * loose)
    lean, shift = rng.normal(0, 0.018 * loose), rng.normal(0, 0.7 * loose)
    top = rng.normal(4.6, 0.9 * loose) + max(0.0, field - 36) * 0.25
    field = max(field, top + patient.lung_height + 7.5)
    grid = ((np.arange(size) + 0.5) * field / size).astype(np.float32)
    across, down = np.broadcast_arrays(
        grid[None, :] - np.float32(field / 2 + shift), grid[:, None] - np.float32(top)
    )
    leaned = across + np.float32(lean) * (down - np.float32(12))
    upright = down - np.float32(lean) * across
    return RayGeometry(VIEWS[view], size, field, leaned, upright, rotation, tilt, middle=12.0)


def _lateral_geometry(patient: Patient, size: int, exposure: int) -> RayGeometry:
    """The geometry of a lateral view: left side at the detector, arms raised."""
    rng = generator(patient.seed, "lateral geometry", exposure)
    top = rng.normal(3.6, 0.8)
    deep = 2 * (patient.chest_depth + 1.5 + 0.6 * patient.fat)
    field = max(top + 1.06 * patient.lung_height + rng.normal(8.5, 0.9), deep + rng.uniform(3.0, 6.0))
    rotation, tilt, lean = rng.normal(0, 0.03), rng.normal(0, 0.02), rng.normal(0, 0.03)
    shift = rng.normal(0, 0.7)
    grid = ((np.arange(size) + 0.5) * field / size).astype(np.float32)
    across, down = np.broadcast_arrays(
        grid[None, :] - np.float32(field / 2 + shift), grid[:, None] - np.float32(top)
    )
    leaned = across + np.float32(lean) * (down - np.float32(12))
    upright = down - np.float32(lean) * across
    return RayGeometry(VIEWS["LATERAL"], size, field, leaned, upright, rotation, tilt, middle=12.0)
