"""The report of a comparison: one self-contained HTML file that opens without a network."""

import base64
import shlex
from collections.abc import Sequence
from html import escape
from typing import Final
from urllib.parse import urlencode

from cxrbench.compare import DISCLAIMER, SCALES, Comparison, Scale, caption, notes, score_text
from cxrbench.compare.film_notices import comparison_notices
from cxrbench.compare.saved_settings import ELEMENT, SavedSettings, settings_json
from cxrbench.explain import configured_method
from cxrbench.figures.html_page import html_page, html_table
from cxrbench.figures.panels import panels, panels_png

__all__ = ["comparison_report"]

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b2430; background: #fff; max-width: 76rem;
  margin: 2rem auto; padding: 0 1rem; }
img { max-width: 100%; height: auto; } p code { overflow-wrap: anywhere; }
pre { padding: .75rem; background: #f1f4f7; white-space: pre-wrap; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-size: .875rem; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ccd4dc; text-align: left; }
td { vertical-align: top; }
summary { cursor: pointer; font-weight: 600; }
.notice { border-left: .3rem solid #b8860b; padding: .5rem 1rem; background: #fff8e6; }
@media print { h2 { break-before: page; } }
"""
_TRUTH: Final = {1: "present", 0: "absent", None: "not known"}


def comparison_report(
    comparison: Comparison,
    findings: Sequence[str],
    *,
    title: str = "",
    film_link: Sequence[tuple[str, str]] = (),
    scale: Scale = "map",
    dpi: int = 120,
) -> str:
    """The report of a comparison as HTML.

    Args:
        comparison: image, predictions and maps.
        findings: to show, labels of at least one of its models.
        title: of the radiograph, for the heading; such as the name of its file.
        film_link: query parameters of the Compare page that restore the radiograph and its edits, as in
            ``SavedSettings``; empty where its file is needed.
        scale: of the maps, as in ``panels``; a further picture, which can be unfolded, has one scale for all
            maps, or each map's own where this is that.
        dpi: dots per inch of the panels, which are 3.2 inches wide each.

    Returns:
        A page that loads nothing: pictures are part of it, and references are text.

    Raises:
        InputError: a finding that no model predicts, or an unknown scale.
    """
    heading = f"Heat maps of {title}" if title else "Heat maps of a radiograph"
    parts = [f"<h1>{escape(heading)}</h1>", f'<p class="notice">{escape(DISCLAIMER)}</p>', _facts(comparison)]
    parts += _notices(comparison)
    for finding in findings:
        parts += [f"<h2>{escape(finding)}</h2>", *_finding_parts(comparison, finding, scale, dpi)]
    parts += ["<h2>Methods</h2>", _methods(comparison)]
    saved = SavedSettings.of(comparison, findings, film=title, film_link=film_link, scale=scale)
    parts += ["<h2>Settings</h2>", *_settings(saved), _command(saved)]
    return html_page(heading, _STYLE, "".join(parts))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain texts."""
    return html_table(heads, [[escape(text) for text in row] for row in rows])


def _facts(comparison: Comparison) -> str:
    """The radiograph and the models."""
    height, width = comparison.image.shape
    facts = [("Size", f"{width} × {height} pixels")]
    facts += [("View", comparison.view)] if comparison.view else []
    facts += [("Source", comparison.source)] if comparison.source else []
    facts += [("Image file", comparison.note)] if comparison.note else []
    models = [
        (name, prediction.title, prediction.revision or "not stated")
        for name, prediction in comparison.predictions.items()
    ]
    return _table(("Radiograph", ""), facts) + _table(("Model", "Title", "Revision"), models)


def _notices(comparison: Comparison) -> list[str]:
    """What is to be known of the film before its scores are read."""
    notices = comparison_notices(comparison)
    if not notices:
        return []
    lines = "".join(f"<li><b>{escape(each.title)}.</b> {escape(each.text)}</li>" for each in notices)
    return [f'<div class="notice"><h2>Before you look at the scores</h2><ul>{lines}</ul></div>']


def _finding_parts(comparison: Comparison, finding: str, scale: Scale, dpi: int) -> list[str]:
    scores = [
        (name, score_text(prediction, finding) or "does not predict it")
        for name, prediction in comparison.predictions.items()
    ]
    cells = [
        (caption(comparison, *cell, finding), "; ".join(notes(comparison, *cell, finding)))
        for cell in comparison.heat_maps
    ]
    parts = [
        f"<p>Truth: {_TRUTH[comparison.truth.get(finding)]}.</p>",
        _table(("Model", "Score"), scores),
        _picture(comparison, finding, scale, dpi),
    ]
    if len(comparison.heat_maps) > 1:
        other: Scale = "all" if scale == "map" else "map"
        summary = f"<summary>The same maps, {SCALES[other]}</summary>"
        parts.append(f"<details>{summary}{_picture(comparison, finding, other, dpi)}</details>")
    return [*parts, _table(("Map", "Notes"), cells)]


def _picture(comparison: Comparison, finding: str, scale: Scale, dpi: int) -> str:
    picture = base64.b64encode(panels_png(panels(comparison, finding, scale=scale), dpi=dpi)).decode("ascii")
    alt = (
        f"The radiograph and its heat maps of {finding}, one row per model; {SCALES[scale]}. "
        "Captions follow as text."
    )
    return f'<p><img alt="{escape(alt)}" src="data:image/png;base64,{picture}"></p>'


def _methods(comparison: Comparison) -> str:
    """How to read each method, and its reference."""
    records = [configured_method(key).record for key in comparison.settings.methods]
    rows = [
        (record.title, record.caveat, record.reference or "a control")
        for record in {record.name: record for record in records}.values()
    ]
    return _table(("Method", "What to consider", "Reference"), rows)


def _settings(saved: SavedSettings) -> list[str]:
    """All that is needed to compute it again: for people, and for Compare, which opens the report."""
    record = settings_json(saved)
    address = f"/compare?{urlencode(saved.query_parameters)}"
    restored = f"On the workbench, this address restores it: <code>{escape(address)}</code>"
    needed = "Open this report and the radiograph's file on the Compare page: the settings below are applied."
    return [
        f"<p>{restored if saved.film_link else needed}</p>",
        f"<pre>{escape(record)}</pre>",
        # For programs; "<" would end the element.
        f'<script type="application/json" id="{ELEMENT}">{record.replace("<", chr(92) + "u003c")}</script>',
    ]


def _command(saved: SavedSettings) -> str:
    """The command that computes the same maps of the same image file."""
    settings = saved.settings
    options = ["--model", *settings.models, "--method", *settings.methods, "--finding", *saved.findings]
    options += ["--stage", str(settings.stage), "--baseline", settings.baseline]
    options += ["--steps", str(settings.steps), "--scale", saved.scale]
    command = shlex.join(["cxrbench", "explain", "IMAGE", *options, "--out", "DIR"])
    return f"<pre>{escape(command)}</pre>"
