"""Downloads from the Hugging Face Hub that go on where they broke off, with progress, and are checked.

Recent versions of ``huggingface_hub`` write each attempt into a file of its own and remove it when the
attempt fails, so that an interrupted download begins anew. Here what was received is kept.
"""

import errno
import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, TypeAlias

from huggingface_hub import get_session, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]  # lazy

from cxrbench.errors import InputError
from cxrbench.models.fetch import explained, in_cache, metadata_of
from cxrbench.writing import file_sha256

__all__ = ["Progress", "download"]

# Called with what is received, how many bytes are there, and how many there are in all (0 if unknown); what
# it raises ends the download.
Progress: TypeAlias = Callable[[str, int, int], object]

_RETRIES: Final = 5  # in a row, without a byte received
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0  # seconds between attempts: doubled each time
_CHECK: Final = 0.2  # seconds between two looks at whether to stop, while waiting
_STALLED: Final = 15.0  # seconds without a byte after which a connection counts as broken
_TRANSIENT: Final = (408, 416, 429)  # HTTP statuses below 500 after which an attempt may succeed
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class _BrokenError(Exception):
    """The connection broke, or could not be made."""


def download(
    repository: str,
    filename: str,
    folder: Path,
    *,
    revision: str | None = None,
    sha256: str = "",
    progress: Progress | None = None,
) -> Path:
    """Download a file of a Hub repository into a folder, unless the Hub's cache on this machine has it.

    A download that fails or is stopped leaves what it received, as a ``.part`` file, and the next one goes
    on from there. At most one process may download into a folder at a time.

    Args:
        repository: ``owner/name``.
        filename: the file's path inside it.
        folder: where the file goes; created if missing.
        revision: a commit hash, or None for the newest.
        sha256: of the file; by default the one that the Hub states, if it states one.
        progress: called with the file's name, bytes received and bytes in all.

    Returns:
        Path of the complete file, whose SHA-256 was compared.

    Raises:
        InputError: the file is not available, the connection broke again and again, or its SHA-256 is
            another one.
    """
    cached = in_cache(repository, filename, revision=revision)
    if cached is not None and (not sha256 or file_sha256(cached) == sha256):
        return cached
    target = folder / Path(filename).name
    metadata = metadata_of(repository, filename, revision=revision)
    stated = metadata.etag if metadata.etag and _SHA256.fullmatch(metadata.etag) else ""
    _check(repository, filename, stated, sha256)  # before a byte is received in vain
    folder.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{(metadata.etag or 'unknown')[:16]}.part")
    if target.is_file() and stated and file_sha256(target) == stated:
        return target
    size = metadata.size

    def report(done: int) -> None:
        if progress is not None:
            progress(target.name, done, size or 0)

    try:
        _complete(hf_hub_url(repository, filename, revision=revision), part, size, report)
    except HfHubHTTPError as error:
        refused = f"The Hub refuses {filename} of {repository} ({error}); try again later."
        raise explained(error, repository, filename, refused, revision=revision) from None
    except _BrokenError as error:
        of_all = f" of {_megabytes(size)}" if size else ""
        raise InputError(
            f"The download of {filename} from {repository} broke off after {_megabytes(_size(part))}{of_all} "
            f"({error}); what was received is kept: try again to go on from there."
        ) from None
    try:
        _check(repository, filename, file_sha256(part) if sha256 or stated else "", sha256 or stated)
    except InputError:
        part.unlink()  # it would never become right
        raise
    return part.replace(target)


def _check(repository: str, filename: str, found: str, expected: str) -> None:
    """Compare two SHA-256; "" is unknown.

    Raises:
        InputError: they differ.
    """
    if found and expected and found != expected:
        raise InputError(
            f"{filename} of {repository} is not the expected file: its SHA-256 is {found[:12]}… instead of "
            f"{expected[:12]}…, so it was changed there or damaged on the way; it was not kept."
        )


def _complete(url: str, part: Path, size: int | None, report: Callable[[int], object]) -> None:
    """Receive the rest of a file, in as many attempts as bring something."""
    failures = 0
    while size is None or _size(part) != size:
        before = _size(part)
        try:
            with closing(_chunks(url, before)) as chunks:
                _append(part, chunks, report)
            if size is None:
                return
            reason = "it ended early"
        except _BrokenError as error:
            reason = str(error)
        if size is not None and _size(part) > size:
            part.unlink()
        failures = 0 if _size(part) > before else failures + 1
        if failures > _RETRIES:
            raise _BrokenError(reason)
        _wait(min(_FIRST_WAIT * 2**failures, _LONGEST_WAIT), lambda: report(_size(part)))


def _chunks(url: str, start: int) -> Generator[tuple[int, bytes]]:
    """The bytes of a file from ``start`` on, each piece with its position.

    Raises:
        _BrokenError: there is no connection, or it broke.
        HfHubHTTPError: the Hub refuses the file.
    """
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        with get_session().stream("GET", url, headers=headers, timeout=_STALLED) as response:
            hf_raise_for_status(response)
            position = start if response.status_code == 206 else 0  # without ranges: from the beginning
            for chunk in response.iter_bytes():
                yield position, chunk
                position += len(chunk)
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status < 500 and status not in _TRANSIENT:
            raise
        raise _BrokenError(f"the Hub answered {status}") from None
    except Exception as error:  # the types are those of an HTTP library, which depends on the version
        raise _BrokenError(type(error).__name__) from None


def _append(part: Path, chunks: Iterator[tuple[int, bytes]], report: Callable[[int], object]) -> None:
    try:
        with part.open("ab") as file:
            for position, chunk in chunks:
                if position != file.tell():
                    file.truncate(position)
                    file.seek(position)
                file.write(chunk)
                report(file.tell())
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(f"{part} cannot be written ({error.strerror}); make room there.") from None


def _wait(seconds: float, check: Callable[[], object]) -> None:
    """Wait, and call ``check`` all the while, which may raise."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        check()
        time.sleep(min(_CHECK, left))


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
