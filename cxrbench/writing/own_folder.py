"""A folder of results that a command may write again: it knows which files are its own."""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from cxrbench.writing.content import file_sha256
from cxrbench.writing.whole import check_targets, draft, write_text

__all__ = ["OwnFolder"]


class OwnFolder:
    """A folder whose files this program may write again, as long as nobody else has changed them.

    What was written is kept in ``written.json`` in the folder itself: the SHA-256 of every file. A file that
    is not in that list, or that no longer has its bytes, is somebody else's.

    Args:
        folder: where the files go; made by the first of them.
    """

    _LIST: Final = "written.json"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def check(self, names: Collection[str], *, inputs: Iterable[Path] = (), force: bool = False) -> None:
        """Refuse to write files of these names over what others wrote; as ``check_targets``."""
        paths = [self.folder / name for name in names]
        known = self._known()
        own = [path for name, path in zip(names, paths, strict=True) if self._owns(known, name)]
        check_targets(paths, inputs=inputs, replaceable=own, force=force)

    @contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """As ``draft``, of a file in this folder, which is then known to be this program's."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft(path) as own:
            yield own
            # Both the old bytes and the new, before the new ones have the name: a kill leaves either.
            known = self._known()
            kept = [file_sha256(path)] if self._owns(known, name) else []
            known[name] = [*kept, file_sha256(own)]
            write_text(self.folder / self._LIST, json.dumps(known, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write a file of this text in UTF-8."""
        with self.draft(name) as own:
            own.write_bytes(text.encode("utf-8"))

    @contextmanager
    def open_text(self, name: str) -> Iterator[TextIO]:
        """A text file in UTF-8 to write line by line, as the csv module wants it."""
        with self.draft(name) as own, own.open("w", newline="", encoding="utf-8") as stream:
            yield stream

    def _known(self) -> dict[str, list[str]]:
        """Name → SHA-256 of what was last written under it; nothing where the list cannot be read."""
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
