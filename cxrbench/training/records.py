"""Dataclasses from TOML tables, and their differences from the defaults."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from cxrbench.errors import InputError

__all__ = ["changed", "record"]


def record(cls: Any, values: Mapping[str, Any], where: str) -> Any:
    """Create a dataclass from a TOML table; nested tables become nested dataclasses.

    Args:
        cls: the dataclass.
        values: the table.
        where: the table's name, for messages.

    Raises:
        InputError: a key is unknown or missing, or a value has the wrong type.
    """
    hints = get_type_hints(cls)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise InputError(f"{where} has unknown {', '.join(unknown)}; known are: {', '.join(hints)}.")
    required = [f.name for f in fields(cls) if f.default is f.default_factory]  # both are MISSING
    missing = [name for name in required if name not in values]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}; known are: {', '.join(hints)}.")
    return cls(**{name: _value(hints[name], value, f"{where}: {name}") for name, value in values.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        if not isinstance(value, dict):
            raise InputError(f"{where} must be a table; got {value!r}.")
        return record(hint, value, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise InputError(f"{where} must be a list; got {value!r}.")
        return tuple(_value(get_args(hint)[0], entry, where) for entry in value)
    if get_origin(hint) is dict:
        if not isinstance(value, dict):
            raise InputError(f"{where} must be a table; got {value!r}.")
        return {key: _value(get_args(hint)[1], entry, f"{where}: {key}") for key, entry in value.items()}
    kinds = {float: (int, float), int: (int,), str: (str,), bool: (bool,)}.get(hint)
    if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and hint is not bool)):
        raise InputError(f"{where} must be of type {hint.__name__}; got {value!r}.")
    return float(value) if hint is float else value


def changed(value: Any) -> dict[str, Any]:
    """Fields of a dataclass that differ from their default, also in nested ones."""
    differing: dict[str, Any] = {}
    for entry in fields(value):
        own = getattr(value, entry.name)
        default = entry.default if entry.default_factory is MISSING else entry.default_factory()
        if own != default:
            differing[entry.name] = _plain(own)
    return differing


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return changed(value) if is_dataclass(value) else value
