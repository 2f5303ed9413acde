"""A comparison as panels for the canvas: pictures, grids and text as JSON values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from cxrbench.app.compare.ensemble_panels import blend_panels, vote_facts
from cxrbench.app.services.image_encoding import encoded, input_box, outlines, picture, shown_size, shrink
from cxrbench.app.services.map_jobs import Cell
from cxrbench.compare.captions import DISCLAIMER, completeness, computing_time, incomplete, notes, score_text
from cxrbench.compare.comparison import Comparison, HeatMaps
from cxrbench.compare.scale import SCALES, peak
from cxrbench.figures.colours import as_data
from cxrbench.figures.outline import omission_note

__all__ = ["Cell", "scene"]


def scene(
    comparison: Comparison,
    findings: Sequence[str],
    *,
    cells: Mapping[tuple[str, str], Cell],
    titles: Mapping[str, str],
    link: Sequence[tuple[str, str]] | None,
    file: str,
) -> dict[str, Any]:
    """Return the data of the canvas for these findings.

    Args:
        comparison: image, predictions and maps of the selected models and methods.
        findings: the findings to show, in this order.
        cells: (model, method) → origin and state of its maps.
        titles: model or method → title on the page.
        link: query parameters that restore this view; None for an uploaded image.
        file: name of the saved picture, without its suffix.
    """
    if len(comparison.settings.models) > 1:
        rows = [row for finding in findings for row in _rows(comparison, finding, cells, titles)]
    else:
        rows = _rows_of_one(comparison, findings, cells, titles)
    for row in rows:
        row[0]["first"] = True
    return {
        "picture": picture(comparison.image),
        "panels": [panel for row in rows for panel in row],
        "columns": max(map(len, rows), default=1),
        "colours": as_data(),
        "scales": SCALES,
        "link": link,
        "unlinkable": "An uploaded image cannot be linked: it stays in this session. Share it as a bundle.",
        "file": file,
        "disclaimer": DISCLAIMER,
    }


def _rows_of_one(
    comparison: Comparison,
    findings: Sequence[str],
    cells: Mapping[tuple[str, str], Cell],
    titles: Mapping[str, str],
) -> list[list[dict[str, Any]]]:
    """One model: one row per finding, or a single row if there are at most three maps."""
    (model,), methods = comparison.settings.models, comparison.settings.methods
    apart = len(methods) * len(findings) > 3
    rows = [
        [_radiograph(comparison, finding, model if apart else "")]
        + [_map(comparison, model, method, finding, cells, titles) for method in methods]
        for finding in findings
    ]
    return rows if apart else [rows[0] + [panel for row in rows[1:] for panel in row[1:]]]


def _rows(
    comparison: Comparison,
    finding: str,
    cells: Mapping[tuple[str, str], Cell],
    titles: Mapping[str, str],
) -> list[list[dict[str, Any]]]:
    """One finding, several models: their maps, then mean and standard deviation of the ensemble."""
    models, methods = comparison.settings.models, comparison.settings.methods
    both = {method: _blends(comparison, method, finding, titles) for method in methods}
    facts = {"title": "Ensemble", "subtitle": "", "facts": vote_facts(comparison, finding, titles)}
    together = _radiograph(comparison, finding, "ensemble") | facts
    if len(methods) == 1:  # then the models are side by side
        method = methods[0]
        maps = [_map(comparison, model, method, finding, cells, titles) for model in models]
        row = [_radiograph(comparison, finding, ""), *maps]
        if len(models) == 2:
            return [[*row, *both[method]]]
        return [row, [together, *both[method]]]
    return [
        *(
            [_radiograph(comparison, finding, model)]
            + [_map(comparison, model, method, finding, cells, titles) for method in methods]
            for model in models
        ),
        [together, *(mean for mean, _ in both.values())],
        [_radiograph(comparison, finding, "spread"), *(spread for _, spread in both.values())],
    ]


def _radiograph(comparison: Comparison, finding: str, model: str) -> dict[str, Any]:
    truth = comparison.truth.get(finding)
    known = {1: "present (ground truth)", 0: "absent (ground truth)", None: "ground truth unknown"}[truth]
    outline = _outline(comparison, finding)
    facts = [f"{finding}: {known}"]
    if outline:
        facts.append(f"dashed line: ground-truth mask{omission_note(comparison.image.shape)}")
    height, width = comparison.image.shape
    return _panel(
        identity=f"radiograph {finding} {model}",
        kind="radiograph",
        title="Radiograph",
        subtitle=f"{width} × {height}",
        facts=facts,
        outline=outline,
        alt=f"Chest radiograph, {width} by {height} pixels; {finding} {known}.",
    )


def _map(
    comparison: Comparison,
    model: str,
    method: str,
    finding: str,
    cells: Mapping[tuple[str, str], Cell],
    titles: Mapping[str, str],
) -> dict[str, Any]:
    heat = comparison.heat_maps.get((model, method))
    cell = cells.get((model, method), Cell())
    remarks = heat.remarks if heat is not None else ()
    # Remarks that hold by construction go below the picture; notes are only what limits its interpretation.
    said = [note for note in notes(comparison, model, method, finding) if note not in remarks]
    if cell.note:
        # Only the page knows whether an unfinished map is being computed or was stopped.
        said = [cell.note, *(note for note in said if heat is not None and heat.progress == 1)]
    prediction = comparison.predictions.get(model)
    score = score_text(prediction, finding) if prediction is not None else ""
    facts = [_sentence(f"{finding}: {score}" if score else finding)]
    relevance = heat.map_of(finding) if heat is not None else None
    panel = _panel(
        identity=f"{model} {method} {finding}",
        kind="map",
        title=titles.get(method, method),
        subtitle=titles.get(model, model),
        group=method,
        notes=said,
        outline=_outline(comparison, finding),
        progress=heat.progress if heat is not None and heat.progress < 1 else None,
    )
    if heat is None or relevance is None or not np.isfinite(relevance).all():
        return panel | {"facts": facts, "alt": f"{panel['title']}, {model}, {finding}: {'; '.join(said)}."}
    facts += [*_facts(heat, finding, cell), *remarks]
    scale = shown_size(comparison.image)[0] / comparison.image.shape[1]
    over = input_box(heat.preprocessing, comparison.image.shape, heat.box, scale)
    panel["map"] = encoded(relevance, over)
    panel["peak"] = peak(heat, finding)
    panel["signed"] = heat.signed
    panel["clipped"] = "the strongest 0.5 % of the pixels are clipped" if heat.signed else ""
    panel["alt"] = (
        f"{panel['title']} of {model} for {finding}. {_where(relevance, heat.signed)} {'; '.join(said)}"
    )
    return panel | {"facts": facts}


def _blends(
    comparison: Comparison, method: str, finding: str, titles: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two ensemble panels of one method: mean and standard deviation."""
    width, height = shown_size(comparison.image)
    mean, spread = blend_panels(comparison, method, finding, title=titles.get(method, method), names=titles)
    made = []
    for kind, cell in (("mean", mean), ("spread", spread)):
        values, box = cell.pop("values", None), cell.pop("box", None)
        panel = _panel(
            identity=f"{kind} {method} {finding}",
            kind="map",
            outline=_outline(comparison, finding),
            **cell,
        )
        said = "; ".join(cell["notes"])
        panel["alt"] = f"{panel['title']}, {panel['subtitle']}. {said}"
        if values is not None:
            left, top, right, bottom = box
            panel["map"] = encoded(values, (left * width, top * height, right * width, bottom * height))
            panel["alt"] += f" {_where(values, panel['signed'])}"
        made.append(panel)
    return made[0], made[1]


def _facts(heat: HeatMaps, finding: str, cell: Cell) -> Iterable[str]:
    height, width = heat.maps.shape[1:]
    where = f" after {heat.stage}" if heat.stage else ""
    yield f"{width} × {height} grid{where}{f'; {cell.origin}' if cell.origin else ''}"
    if time := computing_time(heat):
        yield time
    if not incomplete(heat, finding) and (text := completeness(heat, finding)):  # else in the notes
        yield text


def _where(relevance: np.ndarray, signed: bool) -> str:
    """Text alternative: the region in which a map is strongest."""
    strength = np.abs(relevance) if signed else relevance
    if strength.max() <= 0:
        return "Nothing is drawn."
    row, column = np.unravel_index(int(strength.argmax()), strength.shape)
    height, width = strength.shape
    vertical = ("upper", "middle", "lower")[min(2, 3 * int(row) // height)]
    horizontal = ("left", "centre", "right")[min(2, 3 * int(column) // width)]
    return f"Strongest in the {vertical} {horizontal} of the picture."


def _panel(*, identity: str, kind: str, title: str, subtitle: str, **values: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "group": "",
        "facts": [],
        "notes": [],
        "alt": "",
        "outline": None,
        "progress": None,
    }
    nothing = {"map": None, "peak": 0.0, "signed": False, "clipped": ""}
    return {"id": identity, "kind": kind, "title": title, "subtitle": subtitle, **empty, **nothing, **values}


def _outline(comparison: Comparison, finding: str) -> list[list[list[float]]] | None:
    mask = comparison.masks.get(finding)
    if mask is None or not mask.any():
        return None
    return outlines(mask, shrink(comparison.image))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
