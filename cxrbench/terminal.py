"""What long work shows on a terminal: one progress bar, and lines that do not break it."""

import sys
import time
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
        every: seconds between lines with rate and time left where there is no terminal; None for none. The
            rate is that since the first count, which may be of what an earlier run did.
        in_bytes: what is counted are bytes, shown as MB.
    """

    def __init__(
        self, what: str, *, final_line: bool = True, every: float | None = None, in_bytes: bool = False
    ) -> None:
        self.what, self.final_line, self.every, self.in_bytes = what, final_line, every, in_bytes
        self._bar: tqdm | None = None  # made with the first count: only then is the total known
        self._first = 0
        self._started = self._written = 0.0

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
                # What was done before the first count does not count for the rate.
                self._bar = tqdm(
                    total=total or None,
                    initial=done,
                    desc=self.what,
                    file=sys.stderr,
                    dynamic_ncols=True,
                    **({"unit": "B", "unit_scale": True} if self.in_bytes else {}),
                )
            if now:
                self._bar.set_postfix_str(now, refresh=False)
            self._bar.update(done - self._bar.n)
        elif self.final_line and done == total:
            write_line(self._counted(done, total), sys.stderr)
        elif self.every is not None:
            self._line(done, total, self.every)

    def _line(self, done: int, total: int, every: float) -> None:
        now = time.monotonic()
        if not self._started:
            self._first, self._started, self._written = done, now, now
        elif now - self._written >= every and done > self._first:
            self._written = now
            each = (now - self._started) / (done - self._first)
            left = tqdm.format_interval(each * (total - done))
            rate = f"{1e-6 / each:.3g} MB/s" if self.in_bytes else f"{each:.3g} s each"
            write_line(f"{self._counted(done, total)}, {rate}, {left} left", sys.stderr)

    def _counted(self, done: int, total: int) -> str:
        if self.in_bytes:
            return f"{done / 1e6:.1f} of {total / 1e6:.1f} MB {self.what}"
        return f"{done} of {total} {self.what}"


def write_line(text: str, stream: TextIO | None = None) -> None:
    """Write a line at once, above the bar if there is one; to stdout unless a stream is given."""
    tqdm.write(text, file=stream or sys.stdout)
    (stream or sys.stdout).flush()
