"""Controls of the Phantom page; their state is one value, ``PhantomSettings``."""

from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.services.phantom_settings import DIALS, MAX_SEED, SEXES, VIEWS_BY_NAME, PhantomSettings
from cxrbench.data.phantom import FINDINGS, KINDS

__all__ = ["pick"]

_DEFAULT_FINDINGS: Final = ["Pleural Effusion"]  # one with a large mask


def pick() -> PhantomSettings:
    """Draw the controls and return their settings."""
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
        help="Markers that have nothing to do with the patient but may correlate with a finding: "
        + ", ".join(f"{name} is a {kind.title}" for name, kind in KINDS.items())
        + ". A network trained on images where a marker accompanies a finding learns the marker.",
    )
    return PhantomSettings(seed, view, take, sex, age, findings, _shot(), tuple(shortcuts))


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
            width=110,
            help="Seed of the simulation: the same number gives the same patient, pixel for pixel.",
        )
        st.button(
            "New",
            on_click=_new_patient,
            icon=":material/shuffle:",
            key="new_patient",
            help="Another patient",
            width=92,
        )
        take = st.number_input(
            "Exposure",
            0,
            99,
            0,
            key="film",
            bind="query-params",
            width=96,
            help="Another exposure of the same patient: positioned and exposed again.",
        )
    view = st.segmented_control(
        "View",
        list(VIEWS_BY_NAME),
        default="PA",
        required=True,
        key="projection",
        bind="query-params",
        help="PA is taken standing, AP at the bedside with the arms down: it magnifies the heart. The "
        "lateral view shows the same anatomy from the side.",
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
        default=_DEFAULT_FINDINGS,
        key="finding",
        bind="query-params",
        help="None selected: a healthy chest. A finding changes neither the body nor the noise nor other "
        "findings.",
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
                help="0.1: subtle, easily missed. 1: obvious.",
            ),
        )
        for name in FINDINGS
        if name in chosen
    )


def _shot() -> tuple[tuple[str, float], ...]:
    by_hand = st.toggle(
        "Set the exposure manually",
        key="by_hand",
        bind="query-params",
        help="Otherwise the settings are random for each exposure, in the range seen between hospitals.",
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
