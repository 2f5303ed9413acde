"""What commands say on stderr, beside their output on stdout."""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

__all__ = ["name_files", "note", "progress", "with_time_left"]

_NAMED: Final = 5  # files that are named one by one; 'cxrbench check' names them all


def progress(verb: str) -> Callable[[int, int], None]:
    """A count on stderr: in place on a terminal, else a line a tenth."""

    def tell(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(
                f"\r{done} of {total} {verb}", end="\n" if done == total else "", file=sys.stderr, flush=True
            )
        elif done == total or done % max(1, total // 10) == 0:
            print(f"{done} of {total} {verb}", file=sys.stderr)

    return tell


def with_time_left(verb: str, *, every: float = 10.0) -> Callable[[int, int], None]:
    """A count on stderr every so many seconds and at the end, with how long it will still take."""
    started = last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done < total and now - last < every:
            return
        last = now
        minutes = (total - done) * (now - started) / max(done, 1) / 60
        left = f", about {minutes:.0f} min left" if minutes >= 1 else ", less than a minute left"
        print(f"{done} of {total} {verb}{left if done < total else ''}", file=sys.stderr, flush=True)

    return tell


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
    """Say a line on stderr, if there is one."""
    if text:
        print(f"cxrbench: {text}", file=sys.stderr)
