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

# Where reading and preparing begin; what these import of this package belongs to them.
_BEGINNINGS: Final = ("cxrbench.data.images", "cxrbench.preprocess.pipeline")
# They decide no pixel.
_BESIDE: Final = ("cxrbench.errors", "cxrbench.assets")
_LIBRARIES: Final = (
    *("numpy", "pillow", "opencv-python-headless", "pydicom", "tifffile"),
    *("pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg"),
)
# A file changed so short a time ago may be changed again without its times moving on: they are not trusted.
_RECENT: Final = 2_000_000_000  # nanoseconds; the coarsest clock of a usual file system


class Stamp(NamedTuple):
    """How a file looked from outside: where this is as before, the bytes are taken to be, too.

    Args:
        size: in bytes; 0 where there was no file.
        modified: when its bytes were last written, in nanoseconds; −1 where that was too recent to be told.
        changed: when bytes, name or rights last changed; a program can set ``modified``, but not this.
    """

    size: int = 0
    modified: int = 0
    changed: int = 0

    def holds(self, path: Path) -> bool:
        """Whether the file still looks as it did; False where there was none, or it cannot be told."""
        return self.modified > 0 and stamp_of(path) == self


def stamp_of(path: Path) -> Stamp:
    """How a file looks now, to be asked before it is read; all zero where it cannot be asked."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return Stamp()
    if time.time_ns() - max(about.st_mtime_ns, about.st_ctime_ns) < _RECENT:
        return Stamp(about.st_size, -1, -1)
    return Stamp(about.st_size, about.st_mtime_ns, about.st_ctime_ns)


def sha256_or_empty(path: Path) -> str:
    """The SHA-256 of a file's bytes; "" where it cannot be read."""
    try:
        return file_sha256(path)
    except (OSError, ValueError):
        return ""


@cache
def reading_version() -> str:
    """Twelve digits that change when the code that makes pixels of a file does, or a library it decodes with.

    It is the code's own syntax tree that is hashed, so nobody has to remember to raise a number; comments,
    docstrings and layout do not count.
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
    """The modules of this package that reading and preparing consist of, each once."""
    waiting, seen = list(_BEGINNINGS), set(_BESIDE)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        found = find_spec(name)
        if found is None or found.origin is None:  # a name within a module, not a module
            continue
        tree = ast.parse(Path(found.origin).read_bytes())
        waiting += _imported(tree)
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
