"""Tables of a lesson's file: keys are taken one by one with their check; errors name file and line."""

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

from cxrbench.errors import InputError
from cxrbench.teaching.lessons.toml_lines import Path, line_of

__all__ = ["Table"]

_MAX_TEXT: Final = 4000


class Table:
    """A table of a TOML file, whose keys are taken one by one.

    Args:
        content: key → value.
        file: name of the file, for messages.
        lines: of ``toml_lines``.
        path: of the table.
    """

    def __init__(
        self, content: Mapping[str, Any], file: str, lines: dict[Path, int], path: Path = ()
    ) -> None:
        self._content = content
        self._file = file
        self._lines = lines
        self._path = path
        self._taken: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._content

    def refuse(self, problem: str, key: str = "") -> NoReturn:
        """Raise an ``InputError`` that names the file, the line and the place in the lesson."""
        path = (*self._path, key) if key else self._path
        raise InputError(f"{self._file}, line {line_of(self._lines, path)}: {problem}")

    def text(self, key: str, default: str | None = None, *, choices: Sequence[str] = ()) -> str:
        """A text that is not empty; one of ``choices``, if there are any."""
        value = self._take(key, default, "a text in quotation marks")
        if default is not None and key not in self._content:
            return default
        if not isinstance(value, str) or not value.strip() or len(value) > _MAX_TEXT:
            self.refuse(
                f"{key} must be a text in quotation marks of 1 to {_MAX_TEXT} characters; got {value!r:.60}.",
                key,
            )
        if choices and value not in choices:
            near = difflib.get_close_matches(value, choices, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; choose from: {', '.join(choices)}."
            self.refuse(f"{key} {value[:60]!r} is not known{hint}", key)
        return str(value).strip()

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of texts."""
        value = self._take(key, list(default), 'a list of texts, such as ["grad_cam"]')
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            self.refuse(f'{key} must be a list of texts, such as ["grad_cam"]; got {value!r:.60}.', key)
        return tuple(value)

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number; infinite only by default."""
        value = self._take(key, default, "a number")
        if default is not None and key not in self._content:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.refuse(f"{key} must be a number without quotation marks; got {value!r:.60}.", key)
        return float(value)

    def table(self, key: str) -> "Table":
        """The table of a key; an empty one where the key is missing."""
        self._taken.add(key)
        value = self._content.get(key, {})
        if not isinstance(value, Mapping):
            self.refuse(f"{key} must be a table, [….{key}]; got {value!r:.60}.", key)
        return Table(value, self._file, self._lines, (*self._path, key))

    def tables(self, key: str) -> list["Table"]:
        """The tables of an array, ``[[key]]`` or ``key = [{…}, …]``; empty where the key is missing."""
        self._taken.add(key)
        value = self._content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            self.refuse(f"{key} must be a list of tables, [[{key}]] or {key} = [{{…}}, …].", key)
        return [
            Table(each, self._file, self._lines, (*self._path, key, number))
            for number, each in enumerate(value)
        ]

    def named_tables(self, key: str) -> dict[str, "Table"]:
        """Name → table, of ``[….key.name]``."""
        inner = self.table(key)
        return {name: inner.table(name) for name in inner._content}

    def rest(self, known: Iterable[str]) -> dict[str, str | float]:
        """The texts and numbers of those keys that are there."""
        found: dict[str, str | float] = {}
        for key in known:
            if key in self._content:
                text = isinstance(self._content[key], str)
                found[key] = self.text(key) if text else self.number(key)
        return found

    def finish(self) -> None:
        """Refuse a key that nothing takes."""
        for key in self._content:
            if key not in self._taken:
                known = sorted(self._taken)
                near = difflib.get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}."
                self.refuse(f"{key!r} has no meaning here; {hint}", key)

    def _take(self, key: str, default: object, expected: str) -> Any:
        self._taken.add(key)
        if key not in self._content and default is None:
            self.refuse(f"{key} is missing; add {key} = …, {expected}.")
        return self._content.get(key, default)
