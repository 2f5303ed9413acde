"""Training curves: loss and validation AUROC per epoch."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

__all__ = ["run_curves"]

_BLUE: Final = "#0072B2"
_ORANGE: Final = "#D55E00"
_GREY: Final = "#8a93a0"
_MAX_TICKS: Final = 15


def run_curves(
    losses: Sequence[float],
    aurocs: Sequence[float | None],
    sizes: Sequence[int],
    *,
    finding: Sequence[float | None] | None = None,
    name: str = "",
) -> go.Figure:
    """Training loss and validation AUROC per epoch, one above the other on a shared axis.

    Args:
        losses: training loss per epoch, averaged over its steps.
        aurocs: validation AUROC per epoch, averaged over the findings; None where undefined.
        sizes: side of the images per epoch, in pixels; a vertical line marks a change.
        finding: AUROC of one finding per epoch, shown beside the mean.
        name: name of that finding.
    """
    epochs = list(range(1, len(losses) + 1))
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.12,
        subplot_titles=("Training loss", "Validation AUROC"),
    )
    dots: dict[str, Any] = {"mode": "lines+markers", "x": epochs}
    figure.add_scatter(y=losses, name="loss", line={"color": _ORANGE}, row=1, col=1, **dots)
    figure.add_scatter(y=aurocs, name="mean", line={"color": _BLUE}, row=2, col=1, **dots)
    if finding is not None:
        line = {"color": _GREY, "dash": "dot"}
        figure.add_scatter(y=finding, name=name, line=line, marker={"symbol": "square"}, row=2, col=1, **dots)
    for epoch, (before, after) in enumerate(pairwise(sizes), start=1):
        if before != after:
            figure.add_vline(x=epoch + 0.5, line={"color": _GREY, "dash": "dash"})
            position = {"text": f" {after}² images", "xanchor": "left", "yanchor": "top"}
            figure.add_annotation(x=epoch + 0.5, yref="paper", y=1.0, showarrow=False, **position)
    # 0.5 is the AUROC of chance: it is always within the range.
    figure.add_hline(y=0.5, line={"color": _GREY, "width": 1}, row=2, col=1)
    known = [value for value in (*aurocs, *(finding or ())) if value is not None]
    figure.update_yaxes(range=[min(0.45, *known) if known else 0.4, 1.01], row=2, col=1)
    # Few epochs get one tick each: by default Plotly places ticks at halves and rounds their labels.
    ticks = {"tick0": 1, "dtick": 1} if len(epochs) <= _MAX_TICKS else {}
    figure.update_xaxes(range=[0.5, len(epochs) + 0.5], tickformat="d", **ticks)
    figure.update_xaxes(title_text="epoch", row=2, col=1)
    figure.update_layout(
        height=430,
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        legend={"orientation": "h", "y": -0.16},
        hovermode="x unified",
        paper_bgcolor="rgba(0,0,0,0)",
    )
    return figure
