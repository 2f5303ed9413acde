"""Self-contained HTML pages and their tables, for reports that are opened without a network."""

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["html_page", "html_table"]


def html_page(title: str, style: str, body: str, *, script: str = "") -> str:
    """A page that loads nothing.

    Args:
        title: as plain text.
        style: CSS.
        body: HTML, with its own heading.
        script: JavaScript that runs before the body is read.
    """
    run = f"<script>{script}</script>" if script else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>.wide {{ overflow-x: auto; }}{style}</style>{run}</head>"
        f"<body><main>{body}</main></body></html>"
    )


def html_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table that is scrolled where it is wider than the page, by the keyboard too.

    Args:
        heads: of the columns, as plain text; "" for a column that needs none.
        rows: cells as HTML.
    """
    head = "".join(f'<th scope="col">{escape(text)}</th>' if text else "<td></td>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" tabindex="0" role="group" aria-label="Table">{table}</div>'
