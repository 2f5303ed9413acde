"""A phantom's film and its maps before and after edits, side by side, as panels for the canvas."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import Final

import numpy as np

from cxrbench.app.compare.canvas.schema import PanelData, SceneData
from cxrbench.app.compare.image_encoding import colour_tables, encoded, outline, picture, shrink
from cxrbench.app.compare.panels import PanelInputs, map_panel, radiograph_panel
from cxrbench.app.services.map_snapshot import Cell
from cxrbench.compare.against_truth import KnownTruth
from cxrbench.compare.captions import DISCLAIMER
from cxrbench.compare.comparison import Comparison, HeatMaps
from cxrbench.compare.scale import SCALES, peak
from cxrbench.compare.stored_maps import halved

__all__ = ["Side", "edited_scene"]

_GAIN: Final = 3  # of the difference of the films: a faint change must be seen from the last row
_AFTER, _CHANGE = 0, 1  # places of the pictures among the scene's others
_SHARED: Final = (
    "Both maps of a row are drawn on one scale, so that a weaker map looks weaker",
    f"Film after − before: grey where nothing changed, {_GAIN} × as strong",
)


@dataclass(frozen=True)
class Side:
    """The film before or after the edits.

    Args:
        comparison: image, predictions and maps of the finding in view.
        cells: (model, method, finding) → origin and state of its map.
        known: what is known of its findings besides their masks.
        title: of its film.
    """

    comparison: Comparison
    cells: Mapping[tuple[str, str, str], Cell]
    known: KnownTruth
    title: str


def edited_scene(
    before: Side,
    after: Side,
    finding: str,
    *,
    titles: Mapping[str, str],
    file: str,
    concentration: float = nan,
) -> SceneData:
    """Rows of three panels: the films and their difference, then each map, the map after, and its change.

    Args:
        before: the film.
        after: the film after the edits, of the same size, with the same settings.
        finding: whose maps are shown.
        titles: model or method → title on the page.
        file: name of the saved picture, without its suffix.
        concentration: mean change of the film where the changed parts are ÷ elsewhere; NaN if not known.
    """
    after = _on_grids_of(before, after)
    change = after.comparison.image - before.comparison.image
    panels = [*_films(before, after, finding, titles)]
    if isfinite(concentration):
        panels[2]["facts"].append(f"{concentration:.0f} × as strong where the changed parts are as elsewhere")
    settings = before.comparison.settings
    for model in settings.models:
        for method in settings.methods:
            panels += _maps(before, after, (model, method, finding), titles)
    for row in range(0, len(panels), 3):
        panels[row]["first"] = True
    return {
        "picture": picture(before.comparison.image),
        "others": [picture(after.comparison.image), picture(0.5 + _GAIN / 2 * change)],
        "panels": panels,
        "shared": list(_SHARED),
        "columns": 3,
        "colours": colour_tables(),
        "scales": dict(SCALES),
        "link": None,
        "unlinkable": "",
        "file": file,
        "disclaimer": DISCLAIMER,
        "follows": True,
        "presenter": False,
        "asked": False,
    }


def _on_grids_of(before: Side, after: Side) -> Side:
    """The maps after the edits, halved where those before are: the gallery stores fine maps so."""
    heats = dict(after.comparison.heat_maps)
    for cell, heat in heats.items():
        other = before.comparison.heat_maps.get(cell)
        smaller = halved(heat.maps)
        if other is not None and other.maps.shape[1:] == smaller.shape[1:] != heat.maps.shape[1:]:
            heats[cell] = replace(heat, maps=smaller)
    return replace(after, comparison=replace(after.comparison, heat_maps=heats))


def _films(before: Side, after: Side, finding: str, titles: Mapping[str, str]) -> Iterator[PanelData]:
    for side, name in ((before, "before"), (after, "after")):
        panel = radiograph_panel(_inputs(side, finding, titles), finding, name)
        panel["title"], panel["subtitle"] = side.title, ""
        panel["picture"] = None if name == "before" else _AFTER
        yield panel
    change = after.comparison.image - before.comparison.image
    panel = radiograph_panel(_inputs(after, finding, titles), finding, "change")
    panel["title"], panel["subtitle"] = "Change of the film", "after − before"
    panel["picture"] = _CHANGE
    panel["facts"], panel["outline"] = [f"Largest change of a grey level: {np.abs(change).max():.2f}"], None
    panel["alt"] = "Difference of the two films: after minus before."
    yield panel


def _maps(
    before: Side, after: Side, cell: tuple[str, str, str], titles: Mapping[str, str]
) -> Iterator[PanelData]:
    model, method, finding = cell
    heats = [side.comparison.heat_maps.get((model, method)) for side in (before, after)]
    largest = max(
        (peak(heat, finding) for heat in heats if heat is not None and _finished(heat, finding)), default=0.0
    )
    for side, word in ((before, "before"), (after, "after")):
        panel = map_panel(_inputs(side, finding, titles), model, method, finding)
        panel["id"] = f"{word} {panel['id']}"
        panel["title"] = f"{panel['title']}, {word}"
        panel["picture"] = None if word == "before" else _AFTER
        if panel["map"] is not None and largest > 0:
            panel["peak"], panel["fixed"] = largest, True
        panel["dimmed"] = False
        if word == "after":
            panel["facts"] = [*_score_change(before, after, model, finding), *panel["facts"]]
        yield panel
        last = panel
    yield _change_panel(last, heats, finding, largest)


def _change_panel(after: PanelData, heats: list[HeatMaps | None], finding: str, largest: float) -> PanelData:
    """The panel of a map's change, made from that of the map after the edits."""
    title = after["title"].removesuffix(", after")
    panel: PanelData = {**after, "id": f"change {after['id']}", "title": f"{title}, change"}
    panel["facts"], panel["notes"], panel["truth"], panel["map"] = [], [], None, None
    panel["alt"] = f"Change of the map of {title} for {finding}: after minus before."
    first, second = heats
    if first is None or second is None or not (_finished(first, finding) and _finished(second, finding)):
        panel["notes"] = ["the change follows when both maps are there"]
        return panel
    maps = [each for heat in (first, second) if (each := heat.map_of(finding)) is not None]
    if len({each.shape for each in maps}) != 1 or first.box != second.box:
        panel["notes"] = ["no change is shown: the two maps lie on different grids"]
        return panel
    map_after = after["map"]
    assert map_after is not None
    # Of what is drawn: of a map that is cut at zero only the positive part.
    drawn = maps if first.signed else [np.maximum(each, 0) for each in maps]
    panel["map"] = encoded(drawn[1] - drawn[0], map_after["box"])
    panel["peak"], panel["fixed"], panel["signed"] = largest, True, True
    panel["facts"] = ["After − before: orange where the map grew, blue where it shrank"]
    return panel


def _score_change(before: Side, after: Side, model: str, finding: str) -> Iterator[str]:
    predictions = [side.comparison.predictions.get(model) for side in (before, after)]
    if any(prediction is None or finding not in prediction.labels for prediction in predictions):
        return
    logits = [
        float(prediction.logits[prediction.labels.index(finding)])
        for prediction in predictions
        if prediction is not None
    ]
    yield f"Logit {logits[0]:.1f} → {logits[1]:.1f} ({logits[1] - logits[0]:+.1f})".replace("-", "−")


def _finished(heat: HeatMaps | None, finding: str) -> bool:
    if heat is None or heat.progress < 1:
        return False
    relevance = heat.map_of(finding)
    return relevance is not None and bool(np.isfinite(relevance).all())


def _inputs(side: Side, finding: str, titles: Mapping[str, str]) -> PanelInputs:
    mask = side.comparison.masks.get(finding)
    outlines = {}
    if mask is not None and mask.any():
        outlines[finding] = outline(mask, shrink(side.comparison.image))
    return PanelInputs(side.comparison, side.cells, titles, outlines, side.known)
