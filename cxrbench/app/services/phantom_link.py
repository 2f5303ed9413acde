"""A phantom's order as one parameter of a link, and back: ``seed:7,projection:Lateral,edema:0.6``."""

import math
from collections.abc import Callable
from typing import Any, Final, TypeVar

from cxrbench.app.services.phantom_order import DIALS, MAX_SEED, SEXES, VIEWS_BY_NAME, Order
from cxrbench.data.phantom import FINDINGS, KINDS
from cxrbench.errors import InputError

__all__ = ["read", "write"]

T = TypeVar("T")
_SLUGS: Final = {name.casefold().replace(" ", "_"): name for name in FINDINGS}
_VIEW_NAMES: Final = {view: name for name, view in VIEWS_BY_NAME.items()}
_SEX_NAMES: Final = {sex: name for name, sex in SEXES.items()}


def write(order: Order) -> str:
    """An order in words named as in the Phantom page's address; what holds without a word is left out."""
    words = [f"seed:{order.seed}", f"projection:{_VIEW_NAMES[order.view]}"]
    if order.take:
        words.append(f"film:{order.take}")
    if order.sex is not None:
        words.append(f"sex:{_SEX_NAMES[order.sex]}")
    if order.age is not None:
        words.append(f"age:{order.age}")
    slugs = {name: slug for slug, name in _SLUGS.items()}
    words += [f"{slugs[name]}:{severity:g}" for name, severity in order.findings]
    words += [f"{name}:{math.log10(value) if DIALS[name].log else value:.6g}" for name, value in order.shot]
    words += [f"shortcut:{name}" for name in order.shortcuts]
    return ",".join(words)


def read(text: str) -> Order:
    """``write`` undone. Findings and dials come back in the order of the page's controls.

    Raises:
        InputError: a word that no order holds, or a value beyond the controls of the Phantom page.
    """
    given: dict[str, Any] = {}
    severities: dict[str, float] = {}
    shot: dict[str, float] = {}
    shortcuts: list[str] = []
    for word in text[:1000].split(","):
        name, _, value = word.partition(":")
        if name in _SIMPLE:
            field, parse = _SIMPLE[name]
            given[field] = _parsed(word, parse, value)
        elif name in _SLUGS:
            severities[_SLUGS[name]] = _parsed(word, _between(0.0, 1.0), value)
        elif name in DIALS:
            dial = DIALS[name]
            number = _parsed(word, _between(dial.low, dial.high), value)
            shot[name] = 10.0**number if dial.log else number
        elif name == "shortcut":
            shortcuts.append(_parsed(word, _one_of({kind: kind for kind in KINDS}), value))
        else:
            raise _refusal(word)
    return Order(
        **given,
        findings=tuple((name, severities[name]) for name in FINDINGS if name in severities),
        shot=tuple((name, shot[name]) for name in DIALS if name in shot),
        shortcuts=tuple(kind for kind in KINDS if kind in shortcuts),
    )


def _parsed(word: str, parse: Callable[[str], T], value: str) -> T:
    try:
        return parse(value)
    except (ValueError, KeyError) as error:
        raise _refusal(word) from error


def _refusal(word: str) -> InputError:
    return InputError(
        f"The link asks for a phantom with {word[:60]!r}, which cannot be ordered; "
        "order one on the Phantom page."
    )


def _whole(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not (value.isascii() and value.isdigit()) or not low <= int(value[:9]) <= high:
            raise ValueError(value)
        return int(value)

    return parse


def _between(low: float, high: float) -> Callable[[str], float]:
    def parse(value: str) -> float:
        if not low <= float(value) <= high:  # NaN is nowhere between
            raise ValueError(value)
        return float(value)

    return parse


def _one_of(known: dict[str, T]) -> Callable[[str], T]:
    return known.__getitem__


# Word of the link → field of the order, and what reads its value.
_SIMPLE: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "seed": ("seed", _whole(0, MAX_SEED)),
    "projection": ("view", _one_of(dict(VIEWS_BY_NAME))),
    "film": ("take", _whole(0, 99)),
    "sex": ("sex", _one_of(dict(SEXES))),
    "age": ("age", _whole(18, 90)),
}
