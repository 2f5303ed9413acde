"""The one exception that is meant for the person in front of the screen, and its commonest cause."""

from collections.abc import Mapping
from typing import TypeVar

__all__ = ["InputError", "look_up"]

Entry = TypeVar("Entry")


class InputError(ValueError):
    """A mistake that its maker can mend: one sentence with what was expected, what came, and the remedy.

    The CLI prints the sentence and exits with 2; a page shows it in a red box. Any other exception is a bug.
    """


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
