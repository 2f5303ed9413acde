"""The panels of the canvas: the radiograph, one map, mean and deviation of several models' maps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from cxrbench.app.compare.canvas.schema import PanelData
from cxrbench.app.compare.ensemble_panels import BlendPanel, blend_panels
from cxrbench.app.compare.image_encoding import encoded, input_box, shown_size
from cxrbench.app.services.map_snapshot import Cell
from cxrbench.compare.against_truth import KnownTruth, against_truth, truth_line, truth_meaning
from cxrbench.compare.captions import called, completeness, computing_time, incomplete, notes, score_text
from cxrbench.compare.comparison import Comparison, HeatMaps
from cxrbench.compare.scale import peak
from cxrbench.figures import omission_note

__all__ = ["PanelInputs", "blended_panels", "map_panel", "radiograph_panel"]


@dataclass(frozen=True)
class PanelInputs:
    """What panels are made of.

    Args:
        comparison: image, predictions and maps of one finding.
        cells: (model, method, finding) → origin and state of its map.
        titles: model or method → title on the page.
        outlines: finding → polygons of its ground-truth mask, if there is one.
        known: what is known of a phantom's findings besides their masks.
    """

    comparison: Comparison
    cells: Mapping[tuple[str, str, str], Cell]
    titles: Mapping[str, str]
    outlines: Mapping[str, list[list[tuple[float, float]]]]
    known: KnownTruth = field(default_factory=KnownTruth)

    def title(self, key: str) -> str:
        """Title of a model or a method on the page."""
        return self.titles.get(key, key)


def radiograph_panel(inputs: PanelInputs, finding: str, model: str) -> PanelData:
    """The radiograph.

    Args:
        inputs: of the finding.
        finding: whose mask is outlined.
        model: distinguishes it from other radiographs of the scene.
    """
    comparison = inputs.comparison
    truth = comparison.truth.get(finding)
    known = {1: "present (ground truth)", 0: "absent (ground truth)", None: "ground truth unknown"}[truth]
    height, width = comparison.image.shape
    identity = f"radiograph {finding} {model}"
    panel = _panel(identity, "radiograph", finding, "Radiograph", f"{width} × {height}")
    panel["facts"] = [f"{finding}: {known}"]
    panel["outline"] = inputs.outlines.get(finding)
    if panel["outline"]:
        panel["facts"].append(f"dashed line: ground-truth mask{omission_note(comparison.masks[finding])}")
    panel["alt"] = f"Chest radiograph, {width} by {height} pixels; {finding} {known}."
    return panel


def map_panel(inputs: PanelInputs, model: str, method: str, finding: str) -> PanelData:
    """The map of one method and model, or why there is none."""
    comparison = inputs.comparison
    heat = comparison.heat_maps.get((model, method))
    cell = inputs.cells.get((model, method, finding), Cell())
    remarks = heat.remarks if heat is not None else ()
    # Remarks that hold by construction go below the picture; notes are only what limits its interpretation.
    said = [note for note in notes(comparison, model, method, finding) if note not in remarks]
    if cell.note:
        # Only the page knows whether an unfinished map is being computed or was stopped.
        said = [cell.note, *(note for note in said if heat is not None and heat.progress == 1)]
    names = inputs.title(method), inputs.title(model)
    panel = _panel(f"{model} {method} {finding}", "map", finding, *names)
    panel["group"], panel["notes"], panel["outline"] = method, said, inputs.outlines.get(finding)
    panel["progress"] = heat.progress if heat is not None and heat.progress < 1 else None
    panel["facts"] = [_sentence(_score(comparison, model, finding))]
    relevance = heat.map_of(finding) if heat is not None else None
    if heat is None or relevance is None or not np.isfinite(relevance).all():
        panel["alt"] = f"{panel['title']}, {model}, {finding}: {'; '.join(said)}."
        return panel
    _dim(panel, comparison, model, finding)
    found = against_truth(heat, comparison, finding, inputs.known)
    if found is not None:
        panel["truth"] = {"text": truth_line(found), "about": truth_meaning(found, finding)}
    panel["facts"] += [*_facts(heat, finding, cell), *_remarks(heat, comparison)]
    scale = shown_size(comparison.image)[0] / comparison.image.shape[1]
    over = input_box(heat.preprocessing, comparison.image.shape, heat.box, scale)
    panel["map"] = encoded(relevance, over)
    panel["peak"] = peak(heat, finding)
    panel["signed"] = heat.signed
    panel["alt"] = (
        f"{panel['title']} of {model} for {finding}. {_where(relevance, heat.signed)} {'; '.join(said)}"
    )
    return panel


def blended_panels(inputs: PanelInputs, method: str, finding: str) -> tuple[PanelData, PanelData]:
    """The two ensemble panels of one method: mean and standard deviation."""
    title = inputs.title(method)
    mean, spread = blend_panels(inputs.comparison, method, finding, title=title, names=inputs.titles)
    return (
        _blend(inputs, f"mean {method} {finding}", finding, mean),
        _blend(inputs, f"spread {method} {finding}", finding, spread),
    )


def _blend(inputs: PanelInputs, identity: str, finding: str, blend: BlendPanel) -> PanelData:
    panel = _panel(identity, "map", finding, blend.title, blend.subtitle)
    panel["facts"], panel["notes"] = list(blend.facts), list(blend.notes)
    panel["outline"] = inputs.outlines.get(finding)
    panel["alt"] = f"{blend.title}, {blend.subtitle}. {'; '.join(blend.notes)}"
    if blend.map is None:
        return panel
    width, height = shown_size(inputs.comparison.image)
    left, top, right, bottom = blend.map.box
    panel["map"] = encoded(blend.map.values, (left * width, top * height, right * width, bottom * height))
    panel["peak"], panel["fixed"] = blend.map.peak, True
    panel["signed"], panel["colours"] = blend.map.signed, blend.map.colours
    panel["opacity"] = blend.map.opacity
    panel["alt"] += f" {_where(blend.map.values, blend.map.signed)}"
    return panel


def _remarks(heat: HeatMaps, comparison: Comparison) -> Iterable[str]:
    """Remarks that hold by construction, but for those that compare methods of which no other is shown."""
    others = {each.title for each in comparison.heat_maps.values()} - {heat.title, ""}
    for remark in heat.remarks:
        if heat.title not in remark or any(title in remark for title in others):
            yield remark


def _score(comparison: Comparison, model: str, finding: str) -> str:
    prediction = comparison.predictions.get(model)
    score = score_text(prediction, finding) if prediction is not None else ""
    return f"{finding}: {score}" if score else finding


def _dim(panel: PanelData, comparison: Comparison, model: str, finding: str) -> None:
    """Dim a finished map of a finding that the model does not call, and say why."""
    prediction = comparison.predictions.get(model)
    if panel["progress"] is not None or prediction is None or called(prediction, finding) is not False:
        return
    panel["dimmed"] = True
    score = score_text(prediction, finding)
    why = f"{finding} is not called: {score}; this map shows what a score that is too low reacts to"
    panel["notes"], panel["facts"] = [*panel["notes"], why], []


def _facts(heat: HeatMaps, finding: str, cell: Cell) -> Iterable[str]:
    height, width = heat.maps.shape[1:]
    where = f" after {heat.stage}" if heat.stage else ""
    yield f"{width} × {height} grid{where}"
    if cell.origin:
        yield cell.origin
    if time := computing_time(heat):
        yield time
    if not incomplete(heat, finding) and (text := completeness(heat, finding)):  # else in the notes
        value, meaning = text.split(": ", 1)
        yield from (value, f"the completeness error is the {meaning}")


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


def _panel(
    identity: str, kind: Literal["radiograph", "map"], finding: str, title: str, subtitle: str
) -> PanelData:
    """A panel with a heading and nothing else."""
    return {
        "id": identity,
        "kind": kind,
        "title": title,
        "subtitle": subtitle,
        "group": "",
        "facts": [],
        "truth": None,
        "notes": [],
        "alt": "",
        "outline": None,
        "finding": finding,
        "progress": None,
        "map": None,
        "peak": 0.0,
        "signed": False,
        "first": False,
        "rows": 1,
        "dimmed": False,
        "opacity": None,
        "fixed": False,
        "colours": "",
        "picture": None,
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
