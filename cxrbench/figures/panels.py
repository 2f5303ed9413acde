"""A comparison as one picture: one row per model, one column per method, with captions."""

import io
import textwrap
from typing import TYPE_CHECKING, Final

import numpy as np

from cxrbench.compare import DISCLAIMER, SCALES, Comparison, Scale, heatmap, notes, peaks, score_text
from cxrbench.errors import InputError
from cxrbench.figures.colours import colours_for
from cxrbench.figures.outline import omission_note, outline_polygons
from cxrbench.figures.overlay import grey, overlay

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["panels", "panels_png", "panels_svg"]

_PANEL: Final = 3.2  # inches
_CAPTION: Final = 1.05  # inches below a panel, for its text
_FOOTER: Final = 0.75
_LINE_LENGTH: Final = 46  # characters


def panels(
    comparison: Comparison,
    finding: str,
    *,
    scale: Scale = "map",
    colours: str = "cividis",
    opacity: float = 0.6,
    threshold: float = 0.0,
) -> "Figure":
    """The heat maps of one finding side by side, with the outline of its true extent where known.

    Args:
        comparison: image, predictions and maps.
        finding: a label of at least one of its models.
        scale: which relevance is drawn at full strength, a key of ``SCALES``; stated below the panels.
        colours: a key of ``COLOURS``; maps that it does not suit (signed or not) use the first that does.
        opacity: opacity of the strongest values.
        threshold: smallest fraction of full strength that is drawn.

    Returns:
        A matplotlib figure that is not registered with pyplot.

    Raises:
        InputError: a finding that no model predicts, unknown colours or scale.
    """
    # Half a second: the pages use this package for its charts only.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    known = dict.fromkeys(label for p in comparison.predictions.values() for label in p.labels)
    if finding not in known:
        raise InputError(f"None of these models predicts {finding!r}; choose from: {', '.join(known)}.")
    rows, columns = len(comparison.settings.models), 1 + len(comparison.settings.methods)
    size = (_PANEL * columns, (_PANEL + _CAPTION) * rows + _FOOTER)
    figure = Figure(figsize=size, layout=None, facecolor="white")
    FigureCanvasAgg(figure)
    divisors = peaks(comparison, finding, scale)
    for row, model in enumerate(comparison.settings.models):
        axes = [_axes(figure, size, row, column) for column in range(columns)]
        _radiograph(axes[0], comparison, model, finding)
        for method_axes, method in zip(axes[1:], comparison.settings.methods, strict=True):
            divisor = divisors.get((model, method), 0.0)
            _cell(method_axes, comparison, (model, method), finding, divisor, (colours, opacity, threshold))
    signed = any(heat.signed for heat in comparison.heat_maps.values())
    for text, height in ((_scale_note(scale, opacity, threshold, signed=signed), 0.45), (DISCLAIMER, 0.15)):
        figure.text(0.1 / size[0], height / size[1], text, fontsize=8, color="0.25", wrap=True)
    return figure


def panels_png(figure: "Figure", *, dpi: int = 120) -> bytes:
    """A figure as a PNG file without metadata about the program or the date."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def _axes(figure: "Figure", size: tuple[float, float], row: int, column: int) -> "Axes":
    """Axes for a square picture in its cell, with space for its text below."""
    width, height = size
    left, top = column * _PANEL + 0.08, height - row * (_PANEL + _CAPTION) - 0.32
    side = _PANEL - 0.4
    axes = figure.add_axes((left / width, (top - side) / height, (_PANEL - 0.16) / width, side / height))
    axes.set_axis_off()
    return axes


def _radiograph(axes: "Axes", comparison: Comparison, model: str, finding: str) -> None:
    axes.imshow(grey(comparison.image), interpolation="antialiased")
    truth = {1: "present (ground truth)", 0: "absent (ground truth)", None: "ground truth unknown"}
    lines = [f"{finding}: {truth[comparison.truth.get(finding)]}"]
    if _outline(axes, comparison, finding):
        lines.append(f"white line: ground-truth mask{omission_note(comparison.masks[finding])}")
    _write(axes, f"{model}: the radiograph", lines)


def _cell(
    axes: "Axes",
    comparison: Comparison,
    key: tuple[str, str],
    finding: str,
    divisor: float,
    style: tuple[str, float, float],
) -> None:
    model, method = key
    colours, opacity, threshold = style
    heat = comparison.heat_maps.get(key)
    relevance = heat.map_of(finding) if heat is not None else None
    picture = grey(comparison.image)
    if heat is not None and relevance is not None:
        whole = heat.on_film(relevance[None], comparison.image.shape)[0]
        values = heatmap(whole, divisor, signed=heat.signed)
        table = colours_for(colours, signed=heat.signed)
        picture = overlay(comparison.image, values, table, opacity=opacity, threshold=threshold)
    axes.imshow(picture, interpolation="antialiased")
    _outline(axes, comparison, finding)
    prediction = comparison.predictions.get(model)
    lines = [f"{finding}: {score_text(prediction, finding)}"] if prediction is not None else []
    if heat is not None and relevance is not None:
        lines.append(f"full strength: {divisor:.3g}{_grid(relevance)}")
    lines += notes(comparison, model, method, finding)
    _write(axes, f"{heat.title if heat is not None and heat.title else method} · {model}", lines)


def _grid(relevance: np.ndarray) -> str:
    return f" · grid {relevance.shape[0]} × {relevance.shape[1]}"


def _outline(axes: "Axes", comparison: Comparison, finding: str) -> bool:
    mask = comparison.masks.get(finding)
    if mask is None or not mask.any():
        return False
    from matplotlib.patches import Polygon

    polygons = outline_polygons(mask)
    for colour, width in (("black", 2.4), ("white", 1.2)):
        for polygon in polygons:
            # imshow puts the centre of the first pixel at (0, 0).
            axes.add_patch(Polygon(polygon - 0.5, closed=True, fill=False, edgecolor=colour, linewidth=width))
    return True


def _write(axes: "Axes", title: str, lines: list[str]) -> None:
    axes.set_title(title, fontsize=9, loc="left")
    wrapped = [part for line in lines for part in textwrap.wrap(line, _LINE_LENGTH)]
    axes.text(0, -0.03, "\n".join(wrapped), fontsize=7.5, va="top", transform=axes.transAxes)


def _scale_note(scale: Scale, opacity: float, threshold: float, *, signed: bool) -> str:
    minimum = f"; below {threshold:.0%} of full strength nothing is drawn" if threshold else ""
    both = " Signed maps: one end of the colours raises the score, the other lowers it." if signed else ""
    return f"Scale: {SCALES[scale]}. Opacity {opacity:.0%}{minimum}.{both}"


def panels_svg(figure: "Figure") -> bytes:
    """A figure as an SVG file: text stays text, and equal figures give equal bytes. Maps are pixels in it."""
    from matplotlib import rc_context

    buffer = io.BytesIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "cxrbench"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
