"""A patient as parameters: identity and sizes of the parts, drawn once from a seed.

Lengths are centimetres. The axes are the patient's own: x grows to the patient's left (the right of a film),
y grows towards the feet from the tip of the lungs, z grows towards the front.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Patient", "draw_patient", "generator"]


@dataclass(frozen=True)
class Patient:
    """One body: the sizes from which every part is built.

    Attributes:
        seed: of this body; each part draws its small irregularities from a stream of its own.
        sex: "F" or "M".
        age: years.
        chest_width: from the midline to the inside of the ribs, at the widest.
        chest_depth: half the front-to-back depth of the lungs.
        lung_height: from the apex to the right dome of the diaphragm, at this inspiration.
        dome_gap: how much lower the left dome is than the right.
        fat: thickness of fat and muscle outside the ribs.
        breast: radius of a breast, 0 where none is visible.
        heart: half the transverse heart diameter.
        heart_upright: 0 for a horizontal heart, 1 for a vertical one.
        aorta: radius of the aortic knob.
        mediastinum: factor on the width of the upper mediastinum.
        bone: factor on the density of bone; falls with age.
        vessels: factor on the size of the lung vessels.
        lung_density: linear attenuation of aerated lung relative to water.
    """

    seed: int
    sex: str
    age: int
    chest_width: float
    chest_depth: float
    lung_height: float
    dome_gap: float
    fat: float
    breast: float
    heart: float
    heart_upright: float
    aorta: float
    mediastinum: float
    bone: float
    vessels: float
    lung_density: float


def generator(seed: int, *parts: str | int) -> np.random.Generator:
    """A random stream per named part, so that adding a part does not change the draws of another."""
    key = [seed]
    for part in parts:
        key.extend(part.encode() if isinstance(part, str) else [part])
    return np.random.default_rng(np.random.SeedSequence(key))


def draw_patient(seed: int, *, sex: str | None = None, age: int | None = None) -> Patient:
    """Draw one body.

    Args:
        seed: decides everything that is not given.
        sex: "F" or "M"; by default drawn with CheXpert's share of men (59 %).
        age: in years; by default drawn between 18 and 90, around 60.

    Returns:
        The body, before any finding.
    """
    rng = generator(seed, "body")
    drawn_sex = "M" if rng.random() < 0.59 else "F"
    drawn_age = int(np.clip(rng.normal(60, 18), 18, 90))
    sex, age = sex or drawn_sex, drawn_age if age is None else age
    size = (1.0 if sex == "M" else 0.91) * rng.normal(1, 0.04)
    stout = float(np.clip(rng.gamma(3.0, 0.34), 0.2, 2.6))  # about 1; its long tail are obese patients
    width = 14.2 * size * (1 + 0.03 * (stout - 1))
    ratio = float(np.clip(rng.normal(0.435 + 0.0007 * (age - 50), 0.025), 0.36, 0.485))
    breath = float(np.clip(rng.normal(1, 0.08), 0.78, 1.15))
    return Patient(
        seed=seed,
        sex=sex,
        age=age,
        chest_width=width,
        chest_depth=9.0 * size * rng.normal(1, 0.06) * (1 + 0.002 * (age - 50)),
        lung_height=21.5 * size * breath,
        dome_gap=rng.normal(1.2, 0.6),
        fat=1.4 + 1.6 * stout,
        breast=0.0 if sex == "M" else float(np.clip(rng.normal(6.0 + stout, 1.1), 4, 9.5)),
        heart=width * ratio,
        heart_upright=float(np.clip(rng.normal(0.5 + 0.8 * (breath - 1), 0.22), 0, 1)),
        aorta=float(np.clip(rng.normal(1.45 + 0.012 * (age - 50), 0.18), 1.0, 2.3)),
        mediastinum=rng.normal(1, 0.08),
        bone=float(np.clip(rng.normal(1.05 - 0.004 * (age - 50), 0.08), 0.7, 1.25)),
        vessels=rng.normal(1, 0.1),
        lung_density=float(np.clip(rng.normal(0.26, 0.025), 0.18, 0.34)),
    )
