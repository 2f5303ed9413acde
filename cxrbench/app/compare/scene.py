"""A comparison as panels for the canvas, in rows, and what holds for all of them."""

from collections.abc import Mapping, Sequence
from typing import Final

from cxrbench.app.compare.canvas.schema import PanelData, SceneData
from cxrbench.app.compare.ensemble_panels import vote_facts
from cxrbench.app.compare.image_encoding import colour_tables, outline, picture, shrink
from cxrbench.app.compare.panels import PanelInputs, blended_panels, map_panel, radiograph_panel
from cxrbench.app.services.map_snapshot import Cell
from cxrbench.compare.against_truth import KnownTruth
from cxrbench.compare.captions import DISCLAIMER
from cxrbench.compare.comparison import Comparison
from cxrbench.compare.scale import SCALES

__all__ = ["Cell", "scene"]

Row = list[PanelData]

_COLUMNS: Final = 6  # panels per row, at most: narrower ones would not show a map, nor hold their text
_CLIPPED: Final = "Blue to orange: the strongest 0.5 % of the pixels are clipped"


def scene(
    comparisons: Mapping[str, Comparison],
    *,
    cells: Mapping[tuple[str, str, str], Cell],
    titles: Mapping[str, str],
    link: Sequence[tuple[str, str]] | None,
    file: str,
    known: KnownTruth | None = None,
    presenter: bool = False,
    asked: bool = False,
) -> SceneData:
    """Return the data of the canvas.

    Args:
        comparisons: finding to show → the comparison with its maps, at least one. They differ in nothing but
            the maps.
        cells: (model, method, finding) → origin and state of its map.
        titles: model or method → title on the page.
        link: query parameters that restore this view; None for an uploaded image.
        file: name of the saved picture, without its suffix.
        known: what is known of a phantom's findings besides their masks.
        presenter: for a projector: of the facts on a map only the finding's score.
        asked: whether the canvas is to tell the server how it is drawn.
    """
    findings, comparison = tuple(comparisons), next(iter(comparisons.values()))
    scale = shrink(comparison.image)
    masks = {finding: comparison.masks[finding] for finding in findings if finding in comparison.masks}
    outlines = {finding: outline(mask, scale) for finding, mask in masks.items() if mask.any()}
    models = comparison.settings.models
    several = len(models) > 1
    titles = {**titles, **_without_shared_ending(models, titles)} if several else titles
    inputs = {
        finding: PanelInputs(shown, cells, titles, outlines, known or KnownTruth())
        for finding, shown in comparisons.items()
    }
    if several:
        rows = [row for finding in findings for row in _rows_of_several(inputs[finding], finding)]
        columns = min(_COLUMNS, max(map(len, rows), default=1))
    else:
        rows = _rows_of_one(inputs)
        longest = max(map(len, rows), default=1)
        # The lines of a broken row are about equally long: no panel is left alone.
        columns = -(-longest // -(-longest // _COLUMNS))
    panels = [panel for row in rows for panel in row]
    for panel in panels:
        if presenter and panel["kind"] == "map":
            panel["facts"] = [fact for fact in panel["facts"] if fact.startswith(f"{panel['finding']}:")]
    return {
        "picture": picture(comparison.image),
        "others": [],
        "panels": panels,
        "shared": _shared(panels, titles, several=several),
        "columns": columns,
        "colours": colour_tables(),
        "scales": dict(SCALES),
        "link": None if link is None else list(link),
        "unlinkable": "An uploaded image cannot be linked: it stays in this session. Share it as a bundle.",
        "file": file,
        "disclaimer": DISCLAIMER,
        "follows": False,
        "presenter": presenter,
        "asked": asked,
    }


def _rows_of_one(inputs: Mapping[str, PanelInputs]) -> list[Row]:
    """One model: one row per finding, or a single row if there are at most three maps."""
    settings = next(iter(inputs.values())).comparison.settings
    (model,), methods = settings.models, settings.methods
    apart = len(methods) * len(inputs) > 3
    rows = [
        [radiograph_panel(one, finding, model if apart else "")]
        + [map_panel(one, model, method, finding) for method in methods]
        for finding, one in inputs.items()
    ]
    if not apart:
        rows = [rows[0] + [panel for row in rows[1:] for panel in row[1:]]]
    for row in rows:
        row[0]["first"] = True
    return rows


def _rows_of_several(inputs: PanelInputs, finding: str) -> list[Row]:
    """One finding, several models: a row per method, with mean and deviation, beside one radiograph."""
    methods = inputs.comparison.settings.methods
    radiograph = radiograph_panel(inputs, finding, "")
    if inputs.comparison.predictions:  # none while they are computed, or folded
        radiograph["facts"] += vote_facts(inputs.comparison, finding, inputs.titles)
    rows = [_row_of_method(inputs, method, finding) for method in methods]
    lines = [-(-len(row) // (_COLUMNS - 1)) for row in rows]  # a long row is broken
    radiograph["rows"] = sum(lines)
    for row in rows[1:]:
        row[0]["first"] = True
    radiograph["first"] = True
    return [[radiograph, *rows[0]], *rows[1:]]


def _row_of_method(inputs: PanelInputs, method: str, finding: str) -> Row:
    """The maps of all models, their mean and their deviation; the scores stand beside the radiograph."""
    settings = inputs.comparison.settings
    maps = [map_panel(inputs, model, method, finding) for model in settings.models]
    for panel in maps:
        panel["facts"] = [fact for fact in panel["facts"] if not fact.startswith(f"{finding}: score")]
    blends = blended_panels(inputs, method, finding)
    if len(settings.methods) > 1:  # the vote, which is theirs too, is said once
        for panel, subtitle in zip(blends, ("mean", "disagreement"), strict=True):
            panel["title"], panel["subtitle"] = inputs.title(method), subtitle
    return [*maps, *blends]


def _shared(panels: Sequence[PanelData], titles: Mapping[str, str], *, several: bool) -> list[str]:
    """Take what several panels say alike out of them; return it, each sentence once."""
    maps = [panel for panel in panels if panel["group"]]
    sentences = [text[:1].upper() + text[1:] for text in _taken(maps)]
    for method in dict.fromkeys(panel["group"] for panel in maps):
        same = [panel for panel in maps if panel["group"] == method]
        sentences += _named(titles.get(method, method), _taken(same))
    for model in dict.fromkeys(panel["subtitle"] for panel in maps):
        same = [panel for panel in maps if panel["subtitle"] == model]
        sentences += _named(model, _taken(same))
        if several:  # where one model is shown, its rows differ in the finding, and their facts with it
            sentences += _of_several_methods(same)
    for kind, title in (("mean ", "Mean"), ("spread ", "Disagreement")):
        blends = [panel for panel in panels if not panel["group"] and panel["id"].startswith(kind)]
        sentences += _named(title, _taken(blends))
    if any(panel["signed"] and panel["map"] for panel in maps):
        sentences.append(_CLIPPED)
    return sentences


def _without_shared_ending(models: Sequence[str], titles: Mapping[str, str]) -> dict[str, str]:
    """Titles of models without what all of them have in parentheses at the end: it tells them not apart."""
    whole = [titles.get(model, model) for model in models]
    names, endings = zip(*(title.rpartition(" (")[::2] for title in whole), strict=True)
    if not all(names) or len(set(endings)) > 1 or not endings[0].endswith(")"):
        return {}
    return dict(zip(models, names, strict=True))


def _named(title: str, texts: Sequence[str]) -> list[str]:
    return [f"{title}: {'; '.join(texts)}"] if texts else []


def _of_several_methods(panels: Sequence[PanelData]) -> list[str]:
    """Facts that several maps of one model have in common, such as their grid; they are removed there."""
    sentences = []
    for fact in dict.fromkeys(fact for panel in panels for fact in panel["facts"]):
        same = [panel for panel in panels if panel["map"] is not None and fact in panel["facts"]]
        if len(same) < 2:
            continue
        methods = ", ".join(dict.fromkeys(panel["title"] for panel in same))
        sentences.append(f"{methods} of {same[0]['subtitle']}: {fact}")
        for panel in same:
            panel["facts"] = [text for text in panel["facts"] if text != fact]
    return sentences


def _taken(panels: Sequence[PanelData]) -> list[str]:
    """Notes and facts that all panels of these with a map have in common; they are removed from them."""
    drawn = [panel for panel in panels if panel["map"] is not None]
    if len(drawn) < 2:
        return []
    taken = [
        text
        for text in [*drawn[0]["notes"], *drawn[0]["facts"]]
        if all(text in panel["notes"] or text in panel["facts"] for panel in drawn)
    ]
    for panel in panels:
        panel["notes"] = [text for text in panel["notes"] if text not in taken]
        panel["facts"] = [text for text in panel["facts"] if text not in taken]
    return taken
