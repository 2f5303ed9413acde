"""Settings of a phantom as one parameter of a link, and back: ``seed:7,projection:Lateral,edema:0.6``."""

import math
from collections.abc import Callable
from typing import Any, Final, TypeVar

from cxrbench.app.services.phantom_settings import DIALS, MAX_SEED, SEXES, VIEWS_BY_NAME, PhantomSettings
from cxrbench.data.phantom import FINDINGS, KINDS
from cxrbench.errors import InputError

__all__ = ["read", "write"]

T = TypeVar("T")
_SLUGS: Final = {name.casefold().replace(" ", "_"): name for name in FINDINGS}
_VIEW_NAMES: Final = {view: name for name, view in VIEWS_BY_NAME.items()}
_SEX_NAMES: Final = {sex: name for name, sex in SEXES.items()}


def write(settings: PhantomSettings) -> str:
    """Settings as comma-separated ``name:value`` items, named as in the page's URL; without defaults."""
    items = [f"seed:{settings.seed}", f"projection:{_VIEW_NAMES[settings.view]}"]
    if settings.take:
        items.append(f"film:{settings.take}")
    if settings.sex is not None:
        items.append(f"sex:{_SEX_NAMES[settings.sex]}")
    if settings.age is not None:
        items.append(f"age:{settings.age}")
    slugs = {name: slug for slug, name in _SLUGS.items()}
    items += [f"{slugs[name]}:{severity:g}" for name, severity in settings.findings]
    items += [
        f"{name}:{math.log10(value) if DIALS[name].log else value:.6g}" for name, value in settings.shot
    ]
    items += [f"shortcut:{name}" for name in settings.shortcuts]
    return ",".join(items)


def read(text: str) -> PhantomSettings:
    """Inverse of ``write``. Findings and exposure settings are in the order of the page's controls.

    Raises:
        InputError: an unknown name, or a value outside the range of the Phantom page's controls.
    """
    fields: dict[str, Any] = {}
    severities: dict[str, float] = {}
    shot: dict[str, float] = {}
    shortcuts: list[str] = []
    for item in text[:1000].split(","):
        name, _, value = item.partition(":")
        if name in _FIELDS:
            field, parse = _FIELDS[name]
            fields[field] = _parsed(item, parse, value)
        elif name in _SLUGS:
            severities[_SLUGS[name]] = _parsed(item, _between(0.0, 1.0), value)
        elif name in DIALS:
            dial = DIALS[name]
            number = _parsed(item, _between(dial.low, dial.high), value)
            shot[name] = 10.0**number if dial.log else number
        elif name == "shortcut":
            shortcuts.append(_parsed(item, _one_of({kind: kind for kind in KINDS}), value))
        else:
            raise _refusal(item)
    return PhantomSettings(
        **fields,
        findings=tuple((name, severities[name]) for name in FINDINGS if name in severities),
        shot=tuple((name, shot[name]) for name in DIALS if name in shot),
        shortcuts=tuple(kind for kind in KINDS if kind in shortcuts),
    )


def _parsed(item: str, parse: Callable[[str], T], value: str) -> T:
    try:
        return parse(value)
    except (ValueError, KeyError) as error:
        raise _refusal(item) from error


def _refusal(item: str) -> InputError:
    return InputError(
        f"The link asks for a phantom with {item[:60]!r}, which cannot be "
        "simulated; choose one on the Phantom page."
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


# Name in the link → field of `PhantomSettings`, and the parser of its value.
_FIELDS: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {
    "seed": ("seed", _whole(0, MAX_SEED)),
    "projection": ("view", _one_of(dict(VIEWS_BY_NAME))),
    "film": ("take", _whole(0, 99)),
    "sex": ("sex", _one_of(dict(SEXES))),
    "age": ("age", _whole(18, 90)),
}
