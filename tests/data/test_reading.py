import ast
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from cxrbench.data import reading
from cxrbench.data.reading import Stamp, reading_version, sha256_or_empty, stamp_of


def aged(path: Any) -> None:
    before = path.stat().st_mtime_ns - 3_600_000_000_000
    os.utime(path, ns=(before, before))


def test_a_stamp_of_a_file_just_written_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"abc")
    assert stamp_of(path) == Stamp(3, -1, -1)
    assert not stamp_of(path).holds(path)
    assert stamp_of(tmp_path / "none") == Stamp()
    assert not Stamp().holds(tmp_path / "none")
    assert sha256_or_empty(tmp_path / "none") == ""


def test_a_stamp_holds_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"abc")
    monkeypatch.setattr(reading, "_RECENT", 0)
    stamp = stamp_of(path)
    assert stamp.holds(path)
    times = path.stat()
    path.write_bytes(b"xyz")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as rsync and cp -p do
    assert not stamp.holds(path)


def test_the_version_covers_every_reader_and_the_whole_preparation() -> None:
    names = {name for name, _ in reading._modules()}
    loaded = {name for name in sys.modules if name.startswith("cxrbench.preprocess.")}
    assert names >= {f"cxrbench.data.{name}" for name in ("images", "raster", "dicom", "grey")}
    assert names >= loaded - {name for name in loaded if name.endswith("__init__")}
    assert len(reading_version()) == 12


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("def f(x):\n    '''Words.'''\n    # why\n    return x + 1\n", True),
        ("def f(x):\n    return (x  +  1)\n", True),
        ("def f(x):\n    return x + 2\n", False),
    ],
)
def test_a_changed_statement_changes_the_version_and_a_changed_comment_does_not(
    other: str, same: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(source: str) -> str:
        monkeypatch.setattr(reading, "_modules", lambda: iter([("a", ast.parse(source))]))
        return reading_version.__wrapped__()

    assert (version("def f(x):\n    return x + 1\n") == version(other)) is same


def test_a_library_of_another_version_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = reading_version.__wrapped__()
    monkeypatch.setattr(reading, "version", lambda name: "0")
    assert reading_version.__wrapped__() != before
