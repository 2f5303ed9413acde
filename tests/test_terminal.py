import io
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from cxrbench.terminal import ProgressBar, write_line


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Terminal]:
    """What makes stderr a terminal, within a test: pytest puts its own stream there before each."""

    def open_terminal() -> Terminal:
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return open_terminal


def work(bar: ProgressBar) -> None:
    with bar as progress:
        for done in range(1, 5):
            progress(done, 4, f"case {done}")


def broken_off() -> None:
    with ProgressBar("films drawn") as progress:
        progress(1, 4)
        raise KeyboardInterrupt


def test_on_a_terminal_one_bar_counts_to_the_end_and_says_what_is_done_now(
    terminal: Callable[[], Terminal], capsys: pytest.CaptureFixture[str]
) -> None:
    stream = terminal()
    work(ProgressBar("films drawn"))
    shown = stream.getvalue().split("\r")[-1]
    assert "films drawn: 100%" in shown
    assert "4/4" in shown
    assert "case 4" in shown
    assert stream.getvalue().count("\n") == 1
    assert not capsys.readouterr().out


def test_without_a_terminal_there_is_one_line_when_all_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    work(ProgressBar("films drawn"))
    assert capsys.readouterr().err == "4 of 4 films drawn\n"
    work(ProgressBar("films drawn", final_line=False))
    assert capsys.readouterr().err == ""


def test_without_a_terminal_long_work_says_now_and_then_how_long_it_will_take(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([10.0, 15.0, 30.0, 35.0])
    monkeypatch.setattr("cxrbench.terminal.time", SimpleNamespace(monotonic=lambda: next(clock)))
    with ProgressBar("films judged", every=20) as progress:
        for done in (40, 41, 42, 43, 44):  # an earlier run judged 40
            progress(done, 44)
    assert capsys.readouterr().err.splitlines() == [
        "42 of 44 films judged, 10 s each, 00:20 left",
        "44 of 44 films judged",
    ]


def test_what_an_earlier_run_did_does_not_count_for_the_rate(terminal: Callable[[], Terminal]) -> None:
    stream = terminal()
    with ProgressBar("films judged") as progress:
        progress(40, 44)
        assert progress._bar is not None
        assert progress._bar.initial == 40
        progress(44, 44)
    assert "44/44" in stream.getvalue()


def test_work_that_is_broken_off_leaves_no_final_line_and_ends_the_bars_own(
    terminal: Callable[[], Terminal],
) -> None:
    stream = terminal()
    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert stream.getvalue().endswith("\n")
    assert "4/4" not in stream.getvalue()


def test_a_line_stands_above_the_bar(terminal: Callable[[], Terminal]) -> None:
    stream = terminal()
    with ProgressBar("films drawn") as progress:
        progress(1, 4)
        write_line("a note", sys.stderr)
        progress(4, 4)
    assert "\ra note\n" in stream.getvalue()
