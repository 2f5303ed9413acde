"""What commands say on stderr, beside their output on stdout."""

import sys
from collections.abc import Callable

__all__ = ["note", "progress"]


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


def note(text: str) -> None:
    """Say a line on stderr, if there is one."""
    if text:
        print(f"cxrbench: {text}", file=sys.stderr)
