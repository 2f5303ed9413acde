"""Controls of the Phantom page; their state is one value, ``Order``."""

from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.services.phantom_order import DIALS, MAX_SEED, SEXES, VIEWS_BY_NAME, Order
from cxrbench.data.phantom import FINDINGS, KINDS

__all__ = ["pick"]

_OPENED: Final = ["Pleural Effusion"]  # what the page opens with: a finding that fills many pixels


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
