"""The lateral view: frontal parts turned by 90°, and parts that only this view shows."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from cxrbench.data.phantom import soft, vessels
from cxrbench.data.phantom.anatomy import Patient, generator
from cxrbench.data.phantom.lateral_bones import bones
from cxrbench.data.phantom.lungs import SIDES, Lung, lung
from cxrbench.data.phantom.posture import at_level, front, middle, spine_depth
from cxrbench.data.phantom.scene import WATER, Scene
from cxrbench.data.phantom.solids import Array, ellipse, smoothstep, tube
from cxrbench.data.phantom.turn import Slab, slab, turn
from cxrbench.data.phantom.view import RayGeometry

__all__ = ["LateralScene", "aerate", "build_lateral", "heart_span", "lateral_attenuation", "turned"]


# Displaced lung relative to the heart's own path: fat fills the angles beside the heart.
_FAT = 1.35


@dataclass(frozen=True)
class LateralScene:
    """The parts in a beam from the side; a finding returns a changed copy.

    Attributes:
        side: the rays of the lateral film.
        slab: the upright grid that is turned.
        frontal: the frontal scene on that grid, without bones and vessels; findings change it first.
        body: path through the body as water, cm (H, W).
        air: path through aerated lung, cm, left and right together.
        blood: path through lung vessels, cm.
        gas: path through airways and bowel gas, cm.
        grain: relative unevenness of lung density.
        bone: attenuation of bone beyond water.
        added: attenuation that findings added or removed.
        outlines: "heart" and "lungs" → (H, W) bool.
    """

    side: RayGeometry
    slab: Slab
    frontal: Scene
    body: Array
    air: Array
    blood: Array
    gas: Array
    grain: Array
    bone: Array
    added: Array
    outlines: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def patient(self) -> Patient:
        """The body."""
        return self.frontal.patient


def build_lateral(patient: Patient, side: RayGeometry, exposure: int) -> LateralScene:
    """Build the scene of a healthy patient in a beam from right to left."""
    grid = slab(patient, exposure)
    frontal = _frontal(patient, grid.geometry)
    scene = LateralScene(
        side=side,
        slab=grid,
        frontal=frontal,
        body=_body_path(patient, grid, side),
        air=np.zeros_like(side.across),
        blood=_blood(patient, frontal, side),
        gas=_airways(patient, side) + _bowel(patient, grid, side),
        grain=vessels.grain(patient, side),
        bone=bones(patient, side),
        added=np.zeros_like(side.across),
    )
    air, outlines = aerate(scene)
    return replace(scene, air=air, outlines=outlines)


def _frontal(patient: Patient, geometry: RayGeometry) -> Scene:
    """The soft parts of the frontal scene, on the grid that is turned."""
    none = np.zeros((geometry.size, geometry.size), np.float32)
    full = np.full_like(none, patient.lung_density)
    rib = np.full_like(none, 0.2)  # as if everywhere, for a fracture to break
    return Scene(
        patient=patient,
        geometry=geometry,
        body=soft.body(patient, geometry),
        lungs={side: lung(patient, geometry, side) for side in SIDES},
        heart=soft.heart(patient, geometry),
        great=soft.great_vessels(patient, geometry),
        blood=none,
        grain=none,
        air=none,
        bone=rib,
        density=dict.fromkeys(SIDES, full),
        fluid=dict.fromkeys(SIDES, none),
        added=none,
    )


def lateral_attenuation(scene: LateralScene) -> Array:
    """Line integral of attenuation per ray (H, W), without noise."""
    air = np.minimum(scene.air, np.maximum(scene.body - 4, 0))
    density = np.float32(scene.patient.lung_density) * (1 + scene.grain)
    blood = np.minimum(np.float32(2.0) * scene.blood, air)
    missing = (air - blood) * (1 - density)
    water = np.maximum(scene.body - missing - np.minimum(scene.gas, 0.5 * scene.body), 0)
    inside = scene.body > 0
    total: Array = WATER * water + scene.bone * inside + scene.added
    return np.maximum(total, 0).astype(np.float32)


def turned(scene: LateralScene, weight: Array | float, low: Array, high: Array, x: float) -> Array:
    """Project what fills these depths of the upright grid onto the rays of the lateral film."""
    return scene.slab.project(turn(weight, low, high, scene.slab.spacing), scene.side, x)


def heart_span(patient: Patient, frontal: Scene) -> tuple[Array, Array]:
    """Depths at which the heart begins and ends, cm: it rests on the front wall and leans backwards."""
    _, y = frontal.geometry.plane(0.0)
    _, cy = soft.heart_centre(patient)
    half = frontal.heart / 2
    centre = at_level(front, patient, cy) - 0.6 - half.max() + np.float32(0.3) * (y - np.float32(cy))
    return centre - half, centre + half


def aerate(scene: LateralScene) -> tuple[Array, dict[str, np.ndarray]]:
    """Path through aerated lung, and the outlines of lungs and heart, from the current frontal scene."""
    frontal, spacing = scene.frontal, scene.slab.spacing
    _, y = frontal.geometry.plane(0.0)
    centre = middle(scene.patient, y)
    heart_depths = heart_span(scene.patient, frontal)
    vessels_end = centre - 0.6 + frontal.great / 2
    vessels_end = np.where(frontal.heart > 0, np.minimum(vessels_end, heart_depths[0]), vessels_end)
    vessel_depths = (centre - 0.6 - frontal.great / 2, vessels_end)
    air = np.zeros_like(scene.side.across)
    lungs = np.zeros(air.shape, bool)
    for name, sign in SIDES.items():
        part = frontal.lungs[name]
        whole = np.zeros(y.shape)
        for low, high in _spans(part, centre):
            whole += turn(1.0, low, high, spacing)
            for share, (start, end) in ((_FAT, heart_depths), (1.0, vessel_depths)):
                whole -= turn(share, np.maximum(low, start), np.minimum(high, end), spacing)
        path = scene.slab.project(np.maximum(whole, 0), scene.side, sign * 0.5 * scene.patient.chest_width)
        lungs |= path > 1
        air += path
    shadow = turned(scene, 1.0, *heart_depths, 2.0)
    return air, {"heart": shadow > 0.5, "lungs": lungs}


def _spans(part: Lung, centre: Array) -> list[tuple[Array, Array]]:
    """The depths that a lung fills, behind and in front of its dome."""
    return [
        (centre + low, np.where(part.length > 0, centre + high, centre + low)) for low, high in part.spans()
    ]


def _body_path(patient: Patient, grid: Slab, side: RayGeometry) -> Array:
    """Path through the body without its raised arms; breasts are in front of it."""
    x, y = grid.geometry.plane(0.0)
    whole = soft.body(patient, grid.geometry)
    flat = soft.body(replace(patient, breast=0.0), grid.geometry) if patient.breast else whole
    blur = 1.3 / grid.spacing  # lumps of fat average out along the beam, but not along the skin
    whole, flat = (cv2.GaussianBlur(part, (0, 0), blur).astype(np.float32) for part in (whole, flat))
    trunk = np.where(np.abs(x) < patient.chest_width + patient.fat + 0.7, np.minimum(whole, flat), 0)
    centre = middle(patient, y) * np.float32(0.8) - np.float32(0.5)
    path = turn(1.0, centre - trunk / 2, centre + trunk / 2, grid.spacing)
    breast = np.where(trunk > 0, np.maximum(whole - flat - np.float32(0.5), 0), 0)
    path = path + turn(1.0, centre + trunk / 2, centre + trunk / 2 + breast * 1.3, grid.spacing)
    return grid.project(path, side, 0.0)


def _blood(patient: Patient, frontal: Scene, side: RayGeometry) -> Array:
    """Path through the vessels of both lungs, cm: the frontal trees with a depth for every branch."""
    total = np.zeros_like(side.across)
    for name, sign in SIDES.items():
        tree = _with_depth(patient, frontal, name)
        u, y = side.plane(sign * 0.5 * patient.chest_width)
        total += vessels.rasterise(tree, side, -u, y)
    u, y = side.plane(0.0)
    rng = generator(patient.seed, "hilum", "lateral")
    for name, dz, dy in (("right", 1.0, 0.6), ("left", -1.1, -0.6)):
        _, level = vessels.hilum(patient, name)
        hilum_depth = float(at_level(middle, patient, level)) - 0.6
        for _ in range(4):
            place = (hilum_depth + dz + rng.normal(0, 0.5), level + dy + rng.normal(0, 0.6))
            radii = (rng.uniform(0.6, 1.1), rng.uniform(0.7, 1.3), 0.8)
            total += np.float32(0.45) * ellipse(-u, y, place, radii, rng.uniform(0, 3))
    return total


def _with_depth(patient: Patient, frontal: Scene, name: str) -> np.ndarray:
    """One lung's vessels as (z, y) segments: a child starts at its parent's end, at a slight angle."""
    tree = vessels.vessel_tree(patient, name)
    wobble = generator(patient.seed, "vessel depth", name).standard_normal(len(tree))
    length = np.hypot(tree[:, 2] - tree[:, 0], tree[:, 3] - tree[:, 1])
    before, after, slope = -0.6 + 0.4 * wobble, np.zeros(len(tree)), 0.9 * wobble
    for chosen, parents in _generations(tree):
        if len(parents):
            before[chosen], slope[chosen] = after[parents], slope[parents]
        slope[chosen] = 0.95 * slope[chosen] + 0.22 * wobble[chosen]
        after[chosen] = before[chosen] + slope[chosen] * length[chosen]
    reach, step = frontal.lungs[name].reach, frontal.geometry.spacing
    x, y = frontal.geometry.plane(0.0)
    flat = []
    for depth, px, py in ((before, tree[:, 0], tree[:, 1]), (after, tree[:, 2], tree[:, 3])):
        column = np.clip(np.rint((px - x[0, 0]) / step), 0, x.shape[1] - 1).astype(int)
        row = np.clip(np.rint((py - y[0, 0]) / step), 0, x.shape[0] - 1).astype(int)
        room = 0.9 * np.maximum(reach[row, column], 1.0)
        flat += [room * np.tanh(depth / room) + middle(patient, py), py]
    return np.stack([*flat, tree[:, 4]], 1)


def _generations(tree: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield indices of segments and of their parents, generation by generation; the first has no parents."""
    start, end = tree[:, 0] + 1j * tree[:, 1], tree[:, 2] + 1j * tree[:, 3]
    order = np.argsort(end)
    parent = order[np.minimum(np.searchsorted(end[order], start), len(tree) - 1)]
    orphan = end[parent] != start
    chosen = np.flatnonzero(orphan)
    yield chosen, chosen[:0]
    rest = np.flatnonzero(~orphan)
    done = orphan
    while len(rest):
        ready = done[parent[rest]]
        chosen, rest = rest[ready], rest[~ready]
        yield chosen, parent[chosen]
        done[chosen] = True


def _airways(patient: Patient, side: RayGeometry) -> Array:
    """Path through the trachea, which leans back, and the two upper bronchi seen end on."""
    u, y = side.plane(0.0)
    z, fork = -u, patient.lung_height * 0.3 + 2.0
    radius = 0.85 if patient.sex == "M" else 0.72
    level = np.array([-13.0, -7.0, -2.0, 2.0, fork - 1, fork + 0.8])
    path = np.stack([spine_depth(patient, level) + np.array([2.6, 2.5, 3.2, 4.2, 5.0, 5.2]), level], 1)
    pipe = tube(z, y, path, radius)
    fork_end = path[-1]
    for drop, width, path_length in ((0.3, 0.5, 1.6), (2.6, 0.6, 2.4)):
        hole = ellipse(
            z, y, (float(fork_end[0]) - 0.1, float(fork_end[1]) + drop), (width, width * 1.1, path_length / 2)
        )
        pipe = np.maximum(pipe, hole)
    return np.float32(1.3) * pipe


def _bowel(patient: Patient, grid: Slab, side: RayGeometry) -> Array:
    """Gas of stomach and bowel, in front of the middle."""
    gas = soft.bowel(patient, grid.geometry)
    _, y = grid.geometry.plane(0.0)
    centre = middle(patient, y) + np.float32(2.5)
    deep = np.float32(0.9) * gas + np.float32(0.6) * smoothstep(gas)
    return grid.project(turn(1.0, centre - deep, centre + deep, grid.spacing), side, 5.0)
