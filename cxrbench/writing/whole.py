"""Atomic writing of files and folders.

A file is written under a temporary name and renamed at the end: readers see the old or the new file, and a
command that fails, is interrupted or killed leaves the old one unchanged.
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
    "create_folder",
    "draft",
    "draft_folder",
    "open_text",
    "write_bytes",
    "write_text",
]

# Machine that a draft belongs to: process identifiers are valid on one machine only.
_MACHINE: Final = f"{zlib.crc32(platform.node().encode()):08x}"
_DISK: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM}
_LONGEST_NAME: Final = 180  # bytes; with the suffix of a draft, below the 255 of common file systems
_numbers = itertools.count()


@contextmanager
def draft(path: Path | str, *, sync: bool = False) -> Iterator[Path]:
    """Context manager: a temporary path to write to, renamed to the target at the end.

    If the block raises, the temporary file is removed and the target is unchanged. Symbolic links are
    followed. A target that is no regular file (``/dev/stdout``, a pipe) is written to directly.

    Args:
        path: the target; its folder must exist.
        sync: flush to disk before renaming, for files that must survive a power failure.

    Raises:
        InputError: the target is a folder, its folder cannot be written to, or the disk is full.
    """
    path, temporary = Path(path), None
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder, where a file is to be written; name a file.")
        if path.exists() and not path.is_file():
            yield path
            return
        target = path.resolve()
        temporary = _temporary_path(target)
        _remove_stale(target)
        yield temporary
        if sync:
            with temporary.open("r+b") as file:
                os.fsync(file.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode)
        temporary.replace(target)
    except OSError as error:
        # Only errors of this file: the block may have failed at a pipe, a signal or a reader.
        if error.errno not in _DISK and str(error.filename) not in (str(path), str(temporary)):
            raise
        raise InputError(
            f"{path} cannot be written ({error.strerror}); choose another place, or make room there."
        ) from error
    finally:
        with suppress(OSError):  # keep the error of the block
            if temporary is not None:
                temporary.unlink(missing_ok=True)


def create_folder(folder: Path, remedy: str) -> None:
    """Create a folder with its parents, unless it exists.

    Args:
        folder: its path.
        remedy: end of the sentence where it cannot be created, such as "name another folder".

    Raises:
        InputError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be created ({error.strerror}); {remedy}.") from error


@contextmanager
def draft_folder(folder: Path) -> Iterator[Path]:
    """Context manager: an empty folder to fill, which replaces the target at the end.

    If the block raises, the target is unchanged. The caller checks whether it may be replaced.

    Args:
        folder: the target; its parents are created if necessary.

    Raises:
        InputError: the parent folder cannot be written to, or the disk is full.
    """
    scratch = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        new, old = scratch / "new", scratch / "old"
        new.mkdir()  # with default permissions; those of the folder around it are the owner's only
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
    """Write bytes to a file; arguments and errors as for ``draft``."""
    with draft(path, sync=sync) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path | str, text: str, *, sync: bool = False) -> None:
    """Write text to a file in UTF-8, with its own line ends; arguments and errors as for ``draft``."""
    write_bytes(path, text.encode("utf-8"), sync=sync)


@contextmanager
def open_text(path: Path | str) -> Iterator[TextIO]:
    """Open a text file in UTF-8 for writing, as the csv module needs it; errors as for ``draft``."""
    with draft(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        yield stream


def check_targets(
    targets: Collection[Path],
    *,
    inputs: Iterable[Path] = (),
    replaceable: Collection[Path] = (),
    force: bool = False,
) -> None:
    """Refuse to overwrite files of the user; call it before any work.

    Args:
        targets: the files to be written.
        inputs: files that are read; never overwritten, even with ``force``.
        replaceable: targets that this program wrote and may overwrite.
        force: replace existing files.

    Raises:
        InputError: a target is a folder, an input, or an existing file; the message names the remedy.
    """
    files = []
    for path in targets:
        try:
            if path.is_dir():
                raise InputError(f"{path} is a folder, where a file is to be written; name a file.")
            if path.is_file():  # /dev/stdout is no regular file and may be written to repeatedly
                files.append(path)
        except OSError as error:  # a name too long, a folder without permission
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
    status = path.stat()
    return status.st_dev, status.st_ino


def _stem(target: Path) -> str:
    name = target.name
    while len(name.encode()) > _LONGEST_NAME:
        name = name[:-1]
    return f".{name}.{_MACHINE}-"


def _temporary_path(target: Path) -> Path:
    """Hidden path beside the target, with a name that is unique to this process and call."""
    return target.with_name(f"{_stem(target)}{os.getpid()}-{next(_numbers)}.part")


def _remove_stale(target: Path) -> None:
    """Remove drafts of killed processes, which would fill the disk over time."""
    stem = _stem(target)
    with suppress(OSError):
        for entry in os.scandir(target.parent):
            if entry.name.startswith(stem) and entry.name.endswith(".part"):
                number = entry.name.removeprefix(stem).partition("-")[0]
                if number.isdecimal() and not _alive(int(number)):
                    Path(entry).unlink(missing_ok=True)


def _alive(process: int) -> bool:
    if os.name == "nt":  # Windows would send the signal 0
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
