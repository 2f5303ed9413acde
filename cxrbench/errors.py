"""``InputError``: invalid user input; look-up of names, which lists the known ones."""

import re
from collections.abc import Mapping
from typing import Final, TypeVar

__all__ = ["InputError", "look_up"]

Entry = TypeVar("Entry")

# How NumPy 2 writes a single value: np.float64(0.5), np.str_('Edema'), np.True_.
_NUMPY_SCALAR: Final = re.compile(
    r"\bnp\.(?:(?:u?int|float|longdouble|str_|bytes_)\d*\(([^()]*)\)|(True|False)_)"
)


class InputError(ValueError):
    """Invalid user input: one sentence with the expectation, the value received, and the remedy.

    The CLI prints it and exits with 2; a page shows it in an error box. Any other exception is a bug.
    NumPy scalars in the message are written as plain Python: 0.5 instead of np.float64(0.5).
    """

    def __init__(self, *arguments: object) -> None:
        super().__init__(*(_plain(value) if isinstance(value, str) else value for value in arguments))


def _plain(text: str) -> str:
    return _NUMPY_SCALAR.sub(lambda match: match[1] or match[2], text)


def look_up(what: str, name: str, table: Mapping[str, Entry]) -> Entry:
    """Return the entry of a table by name.

    Args:
        what: kind of entry, for the error message.
        name: key in the table.
        table: entries by name.

    Raises:
        InputError: the name is unknown; the message lists the known ones.
    """
    if name not in table:
        raise InputError(f"Unknown {what} {name!r:.80}; choose from: {', '.join(table)}.")
    return table[name]
