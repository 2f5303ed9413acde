"""Records which files were read, and by which version of the reading code, for caches."""

import ast
import hashlib
import time
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from cxrbench.writing import file_sha256

__all__ = ["Stamp", "reading_version", "sha256_or_empty", "stamp_of"]

# The modules that read and preprocess; what they import of this package is hashed with them.
_ENTRY_MODULES: Final = ("cxrbench.data.images", "cxrbench.preprocess.pipeline")
# Imported by them, but without effect on a pixel.
_EXCLUDED: Final = ("cxrbench.errors", "cxrbench.assets")
_LIBRARIES: Final = (
    *("numpy", "pillow", "opencv-python-headless", "pydicom", "tifffile"),
    *("pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg"),
)
# A file changed this recently may change again within one tick of the clock: its times are not trusted.
_RECENT: Final = 2_000_000_000  # nanoseconds; the coarsest clock of a usual file system


class Stamp(NamedTuple):
    """Size and times of a file; while they are unchanged, its bytes are taken to be unchanged.

    Args:
        size: in bytes; 0 where there was no file.
        modified: time of the last write, in nanoseconds; −1 where that was too recent to be trusted.
        changed: time of the last change of bytes, name or permissions; programs cannot set it, unlike
            ``modified``.
    """

    size: int = 0
    modified: int = 0
    changed: int = 0

    def holds(self, path: Path) -> bool:
        """Whether the file has this stamp now; False where there was no file, or its time was too recent."""
        return self.modified > 0 and stamp_of(path) == self


def stamp_of(path: Path) -> Stamp:
    """Stamp of a file, to be taken before the file is read; all zero where it cannot be accessed."""
    try:
        status = path.stat()
    except (OSError, ValueError):
        return Stamp()
    if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < _RECENT:
        return Stamp(status.st_size, -1, -1)
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def sha256_or_empty(path: Path) -> str:
    """The SHA-256 of a file's bytes; "" where it cannot be read."""
    try:
        return file_sha256(path)
    except (OSError, ValueError):
        return ""


@cache
def reading_version() -> str:
    """Hash (12 digits) of the code that turns files into pixels and of the versions of its decoders.

    The syntax tree of the code is hashed, so there is no version number to maintain; comments, docstrings and
    layout do not count.
    """
    digest = hashlib.sha256()
    for name, tree in sorted(_modules()):
        digest.update(f"{name}\n{ast.dump(_without_docstrings(tree))}\n".encode())
    for library in _LIBRARIES:
        try:
            digest.update(f"{library} {version(library)}\n".encode())
        except PackageNotFoundError:  # optional, or installed under another name
            digest.update(f"{library} none\n".encode())
    return digest.hexdigest()[:12]


def _modules() -> Iterator[tuple[str, ast.Module]]:
    """Name and syntax tree of each module of this package that reads or preprocesses images."""
    pending, seen = list(_ENTRY_MODULES), set(_EXCLUDED)
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        spec = find_spec(name)
        if spec is None or spec.origin is None:  # a name within a module, not a module
            continue
        tree = ast.parse(Path(spec.origin).read_bytes())
        pending += _imported(tree)
        yield name, tree


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("cxrbench."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cxrbench."):
            yield node.module or ""
        elif isinstance(node, ast.ImportFrom) and node.module == "cxrbench":
            yield from (f"cxrbench.{alias.name}" for alias in node.names)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if (
            isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    return tree
