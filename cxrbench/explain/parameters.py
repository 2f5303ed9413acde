"""Parameters of methods: frozen dataclasses whose fields carry a range, a unit and a sentence each.

Menus, the command line, links, cache keys and the documentation read them from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar

from cxrbench.errors import InputError
from cxrbench.labels import finding_slug

__all__ = [
    "MethodParameter",
    "NoParameters",
    "finding",
    "number",
    "option",
    "parameters_of",
    "read_parameters",
    "whole",
]

_KEY: Final = "parameter"
P = TypeVar("P")


@dataclass(frozen=True)
class MethodParameter:
    """What a menu or a parser needs to know of one parameter.

    Args:
        name: of the dataclass field.
        default: the value that is used unless another is given.
        about: what it does, in one sentence.
        low: smallest value; None for options.
        high: largest value; None for options.
        unit: of the value; "" if it has none.
        options: the values that can be chosen; empty for numbers.
        finding: whether a finding of the model can be chosen beside the options, by its
            ``labels.finding_slug``.
    """

    name: str
    default: int | float | str
    about: str
    low: float | None = None
    high: float | None = None
    unit: str = ""
    options: tuple[str, ...] = ()
    finding: bool = False

    def read(self, value: object) -> int | float | str:
        """The value in this parameter's type, from its type or from text.

        Raises:
            InputError: another type, or outside the range.
        """
        if self.options:
            if value in self.options:
                return str(value)
            if self.finding and (slug := finding_slug(str(value))):
                return slug  # whether a model has it is checked once there is a model
            raise InputError(
                f"Unknown {self.name} {str(value)!r:.60}; choose from: {', '.join(self.options)}."
            )
        kind = type(self.default)
        try:
            if isinstance(value, bool) or not isinstance(value, int | float | str):
                raise ValueError
            result = kind(value)
            if result != float(value):  # 2.5 is not a whole number; NaN is no number
                raise ValueError
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise InputError(f"{self.name} must be {what}; got {value!r:.60}.") from None
        if self.low is not None and self.high is not None and not self.low <= result <= self.high:
            raise InputError(f"{self.name} must lie between {self.low:g} and {self.high:g}; got {result:g}.")
        return result


def whole(default: int, low: int, high: int, about: str, *, unit: str = "") -> Any:
    """A dataclass field for a whole number between ``low`` and ``high``."""
    return _field(MethodParameter("", default, about, low, high, unit))


def number(default: float, low: float, high: float, about: str, *, unit: str = "") -> Any:
    """A dataclass field for a number between ``low`` and ``high``."""
    return _field(MethodParameter("", default, about, low, high, unit))


def option(default: str, options: tuple[str, ...], about: str) -> Any:
    """A dataclass field for one of several names."""
    return _field(MethodParameter("", default, about, options=options))


def finding(default: str, about: str) -> Any:
    """A dataclass field for a finding of the model, or ``default``: the method chooses one."""
    return _field(MethodParameter("", default, about, options=(default,), finding=True))


@dataclass(frozen=True)
class NoParameters:
    """Of a method that has none."""


def parameters_of(kind: type) -> tuple[MethodParameter, ...]:
    """The parameters of a dataclass, in the order of its fields."""
    return tuple(
        MethodParameter(**{**vars(each.metadata[_KEY]), "name": each.name})
        for each in fields(kind)
        if _KEY in each.metadata
    )


def read_parameters(kind: type[P], values: Mapping[str, object], method: str) -> P:
    """An instance of a dataclass of parameters; those not among ``values`` keep their defaults.

    Args:
        kind: the dataclass.
        values: name → value, or the text of one.
        method: title of the method, for the error message.

    Raises:
        InputError: an invalid value, or a name that the method does not have; the message lists those it has.
    """
    known = {parameter.name: parameter for parameter in parameters_of(kind)}
    for name in values:
        if name not in known:
            raise InputError(
                f"{method} has no parameter {name!r:.60}; choose from: {', '.join(known) or 'none'}."
            )
    return kind(**{name: known[name].read(value) for name, value in values.items()})


def _field(parameter: MethodParameter) -> Any:
    return field(default=parameter.default, metadata={_KEY: parameter})
