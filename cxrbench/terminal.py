"""What long work shows on a terminal: one progress bar, and lines that do not break it."""

import sys
from typing import Self, TextIO

from tqdm import tqdm

__all__ = ["ProgressBar", "write_line"]


class ProgressBar:
    """A bar on stderr while work goes on; where stderr is no terminal, one line once all is done.

    A context manager, whose value is to be called with (done, total):

        with ProgressBar("films drawn") as progress:
            write(folder, patients=8, progress=progress)

    Args:
        what: what is counted, in the plural, with what happens to it.
        final_line: whether to write the line "8 of 8 films drawn" where there is no terminal.
    """

    def __init__(self, what: str, *, final_line: bool = True) -> None:
        self.what, self.final_line = what, final_line
        self._bar: tqdm | None = None  # made with the first count: only then is the total known

    @property
    def visible(self) -> bool:
        """Whether stderr is a terminal, so that a bar is seen."""
        return sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, done: int, total: int, now: str = "") -> None:
        """Show that so many of all are done; and, beside the bar, what is being done now."""
        if self.visible:
            if self._bar is None:
                self._bar = tqdm(total=total, desc=self.what, file=sys.stderr, dynamic_ncols=True)
            if now:
                self._bar.set_postfix_str(now, refresh=False)
            self._bar.update(done - self._bar.n)
        elif self.final_line and done == total:
            write_line(f"{done} of {total} {self.what}", sys.stderr)


def write_line(text: str, stream: TextIO | None = None) -> None:
    """Write a line at once, above the bar if there is one; to stdout unless a stream is given."""
    tqdm.write(text, file=stream or sys.stdout)
    (stream or sys.stdout).flush()
