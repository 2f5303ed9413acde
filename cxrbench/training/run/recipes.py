"""The recipes that the Train page can start: their descriptions, and copies with another name."""

import re
import tomllib
from pathlib import Path
from typing import Any

from cxrbench import assets

__all__ = ["recipes", "renamed", "summary"]


def recipes() -> dict[str, Path]:
    """Name → file of every recipe that ships; empty if the package was installed without them."""
    return {path.stem: path for path in sorted(assets.recipes().glob("*.toml")) if _trains(path)}


def summary(recipe: Path) -> str:
    """The description of a recipe: the comment at its top, without the hashes."""
    lines = []
    for line in recipe.read_text(encoding="utf8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("#").strip())
    return "\n".join(lines)


def renamed(recipe: str, name: str, number: str) -> str:
    """A recipe's text with another name, and a number appended to its title.

    Args:
        recipe: TOML; its ``name`` and ``title`` are above the first table.
        name: the new name.
        number: number of the run.
    """
    table = re.search(r"^\[", recipe, re.MULTILINE)
    end = table.start() if table else len(recipe)
    head = re.sub(r"^name\s*=.*$", f'name = "{name}"', recipe[:end], count=1, flags=re.MULTILINE)
    head = re.sub(r'^(title\s*=\s*".*)"', rf'\1 ({number})"', head, count=1, flags=re.MULTILINE)
    return head + recipe[end:]


def _trains(recipe: Path) -> bool:
    """Whether a TOML file is a recipe of a classifier; the folder has other files too."""
    try:
        values: dict[str, Any] = tomllib.loads(recipe.read_text(encoding="utf8"))
    except (OSError, ValueError):
        return False
    return "architecture" in values and "phases" in values
