"""``Order``: everything that decides a simulated radiograph, and the values that it may hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["DIALS", "MAX_SEED", "SEXES", "VIEWS_BY_NAME", "Dial", "Order"]

MAX_SEED: Final = 999_999
# What a control and the address say → what the phantom calls it.
VIEWS_BY_NAME: Final = {"PA": "PA", "AP": "AP", "Lateral": "LATERAL"}
SEXES: Final = {"as drawn": None, "woman": "F", "man": "M"}


@dataclass(frozen=True)
class Order:
    """All that decides a phantom's film; hashable, so that the film can be kept by it.

    Args:
        seed: the patient.
        view: one of the phantom's views.
        take: number of the exposure: another one places the same patient anew.
        sex: "F", "M", or None for the drawn one.
        age: years, or None for the drawn ones.
        findings: (finding, severity), in the order of the list.
        shot: (setting, value) of the exposure, where it is set by hand.
        shortcuts: what is planted.
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
    """A setting of the exposure as a slider.

    Args:
        title: how the page calls it.
        low, high, step: of the slider.
        typical: where it starts.
        words: what it does.
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
        "Quanta that reach a pixel of 0.7 mm where nothing is in the way, as a power of ten. Noise is the "
        "root of their number: a tenth of the dose is three times as noisy.",
        log=True,
    ),
    "scatter": Dial(
        "Scatter", 0.0, 1.5, 0.05, 0.4, "Scattered over direct radiation behind the body. It veils contrast."
    ),
    "blur": Dial("Blur", 0.02, 0.2, 0.01, 0.04, "Width of the detector's blur, cm."),
    "contrast": Dial("Contrast", 1.0, 5.0, 0.1, 2.1, "Steepness of the maker's S-shaped curve."),
    "gamma": Dial("Darkness", 0.5, 2.0, 0.05, 1.0, "Exponent after the curve: above 1 the film is darker."),
    "flatten": Dial(
        "Equalisation",
        0.0,
        0.9,
        0.05,
        0.5,
        "Share of the coarse differences in brightness that is taken out.",
    ),
    "detail": Dial("Sharpening", 0.0, 1.5, 0.05, 0.35, "Gain of structures of a few millimetres."),
}
