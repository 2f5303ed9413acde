"""The line of a TOML file on which a key or table stands: ``tomllib`` does not tell."""

import re
from typing import Final

__all__ = ["Path", "line_of", "toml_lines"]

Path = tuple[str | int, ...]

_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([\w.\s-]+?)\s*\]")
_KEY: Final = re.compile(r"\s*([\w-]+)\s*=")
_DELIMITERS: Final = ('"""', "'''")


def toml_lines(text: str) -> dict[Path, int]:
    """Path of each table and key → its line, from 1; entries of arrays of tables are counted from 0.

    Tables and keys have bare names. What stands in an inline table or array is on the line of its key.
    """
    lines: dict[Path, int] = {(): 1}
    table: Path = ()
    counts: dict[Path, int] = {}
    within = ""
    for number, line in enumerate(text.splitlines(), 1):
        if within:
            within = "" if within in line else within
            continue
        if header := _HEADER.match(line):
            table = _table(header[2], counts, entry=header[1] == "[[")
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key[1]), number)
        within = next((mark for mark in _DELIMITERS if line.count(mark) % 2), "")
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of a path, or of the nearest table or key that contains it."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _table(name: str, counts: dict[Path, int], *, entry: bool) -> Path:
    """The path of a table from its header; an entry of an array of tables gets the next number."""
    path: Path = ()
    parts = [part.strip() for part in name.split(".")]
    for depth, part in enumerate(parts, 1):
        path = (*path, part)
        if entry and depth == len(parts):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
