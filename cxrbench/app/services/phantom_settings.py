"""``PhantomSettings``: everything that determines a simulated radiograph, and the values allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["DIALS", "MAX_SEED", "SEXES", "VIEWS_BY_NAME", "Dial", "PhantomSettings"]

MAX_SEED: Final = 999_999
# Name in the control and in the URL → name in `cxrbench.data.phantom`.
VIEWS_BY_NAME: Final = {"PA": "PA", "AP": "AP", "Lateral": "LATERAL"}
SEXES: Final = {"as drawn": None, "woman": "F", "man": "M"}


@dataclass(frozen=True)
class PhantomSettings:
    """Everything that determines a phantom's radiograph; hashable, so that it can be a cache key.

    Args:
        seed: the patient.
        view: one of the phantom's views.
        take: number of the exposure; another number positions the same patient again.
        sex: "F", "M", or None for a random one.
        age: years, or None for a random one.
        findings: (finding, severity) pairs, in the order of `FINDINGS`.
        shot: (setting, value) pairs of the exposure; empty for random ones.
        shortcuts: the markers that are planted.
    """

    seed: int = 1
    view: str = "PA"
    take: int = 0
    sex: str | None = None
    age: int | None = None
    findings: tuple[tuple[str, float], ...] = ()
    shot: tuple[tuple[str, float], ...] = ()
    shortcuts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dial:
    """One exposure setting as a slider.

    Args:
        title: label of the slider.
        low, high, step: range of the slider.
        typical: initial value.
        words: help text.
        log: the slider holds the setting's decimal logarithm.
    """

    title: str
    low: float
    high: float
    step: float
    typical: float
    words: str
    log: bool = False


DIALS: Final[Mapping[str, Dial]] = {
    "photons": Dial(
        "Dose",
        3.5,
        6.5,
        0.1,
        5.5,
        "Photons per unattenuated pixel of 0.7 mm, as a power of ten. Noise is the square root of their "
        "number: a tenth of the dose is relatively three times as noisy.",
        log=True,
    ),
    "scatter": Dial(
        "Scatter",
        0.0,
        1.5,
        0.05,
        0.4,
        "Ratio of scattered to primary radiation behind the body. Scatter lowers contrast.",
    ),
    "blur": Dial("Blur", 0.02, 0.2, 0.01, 0.04, "Width of the detector's blur in cm."),
    "contrast": Dial("Contrast", 1.0, 5.0, 0.1, 2.1, "Slope of the S-shaped characteristic curve."),
    "gamma": Dial("Darkness", 0.5, 2.0, 0.05, 1.0, "Exponent after the curve: above 1 the image is darker."),
    "flatten": Dial(
        "Equalisation",
        0.0,
        0.9,
        0.05,
        0.5,
        "Share of the low-frequency differences in brightness that is removed.",
    ),
    "detail": Dial("Sharpening", 0.0, 1.5, 0.05, 0.35, "Gain for structures of a few millimetres."),
}
