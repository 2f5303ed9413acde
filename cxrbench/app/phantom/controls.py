"""Controls of the Phantom page; their state is one value, ``Order``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import streamlit as st

from cxrbench.data.phantom import FINDINGS, KINDS

__all__ = ["DIALS", "MAX_SEED", "SEXES", "VIEWS_BY_NAME", "Dial", "Order", "pick"]

MAX_SEED: Final = 999_999
# What a control and the address say → what the phantom calls it.
VIEWS_BY_NAME: Final = {"PA": "PA", "AP": "AP", "Lateral": "LATERAL"}
_OPENED: Final = ["Pleural Effusion"]  # what the page opens with: a finding that fills many pixels
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


def pick() -> Order:
    """Draw the controls; returns what they say."""
    seed, view, take = _patient()
    sex, age = _body()
    findings = _findings()
    shortcuts = st.pills(
        "Planted shortcuts",
        list(KINDS),
        selection_mode="multi",
        wrap=True,
        key="shortcut",
        bind="query-params",
        help="What has nothing to do with the patient and yet may betray a finding: "
        + ", ".join(f"{name} is a {kind.title}" for name, kind in KINDS.items())
        + ". A network that is trained where a marker goes with a finding learns the marker.",
    )
    return Order(seed, view, take, sex, age, findings, _shot(), tuple(shortcuts))


def _new_patient() -> None:
    st.session_state["seed"] = int(np.random.default_rng().integers(1, MAX_SEED))


def _patient() -> tuple[int, str, int]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input(
            "Patient",
            0,
            MAX_SEED,
            1,
            key="seed",
            bind="query-params",
            width=120,
            help="The seed of this body: the same number is the same patient, to the last pixel.",
        )
        st.button(
            "New", on_click=_new_patient, icon=":material/shuffle:", key="new_patient", help="Another patient"
        )
        take = st.number_input(
            "Film",
            0,
            99,
            0,
            key="film",
            bind="query-params",
            width=76,
            help="The same patient placed and exposed anew.",
        )
    view = st.segmented_control(
        "View",
        list(VIEWS_BY_NAME),
        default="PA",
        required=True,
        key="projection",
        bind="query-params",
        help="PA is taken standing, AP at the bedside with the arms down: it magnifies the heart. The "
        "lateral film is of the same anatomy, from the side.",
    )
    return int(seed), VIEWS_BY_NAME[view or "PA"], int(take)


def _body() -> tuple[str | None, int | None]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sex = st.segmented_control(
            "Sex",
            list(SEXES),
            default="as drawn",
            required=True,
            key="sex",
            bind="query-params",
        )
        age = st.number_input(
            "Age",
            18,
            90,
            None,
            key="age",
            bind="query-params",
            placeholder="as drawn",
            width=116,
            help="With age, bones lose density and the aorta widens and unfolds. Empty: as drawn.",
        )
    return SEXES[sex or "as drawn"], None if age is None else int(age)


def _findings() -> tuple[tuple[str, float], ...]:
    chosen = st.pills(
        "Findings",
        list(FINDINGS),
        selection_mode="multi",
        wrap=True,
        default=_OPENED,
        key="finding",
        bind="query-params",
        help="None is a healthy chest. A finding moves neither the body nor the noise nor another finding.",
    )
    return tuple(
        (
            name,
            st.slider(
                f"Severity of {name}",
                0.05,
                1.0,
                0.6,
                0.05,
                key=f"severity_{name.casefold().replace(' ', '_')}",
                bind="query-params",
                help="At 0.1 a careful reader may miss it, at 1 nobody does.",
            ),
        )
        for name in FINDINGS
        if name in chosen
    )


def _shot() -> tuple[tuple[str, float], ...]:
    by_hand = st.toggle(
        "Set the exposure by hand",
        key="by_hand",
        bind="query-params",
        help="Otherwise every film has settings of its own, drawn as they vary between hospitals.",
    )
    if not by_hand:
        return ()
    values = []
    for name, dial in DIALS.items():
        value = st.slider(
            dial.title,
            dial.low,
            dial.high,
            dial.typical,
            dial.step,
            key=name,
            bind="query-params",
            help=dial.words,
            format="10^%.1f" if dial.log else None,
        )
        values.append((name, 10.0**value if dial.log else value))
    return tuple(values)
