"""A component of a page: HTML, styles, and its JavaScript joined into the one module that Streamlit takes."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st

__all__ = ["OUTLINE_LABELS", "component", "joined_module"]

OUTLINE_LABELS: Final = Path(__file__).with_name(
    "outline_labels.css"
)  # styles of what outline_labels.js writes

_IMPORT: Final = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[\w./-]+\.js)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?!default\b)", re.MULTILINE)


def component(
    name: str, folder: Path, stem: str, *, entry: str = "index.js", styles: Sequence[Path] = ()
) -> Any:
    """Register a component, and return what mounts it.

    Args:
        name: of the component, unique in the workbench.
        folder: of its files.
        stem: of its HTML and CSS file.
        entry: its JavaScript file, as ``joined_module`` takes it.
        styles: further CSS files: those of the page do not reach into a component.
    """
    sheets = [folder / f"{stem}.css", *styles]
    return st.components.v2.component(
        name,
        html=(folder / f"{stem}.html").read_text(encoding="utf-8"),
        css="\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets),
        js=joined_module(folder / entry),
    )


def joined_module(entry: Path) -> str:
    """Join a module with all that it imports, for components that are given to Streamlit as text.

    The files share one scope afterwards: their top-level names must differ. Linter, type checker and tests
    read the files one by one, as the modules that they are.

    Args:
        entry: a file whose default export is the component; it and what it imports have imports of the form
            ``import { name } from "./file.js";`` at the beginning of a line, and no renaming.

    Returns:
        One module without imports; every file stands after those that it imports.

    Raises:
        OSError: an imported file cannot be read.
    """
    parts: list[str] = []
    seen: set[Path] = set()

    def add(path: Path) -> None:
        if path in seen:
            return
        seen.add(path)
        text = path.read_text(encoding="utf-8")
        for name in _IMPORT.findall(text):
            add((path.parent / name).resolve())
        parts.append(_EXPORT.sub("", _IMPORT.sub("", text)))

    add(entry.resolve())
    return "\n".join(parts)
