"""Messages of commands on stderr, beside their output on stdout."""

import sys
from collections.abc import Sequence
from typing import Final

from cxrbench.terminal import write_line

__all__ = ["name_files", "note"]

_MAX_LISTED: Final = 5  # files; 'cxrbench check' lists all


def name_files(lines: Sequence[str], what: str) -> None:
    """Write problems with files to stderr: their number, and the first few.

    Args:
        lines: one sentence per file, with its name; nothing is written if empty.
        what: text after the number.
    """
    if not lines:
        return
    note(f"{len(lines)} {what}:")
    for line in lines[:_MAX_LISTED]:
        note(f"  {line}")
    if len(lines) > _MAX_LISTED:
        note(f"  … and {len(lines) - _MAX_LISTED} more; 'cxrbench check' lists every unreadable one")


def note(text: str) -> None:
    """Write a line to stderr, unless it is empty."""
    if text:
        write_line(f"cxrbench: {text}", sys.stderr)
