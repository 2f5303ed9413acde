"""A folder of results that a command may overwrite: it knows which files are its own."""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from cxrbench.writing.content import file_sha256
from cxrbench.writing.whole import check_targets, draft, write_text

__all__ = ["OwnFolder"]


class OwnFolder:
    """A folder whose files this program may overwrite, unless something else has changed them.

    ``written.json`` in the folder lists the SHA-256 of every file written. A file that is not listed, or
    whose content has changed, is not this program's.

    Args:
        folder: where the files go; created with the first file.
    """

    _LIST: Final = "written.json"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self, names: Collection[str], *, inputs: Iterable[Path] = (), force: bool = False) -> None:
        """Refuse to overwrite files that this program did not write; arguments as for ``check_targets``."""
        paths = [self.folder / name for name in names]
        known = self._known()
        own = [path for name, path in zip(names, paths, strict=True) if self._owns(known, name)]
        check_targets(paths, inputs=inputs, replaceable=own, force=force)

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """Like ``draft``, for a file in this folder, which is recorded as this program's."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft(path) as temporary:
            yield temporary
            # Record the hashes of both the old and the new content: an interruption leaves either.
            known = self._known()
            old = [file_sha256(path)] if self._owns(known, name) else []
            known[name] = [*old, file_sha256(temporary)]
            write_text(self.folder / self._LIST, json.dumps(known, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write text to a file in UTF-8."""
        with self.draft(name) as temporary:
            temporary.write_bytes(text.encode("utf-8"))

    @contextmanager
    def open_text(self, name: str) -> Iterator[TextIO]:
        """Open a text file in UTF-8 for writing, as the csv module needs it."""
        with self.draft(name) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
            yield stream

    def _known(self) -> dict[str, list[str]]:
        """SHA-256 of the files written, by name; empty if the list cannot be read."""
        try:
            known = json.loads((self.folder / self._LIST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(known, dict):
            return {}
        return {name: hashes for name, hashes in known.items() if isinstance(hashes, list)}

    def _owns(self, known: dict[str, list[str]], name: str) -> bool:
        path = self.folder / name
        return name in known and path.is_file() and file_sha256(path) in known[name]
