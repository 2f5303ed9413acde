"""What commands say on stderr, beside their output on stdout."""

import sys
from collections.abc import Sequence
from typing import Final

from cxrbench.terminal import write_line

__all__ = ["name_files", "note"]

_NAMED: Final = 5  # files that are named one by one; 'cxrbench check' names them all


def name_files(lines: Sequence[str], what: str) -> None:
    """Say on stderr what is the matter with some files: how many, and the first of them.

    Args:
        lines: a sentence per file, which names it; nothing is said where there are none.
        what: the end of "3 …".
    """
    if not lines:
        return
    note(f"{len(lines)} {what}:")
    for line in lines[:_NAMED]:
        note(f"  {line}")
    if len(lines) > _NAMED:
        note(f"  … and {len(lines) - _NAMED} more; 'cxrbench check' on the table names every unreadable one")


def note(text: str) -> None:
    """Write a line to stderr, if there is one."""
    if text:
        write_line(f"cxrbench: {text}", sys.stderr)
