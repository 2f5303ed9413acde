"""A comparison as panels for the canvas: pictures, grids and text as JSON values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from cxrbench.app.compare.canvas.schema import PanelData, SceneData
from cxrbench.app.compare.ensemble_panels import BlendPanel, blend_panels, vote_facts
from cxrbench.app.compare.image_encoding import (
    colour_tables,
    encoded,
    input_box,
    outline,
    picture,
    shown_size,
    shrink,
)
from cxrbench.app.services.map_snapshot import Cell
from cxrbench.compare.captions import DISCLAIMER, completeness, computing_time, incomplete, notes, score_text
from cxrbench.compare.comparison import Comparison, HeatMaps
from cxrbench.compare.scale import SCALES, peak
from cxrbench.figures import omission_note

__all__ = ["Cell", "scene"]

Row = list[PanelData]


@dataclass(frozen=True)
class _Inputs:
    """What panels are made of.

    Args:
        comparison: image, predictions and maps of one finding.
        cells: (model, method, finding) → origin and state of its map.
        titles: model or method → title on the page.
        outlines: finding → polygons of its ground-truth mask, if there is one.
    """

    comparison: Comparison
    cells: Mapping[tuple[str, str, str], Cell]
    titles: Mapping[str, str]
    outlines: Mapping[str, list[list[tuple[float, float]]]]

    def title(self, key: str) -> str:
        """Title of a model or a method on the page."""
        return self.titles.get(key, key)


_COLUMNS: Final = 6  # panels per row, at most: narrower ones would not show a map, nor hold their text


def scene(
    comparisons: Mapping[str, Comparison],
    *,
    cells: Mapping[tuple[str, str, str], Cell],
    titles: Mapping[str, str],
    link: Sequence[tuple[str, str]] | None,
    file: str,
) -> SceneData:
    """Return the data of the canvas.

    Args:
        comparisons: finding to show → the comparison with its maps, at least one. They differ in nothing but
            the maps.
        cells: (model, method, finding) → origin and state of its map.
        titles: model or method → title on the page.
        link: query parameters that restore this view; None for an uploaded image.
        file: name of the saved picture, without its suffix.
    """
    findings, comparison = tuple(comparisons), next(iter(comparisons.values()))
    scale = shrink(comparison.image)
    masks = {finding: comparison.masks[finding] for finding in findings if finding in comparison.masks}
    outlines = {finding: outline(mask, scale) for finding, mask in masks.items() if mask.any()}
    inputs = {finding: _Inputs(shown, cells, titles, outlines) for finding, shown in comparisons.items()}
    if len(comparison.settings.models) > 1:
        rows = [row for finding in findings for row in _rows(inputs[finding], finding)]
    else:
        rows = _rows_of_one(inputs)
    for row in rows:
        row[0]["first"] = True
    return {
        "picture": picture(comparison.image),
        "panels": [panel for row in rows for panel in row],
        "columns": min(_COLUMNS, max(map(len, rows), default=1)),
        "colours": colour_tables(),
        "scales": dict(SCALES),
        "link": None if link is None else list(link),
        "unlinkable": "An uploaded image cannot be linked: it stays in this session. Share it as a bundle.",
        "file": file,
        "disclaimer": DISCLAIMER,
    }


def _rows_of_one(inputs: Mapping[str, _Inputs]) -> list[Row]:
    """One model: one row per finding, or a single row if there are at most three maps."""
    settings = next(iter(inputs.values())).comparison.settings
    (model,), methods = settings.models, settings.methods
    apart = len(methods) * len(inputs) > 3
    rows = [
        [_radiograph(one, finding, model if apart else "")]
        + [_map(one, model, method, finding) for method in methods]
        for finding, one in inputs.items()
    ]
    return rows if apart else [rows[0] + [panel for row in rows[1:] for panel in row[1:]]]


def _rows(inputs: _Inputs, finding: str) -> list[Row]:
    """One finding, several models: their maps, then mean and standard deviation of the ensemble."""
    models, methods = inputs.comparison.settings.models, inputs.comparison.settings.methods
    both = {method: _blends(inputs, method, finding) for method in methods}
    together = _radiograph(inputs, finding, "ensemble")
    together["title"], together["subtitle"] = "Ensemble", ""
    together["facts"] = vote_facts(inputs.comparison, finding, inputs.titles)
    if len(methods) == 1:  # then the models are side by side
        method = methods[0]
        maps = [_map(inputs, model, method, finding) for model in models]
        row = [_radiograph(inputs, finding, ""), *maps]
        if len(models) == 2:
            return [[*row, *both[method]]]
        return [row, [together, *both[method]]]
    return [
        *(
            [_radiograph(inputs, finding, model)]
            + [_map(inputs, model, method, finding) for method in methods]
            for model in models
        ),
        [together, *(mean for mean, _ in both.values())],
        [_radiograph(inputs, finding, "spread"), *(spread for _, spread in both.values())],
    ]


def _radiograph(inputs: _Inputs, finding: str, model: str) -> PanelData:
    comparison = inputs.comparison
    truth = comparison.truth.get(finding)
    known = {1: "present (ground truth)", 0: "absent (ground truth)", None: "ground truth unknown"}[truth]
    height, width = comparison.image.shape
    panel = _panel(f"radiograph {finding} {model}", "radiograph", "Radiograph", f"{width} × {height}")
    panel["facts"] = [f"{finding}: {known}"]
    panel["outline"] = inputs.outlines.get(finding)
    if panel["outline"]:
        panel["facts"].append(f"dashed line: ground-truth mask{omission_note(comparison.masks[finding])}")
    panel["alt"] = f"Chest radiograph, {width} by {height} pixels; {finding} {known}."
    return panel


def _map(inputs: _Inputs, model: str, method: str, finding: str) -> PanelData:
    comparison = inputs.comparison
    heat = comparison.heat_maps.get((model, method))
    cell = inputs.cells.get((model, method, finding), Cell())
    remarks = heat.remarks if heat is not None else ()
    # Remarks that hold by construction go below the picture; notes are only what limits its interpretation.
    said = [note for note in notes(comparison, model, method, finding) if note not in remarks]
    if cell.note:
        # Only the page knows whether an unfinished map is being computed or was stopped.
        said = [cell.note, *(note for note in said if heat is not None and heat.progress == 1)]
    prediction = comparison.predictions.get(model)
    score = score_text(prediction, finding) if prediction is not None else ""
    panel = _panel(f"{model} {method} {finding}", "map", inputs.title(method), inputs.title(model))
    panel["group"], panel["notes"], panel["outline"] = method, said, inputs.outlines.get(finding)
    panel["progress"] = heat.progress if heat is not None and heat.progress < 1 else None
    panel["facts"] = [_sentence(f"{finding}: {score}" if score else finding)]
    relevance = heat.map_of(finding) if heat is not None else None
    if heat is None or relevance is None or not np.isfinite(relevance).all():
        panel["alt"] = f"{panel['title']}, {model}, {finding}: {'; '.join(said)}."
        return panel
    panel["facts"] += [*_facts(heat, finding, cell), *remarks]
    scale = shown_size(comparison.image)[0] / comparison.image.shape[1]
    over = input_box(heat.preprocessing, comparison.image.shape, heat.box, scale)
    panel["map"] = encoded(relevance, over)
    panel["peak"] = peak(heat, finding)
    panel["signed"] = heat.signed
    panel["clipped"] = "the strongest 0.5 % of the pixels are clipped" if heat.signed else ""
    panel["alt"] = (
        f"{panel['title']} of {model} for {finding}. {_where(relevance, heat.signed)} {'; '.join(said)}"
    )
    return panel


def _blends(inputs: _Inputs, method: str, finding: str) -> tuple[PanelData, PanelData]:
    """The two ensemble panels of one method: mean and standard deviation."""
    mean, spread = blend_panels(
        inputs.comparison, method, finding, title=inputs.title(method), names=inputs.titles
    )
    return (
        _blend(inputs, f"mean {method} {finding}", finding, mean),
        _blend(inputs, f"spread {method} {finding}", finding, spread),
    )


def _blend(inputs: _Inputs, identity: str, finding: str, blend: BlendPanel) -> PanelData:
    panel = _panel(identity, "map", blend.title, blend.subtitle)
    panel["facts"], panel["notes"] = list(blend.facts), list(blend.notes)
    panel["outline"] = inputs.outlines.get(finding)
    panel["alt"] = f"{blend.title}, {blend.subtitle}. {'; '.join(blend.notes)}"
    if blend.map is None:
        return panel
    width, height = shown_size(inputs.comparison.image)
    left, top, right, bottom = blend.map.box
    panel["map"] = encoded(blend.map.values, (left * width, top * height, right * width, bottom * height))
    panel["peak"], panel["fixed"] = blend.map.peak, blend.map.fixed
    panel["signed"], panel["colours"] = blend.map.signed, blend.map.colours
    panel["opacity"] = blend.map.opacity
    panel["alt"] += f" {_where(blend.map.values, blend.map.signed)}"
    return panel


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


def _panel(identity: str, kind: Literal["radiograph", "map"], title: str, subtitle: str) -> PanelData:
    """A panel with a heading and nothing else."""
    return {
        "id": identity,
        "kind": kind,
        "title": title,
        "subtitle": subtitle,
        "group": "",
        "facts": [],
        "notes": [],
        "alt": "",
        "outline": None,
        "progress": None,
        "map": None,
        "peak": 0.0,
        "signed": False,
        "clipped": "",
        "first": False,
        "opacity": None,
        "fixed": "",
        "colours": "",
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
