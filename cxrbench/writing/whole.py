"""Atomic writing of files and folders.

A file is written beside its place and renamed at the end: whoever reads it sees the old one or the new one,
and a command that fails, is interrupted or killed leaves the old one as it was.
"""

import errno
import itertools
import os
import platform
import shutil
import tempfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TextIO

from cxrbench.errors import InputError

__all__ = [
    "check_targets",
    "draft",
    "draft_folder",
    "open_text",
    "write_bytes",
    "write_text",
]

# Which machine a draft belongs to: process numbers mean nothing on another.
_MACHINE: Final = f"{zlib.crc32(platform.node().encode()):08x}"
_DISK: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM}
_LONGEST_NAME: Final = 180  # bytes; with what a draft's name adds, below the 255 of common file systems
_numbers = itertools.count()


@contextmanager
def draft(path: Path | str, *, sync: bool = False) -> Iterator[Path]:
    """Within it, a path in the target's folder to write to; afterwards the file has the target's name.

    If the block raises anything, the draft is removed and the target stays as it was. A link is followed: the
    file it names is replaced. What is no regular file (``/dev/stdout``, a pipe) is written to directly.

    Args:
        path: the target; its folder must exist.
        sync: wait until the bytes are on the disk before the name is given, for files that must survive a
            power cut.

    Raises:
        InputError: the target is a folder, or its folder cannot be written to, or the disk is full.
    """
    path, own = Path(path), None
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder, and a file was to be written there; name a file.")
        if path.exists() and not path.is_file():
            yield path
            return
        target = path.resolve()
        own = _named(target)
        _sweep(target)
        yield own
        if sync:
            with own.open("r+b") as file:
                os.fsync(file.fileno())
        if target.exists():
            own.chmod(target.stat().st_mode)
        own.replace(target)
    except OSError as error:
        # Only what writing this file met: the block may have been ended by a pipe, a signal or a reader.
        if error.errno not in _DISK and str(error.filename) not in (str(path), str(own)):
            raise
        raise InputError(
            f"{path} cannot be written ({error.strerror}); choose another place, or make room there."
        ) from error
    finally:
        with suppress(OSError):  # not to hide why the block failed
            if own is not None:
                own.unlink(missing_ok=True)


@contextmanager
def draft_folder(folder: Path) -> Iterator[Path]:
    """Within it, an empty folder to fill; afterwards it has the target's name, and what was there is gone.

    If the block raises anything, the target stays as it was. Whether it may be replaced is for the caller to
    decide.

    Args:
        folder: the target; its parents are made if need be.

    Raises:
        InputError: the folder it is to lie in cannot be written to, or the disk is full.
    """
    scratch = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        new, old = scratch / "new", scratch / "old"
        new.mkdir()  # with the usual rights; the folder around it can be read by its owner alone
        yield new
        try:
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
        except BaseException:
            if old.exists() and not folder.exists():
                old.rename(folder)
            raise
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise InputError(
            f"{folder} cannot be written ({error.strerror}); choose another place, or make room there."
        ) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def write_bytes(path: Path | str, data: bytes, *, sync: bool = False) -> None:
    """Write a file of these bytes; arguments and errors as in ``draft``."""
    with draft(path, sync=sync) as own:
        own.write_bytes(data)


def write_text(path: Path | str, text: str, *, sync: bool = False) -> None:
    """Write a file of this text in UTF-8, lines ended as they are; arguments and errors as in ``draft``."""
    write_bytes(path, text.encode("utf-8"), sync=sync)


@contextmanager
def open_text(path: Path | str) -> Iterator[TextIO]:
    """A text file in UTF-8 to write line by line, as the csv module wants it; errors as in ``draft``."""
    with draft(path) as own, own.open("w", newline="", encoding="utf-8") as stream:
        yield stream


def check_targets(
    targets: Collection[Path],
    *,
    inputs: Iterable[Path] = (),
    replaceable: Collection[Path] = (),
    force: bool = False,
) -> None:
    """Refuse to write where something of the user's would be lost; to be asked before any work.

    Args:
        targets: the files that are to be written.
        inputs: files that are read: none is ever written over, whatever ``force`` says.
        replaceable: those of the targets that this program wrote and may write again.
        force: replace existing files.

    Raises:
        InputError: a target is a folder, an input, or a file that exists; the sentence names the remedy.
    """
    files = []
    for path in targets:
        try:
            if path.is_dir():
                raise InputError(f"{path} is a folder, and a file was to be written there; name a file.")
            if path.is_file():  # /dev/stdout may be written to again and again
                files.append(path)
        except OSError as error:  # a name too long, a folder that may not be entered
            raise InputError(f"{path} cannot be written ({error.strerror}); choose another place.") from error
    read = {_identity(path) for path in inputs if path.is_file()} if files else set()
    for path in files:
        if _identity(path) in read:
            raise InputError(f"{path} is read by this command and never written over; name another file.")
    others = [path for path in files if path not in replaceable]
    if others and not force:
        names = f"{', '.join(map(str, others[:3]))}{' …' if len(others) > 3 else ''}"
        raise InputError(
            f"{names} exist{'s' * (len(others) == 1)} already and may hold something of yours; choose "
            f"another place, or add --force to replace {'it' if len(others) == 1 else 'them'}."
        )


def _identity(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_dev, about.st_ino


def _stem(target: Path) -> str:
    name = target.name
    while len(name.encode()) > _LONGEST_NAME:
        name = name[:-1]
    return f".{name}.{_MACHINE}-"


def _named(target: Path) -> Path:
    """A name that no other process or thread has; its beginning is the target's, hidden."""
    return target.with_name(f"{_stem(target)}{os.getpid()}-{next(_numbers)}.part")


def _sweep(target: Path) -> None:
    """Remove drafts of processes that were killed: a run that is killed often would fill the disk."""
    stem = _stem(target)
    with suppress(OSError):
        for entry in os.scandir(target.parent):
            if entry.name.startswith(stem) and entry.name.endswith(".part"):
                number = entry.name.removeprefix(stem).partition("-")[0]
                if number.isdecimal() and not _alive(int(number)):
                    Path(entry).unlink(missing_ok=True)


def _alive(process: int) -> bool:
    if os.name == "nt":  # there, the signal 0 would be sent
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
