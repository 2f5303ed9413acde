"""``InputError``: invalid user input; and look-up of names, which lists the known ones."""

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
    """A mistake that its maker can mend: one sentence with what was expected, what came, and the remedy.

    The CLI prints the sentence and exits with 2; a page shows it in a red box. Any other exception is a bug.
    Values that the sentence quotes are shown as plain Python's: 0.5, where NumPy says np.float64(0.5).
    """

    def __init__(self, *arguments: object) -> None:
        super().__init__(*(_plain(one) if isinstance(one, str) else one for one in arguments))


def _plain(text: str) -> str:
    return _NUMPY_SCALAR.sub(lambda found: found[1] or found[2], text)


def look_up(what: str, name: str, table: Mapping[str, Entry]) -> Entry:
    """The entry of that name.

    Args:
        what: the kind of thing it is, for the sentence.
        name: its key.
        table: where it should be.

    Raises:
        InputError: it is not there; the sentence lists what is.
    """
    if name not in table:
        raise InputError(f"Unknown {what} {name!r:.80}; choose from: {', '.join(table)}.")
    return table[name]
