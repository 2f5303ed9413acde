"""A phantom's link holds all of its settings, and refuses anything else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrbench.app.services.phantom_link import read, write
from cxrbench.app.services.phantom_settings import DIALS, MAX_SEED, PhantomSettings
from cxrbench.data.phantom import FINDINGS, KINDS
from cxrbench.errors import InputError

SEVERITIES = st.integers(1, 20).map(lambda step: step / 20)


def dialled(steps: int, name: str) -> float:
    dial = DIALS[name]
    value = round(dial.low + steps * dial.step, 4)
    return 10.0**value if dial.log else value


@st.composite
def phantom_settings(draw: st.DrawFn) -> PhantomSettings:
    findings = draw(st.sets(st.sampled_from(sorted(FINDINGS))))
    by_hand = draw(st.booleans())
    shortcuts = draw(st.sets(st.sampled_from(sorted(KINDS))))
    return PhantomSettings(
        seed=draw(st.integers(0, MAX_SEED)),
        view=draw(st.sampled_from(["PA", "AP", "LATERAL"])),
        take=draw(st.integers(0, 99)),
        sex=draw(st.sampled_from([None, "F", "M"])),
        age=draw(st.none() | st.integers(18, 90)),
        findings=tuple((name, draw(SEVERITIES)) for name in FINDINGS if name in findings),
        shot=tuple((name, dialled(draw(st.integers(0, 9)), name)) for name in DIALS) if by_hand else (),
        shortcuts=tuple(kind for kind in KINDS if kind in shortcuts),
    )


@given(phantom_settings())
def test_a_link_restores_the_settings(settings: PhantomSettings) -> None:
    assert read(write(settings)) == settings


def test_a_link_is_readable() -> None:
    settings = PhantomSettings(7, "LATERAL", findings=(("Pleural Effusion", 0.8),))
    assert write(settings) == "seed:7,projection:Lateral,pleural_effusion:0.8"


WRONG = (
    "seed seed:-1 seed:1000000 seed:1e3 projection:LATERAL sex:F age:17 gout:0.5 edema:1.5 edema:nan edema: "
    "photons:9 shortcut:none film:100 seed:7,,edema:0.5"
)


@pytest.mark.parametrize("text", ["", *WRONG.split()])
def test_an_invalid_item_is_named(text: str) -> None:
    with pytest.raises(InputError, match="choose one on the Phantom page"):
        read(text)


@given(st.text(max_size=40))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    with contextlib.suppress(InputError):
        assert 0 <= read(text).seed <= MAX_SEED
