"""Charts of the imbalance of a label table: IRLbl, and the number of findings per image."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from cxrbench.figures.charts import (
    AROUND,
    COLOURS,
    FONT,
    GRID,
    ROW,
    log_axis,
    reference_line,
    row_axis,
    style,
)

__all__ = ["findings_per_image", "ratio_bars"]


def ratio_bars(
    findings: Sequence[str], ratios: Sequence[float], texts: Sequence[str], mean: float
) -> go.Figure:
    """IRLbl, one bar per finding from 1 on a logarithmic axis; a dashed line at MeanIR.

    Args:
        findings: from top to bottom.
        ratios: IRLbl of each; NaN has no bar.
        texts: what is written beside each bar.
        mean: MeanIR: bars beyond it are called rare.
    """
    figure = go.Figure()
    values = np.asarray(ratios, dtype=np.float64)
    for name, colour, chosen in (
        ("rare: above MeanIR", COLOURS[1], values > mean),
        ("not rare", COLOURS[5], ~(values > mean)),
    ):
        figure.add_bar(
            orientation="h",
            name=name,
            y=[finding for finding, kept in zip(findings, chosen, strict=True) if kept],
            x=(values[chosen] - 1).tolist(),
            base=1,
            customdata=values[chosen].tolist(),
            marker={"color": colour},
            hovertemplate="%{y}<br>IRLbl %{customdata:.1f}<extra></extra>",
        )
    for finding, text, number in zip(findings, texts, np.log10(np.nan_to_num(values, nan=1)), strict=True):
        at = {"x": number, "y": finding, "xanchor": "left", "xshift": 4}
        figure.add_annotation(text=text, showarrow=False, font=FONT, **at)
    top = float(np.nanmax(values, initial=10))
    figure.update_xaxes(title_text="IRLbl", tickformat="~s", **log_axis(np.array([1, top])))
    figure.update_xaxes(range=[0, 1.12 * np.log10(top)])
    figure.update_layout(barmode="overlay", bargap=0.2)
    reference_line(figure, mean)
    row_axis(figure, findings)
    return style(figure, AROUND + ROW * len(findings))


def findings_per_image(images: Sequence[int], texts: Sequence[str]) -> go.Figure:
    """How many images have no positive finding, one, two and so on, with ``texts`` above the bars."""
    figure = go.Figure()
    figure.add_bar(
        x=list(range(len(images))),
        y=list(images),
        text=list(texts),
        textposition="outside",
        textangle=0,
        constraintext="inside",
        cliponaxis=False,
        marker={"color": COLOURS[0]},
        hovertemplate="%{x} findings: %{y:,} images<extra></extra>",
    )
    figure.update_xaxes(title_text="Positive findings", dtick=1)
    figure.update_yaxes(title_text="Images", tickformat="~s", gridcolor=GRID)
    return style(figure, 300, legend=False)
