"""The report of a comparison: one self-contained HTML file that opens without a network."""

import base64
import json
import shlex
from collections.abc import Sequence
from html import escape
from typing import Final

from cxrbench.compare import DISCLAIMER, Comparison, Scale, caption, notes, score_text
from cxrbench.compare.bundle import versions
from cxrbench.compare.records import settings_record
from cxrbench.explain import configured_method
from cxrbench.figures.panels import panels, panels_png

__all__ = ["comparison_report"]

_STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b2430; background: #fff; max-width: 76rem;
  margin: 2rem auto; padding: 0 1rem; }
img { max-width: 100%; height: auto; } pre { overflow-x: auto; padding: .75rem; background: #f1f4f7; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .875rem; }
th, td { padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ccd4dc; text-align: left; }
td { vertical-align: top; }
.notice { border-left: .3rem solid #b8860b; padding: .5rem 1rem; background: #fff8e6; }
@media print { h2 { break-before: page; } }
"""
_TRUTH: Final = {1: "present", 0: "absent", None: "not known"}


def comparison_report(
    comparison: Comparison,
    findings: Sequence[str],
    *,
    title: str = "",
    address: str = "",
    scale: Scale = "map",
    dpi: int = 120,
) -> str:
    """The report of a comparison as HTML.

    Args:
        comparison: image, predictions and maps.
        findings: to show, labels of at least one of its models.
        title: of the radiograph, for the heading; such as the name of its file.
        address: that restores the comparison on the Compare page, relative to the workbench; "" for none.
        scale: as in ``panels``.
        dpi: dots per inch of the panels, which are 3.2 inches wide each.

    Returns:
        A page that loads nothing: pictures are part of it, and references are text.

    Raises:
        InputError: a finding that no model predicts, or an unknown scale.
    """
    heading = f"Heat maps of {title}" if title else "Heat maps of a radiograph"
    parts = [f"<h1>{escape(heading)}</h1>", f'<p class="notice">{escape(DISCLAIMER)}</p>', _facts(comparison)]
    for finding in findings:
        parts += [f"<h2>{escape(finding)}</h2>", *_finding_parts(comparison, finding, scale, dpi)]
    parts += ["<h2>Methods</h2>", _methods(comparison)]
    parts += ["<h2>Settings</h2>", *_settings(comparison, findings, scale, address)]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(heading)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


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


def _finding_parts(comparison: Comparison, finding: str, scale: Scale, dpi: int) -> list[str]:
    picture = base64.b64encode(panels_png(panels(comparison, finding, scale=scale), dpi=dpi)).decode("ascii")
    scores = [
        (name, score_text(prediction, finding) or "does not predict it")
        for name, prediction in comparison.predictions.items()
    ]
    cells = [
        (caption(comparison, *cell, finding), "; ".join(notes(comparison, *cell, finding)))
        for cell in comparison.heat_maps
    ]
    alt = f"The radiograph and its heat maps of {finding}, one row per model; captions follow as text."
    return [
        f"<p>Truth: {_TRUTH[comparison.truth.get(finding)]}.</p>",
        _table(("Model", "Score"), scores),
        f'<p><img alt="{escape(alt)}" src="data:image/png;base64,{picture}"></p>',
        _table(("Map", "Notes"), cells),
    ]


def _methods(comparison: Comparison) -> str:
    """How to read each method, and its reference."""
    records = [configured_method(key).record for key in comparison.settings.methods]
    rows = [
        (record.title, record.caveat, record.reference or "a control")
        for record in {record.name: record for record in records}.values()
    ]
    return _table(("Method", "What to consider", "Reference"), rows)


def _settings(comparison: Comparison, findings: Sequence[str], scale: Scale, address: str) -> list[str]:
    """All that is needed to compute it again: for people, for programs and for the command line."""
    record = {
        "settings": settings_record(comparison.settings),
        "findings": list(findings),
        "scale": scale,
        "source": comparison.source,
        "models": {name: prediction.revision for name, prediction in comparison.predictions.items()},
        "versions": versions(),
        "address": address,
    }
    text = json.dumps(record, indent=1, ensure_ascii=False)
    restored = f"<p>On the workbench, this address restores it: <code>{escape(address)}</code></p>"
    return [
        restored if address else "",
        f"<pre>{escape(_command(comparison, findings, scale))}</pre>",
        f"<pre>{escape(text)}</pre>",
        # For programs; "<" would end the element.
        f'<script type="application/json" id="settings">{text.replace("<", chr(92) + "u003c")}</script>',
    ]


def _command(comparison: Comparison, findings: Sequence[str], scale: Scale) -> str:
    """The command that computes the same maps of the same image file."""
    settings = comparison.settings
    options = ["--model", *settings.models, "--method", *settings.methods, "--finding", *findings]
    options += ["--stage", str(settings.stage), "--baseline", settings.baseline]
    options += ["--steps", str(settings.steps)]
    return shlex.join(["cxrbench", "explain", "IMAGE", *options, "--scale", scale, "--out", "DIR"])
