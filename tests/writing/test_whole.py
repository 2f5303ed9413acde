import errno
import os
import stat
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TextIO

import pytest

from cxrbench.errors import InputError
from cxrbench.writing import check_targets, draft, draft_folder, open_text, write_bytes, write_text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_complete_and_has_default_permissions(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "é\r\n")
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "a.txt").read_bytes() == "é\r\n".encode()
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "plain").stat().st_mode
    write_bytes(tmp_path / "a.txt", b"two", sync=True)
    assert (tmp_path / "a.txt").read_bytes() == b"two"
    assert names(tmp_path) == ["a.txt", "plain"]


def cut(writing: AbstractContextManager[TextIO], failure: BaseException | type[BaseException]) -> None:
    """Begin to write, and be ended by this."""
    with writing as stream:
        stream.write("new, but cut")
        raise failure


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, MemoryError, BrokenPipeError, SystemExit])
def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path: Path, failure: type[BaseException]) -> None:
    write_text(tmp_path / "a.csv", "old")
    with pytest.raises(failure):
        cut(open_text(tmp_path / "a.csv"), failure)
    assert (tmp_path / "a.csv").read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_a_full_disk_is_reported_and_leaves_the_old_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "old")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(InputError, match=r"a\.csv cannot be written \(No space left on device\); choose"):
        cut(open_text(tmp_path / "a.csv"), full)
    assert (tmp_path / "a.csv").read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_invalid_targets_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        write_text(tmp_path, "x")
    with pytest.raises(InputError, match=r"none/a\.txt cannot be written"):
        write_text(tmp_path / "none" / "a.txt", "x")
    with pytest.raises(InputError, match="File name too long"):
        write_text(tmp_path / ("a" * 300), "x")
    with pytest.raises(InputError, match="File name too long"):
        check_targets([tmp_path / ("a" * 300)])
    long = tmp_path / ("é" * 127)
    write_text(long, "x")
    assert names(tmp_path) == [long.name]


def test_a_link_is_followed_and_a_pipe_written_to(tmp_path: Path) -> None:
    write_text(tmp_path / "real.txt", "old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
    code = "from cxrbench.writing import write_text; write_text('/dev/stdout', 'said')"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "said"


def test_permissions_are_kept(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "old")
    (tmp_path / "a.txt").chmod(0o640)
    write_text(tmp_path / "a.txt", "new")
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


def test_drafts_of_killed_processes_are_removed_and_others_kept(tmp_path: Path) -> None:
    code = (
        "import os, sys; from cxrbench.writing import draft\n"
        "with draft(sys.argv[1]) as own: own.write_text('cut'); os._exit(9)"
    )
    target = tmp_path / "a.txt"
    subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert len(names(tmp_path)) == 1
    with draft(target) as own:  # a draft of a process that lives
        own.write_text("ours")
        write_text(target, "whole")
        assert len(names(tmp_path)) == 2
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_completely_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "model"
    for text in ("one", "two"):
        with draft_folder(target) as new:
            (new / "a.txt").write_text(text)
    assert (target / "a.txt").read_text() == "two"
    with pytest.raises(KeyboardInterrupt), draft_folder(target):
        raise KeyboardInterrupt
    assert (target / "a.txt").read_text() == "two"
    assert names(tmp_path) == ["model"]


def test_inputs_are_never_overwritten_and_other_files_only_with_force(tmp_path: Path) -> None:
    table, other = tmp_path / "labels.csv", tmp_path / "other.csv"
    table.write_text("a")
    other.write_text("b")
    (tmp_path / "alias.csv").symlink_to(table)
    for target in (table, tmp_path / "alias.csv", tmp_path / "." / "labels.csv"):
        for force in (False, True):
            with pytest.raises(InputError, match="is read by this command and never written over"):
                check_targets([target], inputs=[table], force=force)
    with pytest.raises(InputError, match=r"other\.csv exists already.*add --force"):
        check_targets([other, tmp_path / "new.csv"], inputs=[table])
    check_targets([other], inputs=[table], force=True)
    check_targets([other], inputs=[table], replaceable=[other])
    with pytest.raises(InputError, match="is a folder"):
        check_targets([tmp_path], force=True)
