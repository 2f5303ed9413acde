import numpy as np
import pandas as pd
import pytest
from plotly.graph_objs import Figure

from cxrbench.figures.charts import COLOURS, SHAPES, dots, intervals, reference_line, stacked, wrapped
from cxrbench.figures.colours import COLOURS as TABLES
from cxrbench.figures.curves import reliability_chart
from cxrbench.figures.imbalance import findings_per_image, ratio_bars
from cxrbench.figures.matrix import ColourAxis, matrix

FINDINGS = ["Edema", "Fracture", "Pleural Effusion"]


@pytest.fixture
def counts() -> pd.DataFrame:
    rows = [(finding, state) for finding in FINDINGS for state in ("positive", "blank")]
    images = [40, 60, 0, 100, 5, 95]
    table = pd.DataFrame(rows, columns=["finding", "name"]).assign(images=images)
    return table.assign(share=table["images"] / 100, state=table["name"])


def rows_of(figure: Figure) -> list[str]:
    """The names beside a chart from top to bottom, each of which has its tick."""
    axis = figure.layout.yaxis
    assert (axis.tickmode, axis.tick0, axis.dtick) == ("linear", 0, 1)
    assert axis.range == (len(axis.categoryarray) - 0.5, -0.5)
    return list(axis.categoryarray)


def test_bars_are_stacked_in_the_order_of_the_states_and_of_the_legend(counts: pd.DataFrame) -> None:
    figure = stacked(counts, FINDINGS[::-1], {"positive": "#D55E00", "blank": "#b9c0c7"})
    assert [(bar.name, bar.marker.color) for bar in figure.data] == [
        ("positive", "#D55E00"),
        ("blank", "#b9c0c7"),
    ]
    assert figure.layout.barmode == "stack"
    assert figure.layout.legend.traceorder == "normal"
    assert list(figure.data[0].x) == [40, 0, 5]
    assert rows_of(figure) == FINDINGS[::-1]


def test_a_chart_below_a_common_legend_has_none_of_its_own(counts: pd.DataFrame) -> None:
    states = {"positive": "#D55E00", "blank": "#b9c0c7"}
    figure = stacked(counts, FINDINGS, states, share=True, compact=True)
    assert not figure.layout.showlegend
    assert figure.layout.height < stacked(counts, FINDINGS, states).layout.height
    assert list(figure.data[1].x) == [0.6, 1, 0.95]


def test_every_name_has_a_colour_and_a_shape_and_zeros_are_not_on_a_logarithmic_axis(
    counts: pd.DataFrame,
) -> None:
    figure = dots(counts, FINDINGS, ["positive", "blank"], value="images", title="Images", log=True)
    looks = [(trace.marker.color, trace.marker.symbol) for trace in figure.data]
    assert looks == list(zip(COLOURS[:2], SHAPES[:2], strict=True))
    assert list(figure.data[0].y) == ["Edema", "Pleural Effusion"]
    assert rows_of(figure) == FINDINGS
    low, high = figure.layout.xaxis.range
    assert 10**low < 5
    assert 10**high > 100


def test_a_chart_without_a_single_value_can_be_drawn(counts: pd.DataFrame) -> None:
    empty = counts.assign(images=0)
    figure = dots(empty, FINDINGS, ["positive"], value="images", title="Images", log=True)
    assert list(figure.data[0].x) == []
    assert rows_of(figure) == FINDINGS
    known = counts.assign(low=0.0, high=1.0, tip="", kind="positive")[:0]
    assert rows_of(intervals(known, row="finding", value="share", title="Share", kinds=["positive"])) == []


def test_intervals_end_where_the_table_says(counts: pd.DataFrame) -> None:
    table = pd.DataFrame(
        {
            "finding": FINDINGS,
            "value": [0.1, -0.2, np.nan],
            "low": [0, -0.5, np.nan],
            "high": [0.3, -0.1, np.nan],
        }
    ).assign(tip="a tip", kind=["0 is inside", "0 is outside", "0 is inside"])
    kinds = ["0 is outside", "0 is inside"]
    figure = intervals(table, row="finding", value="value", title="Difference", kinds=kinds)
    outside, inside = figure.data
    ends = [
        (trace.x[0] - trace.error_x.arrayminus[0], trace.x[0] + trace.error_x.array[0])
        for trace in (outside, inside)
    ]
    assert ends == [(-0.5, -0.1), (0, 0.3)]
    assert outside.marker.color != inside.marker.color
    assert outside.marker.symbol != inside.marker.symbol
    assert rows_of(figure) == FINDINGS  # also the one whose value is undefined
    written = intervals(table, row="finding", value="value", title="Value", written=True)
    assert [note.text for note in written.layout.annotations] == ["0.100", "-0.200"]


def test_a_reference_line_is_drawn_where_it_is_defined() -> None:
    figure = findings_per_image([5, 3], ["5", "3"])
    reference_line(figure, float("nan"))
    assert not figure.layout.shapes
    reference_line(figure, 2.5)
    assert figure.layout.shapes[0].x0 == figure.layout.shapes[0].x1 == 2.5


def test_bars_of_irlbl_begin_at_one_and_an_undefined_one_is_listed_without_a_bar() -> None:
    figure = ratio_bars(FINDINGS, [1.0, 9.0, np.nan], ["1.0", "9.0", "–"], 5.0)
    rare, common = figure.data
    assert (list(rare.y), rare.base + rare.x[0]) == (["Fracture"], 9)
    assert list(common.y) == ["Edema", "Pleural Effusion"]
    assert (common.x[0], np.isnan(common.x[1])) == (0, True)
    assert [(note.y, note.text) for note in figure.layout.annotations] == [
        ("Edema", "1.0"),
        ("Fracture", "9.0"),
        ("Pleural Effusion", "–"),
    ]
    assert figure.layout.shapes[0].x0 == 5
    assert rows_of(figure) == FINDINGS


def test_cells_have_words_in_white_or_black_of_sufficient_contrast() -> None:
    values = np.linspace(0, 1, 256).reshape(16, 16)
    values[0, 1] = np.nan
    labels = [f"F{index}" for index in range(16)]
    for table in TABLES.values():
        axis = ColourAxis("Share", table, 0, 1, {0: "0", 1: "1"})
        texts = np.where(np.isnan(values), "", "1")
        figure = matrix(values, labels, axis, texts=texts, tips=np.full(values.shape, "a tip"))
        cells, words = figure.data
        assert cells.z[0][1] is None or np.isnan(cells.z[0][1])
        assert len(words.text) == 255
        assert rows_of(figure) == labels
        shown = values[~np.isnan(values)]
        for value, colour in zip(shown, words.textfont.color, strict=True):
            ground = luminance(table.table[round(value * 255)])
            contrast = (1.05 / (ground + 0.05)) if colour == "#ffffff" else (ground + 0.05) / 0.05
            assert contrast >= 4.5


def test_each_system_has_its_line_its_shape_and_markers_that_grow_with_the_images() -> None:
    curve = pd.DataFrame({"score": [0.1, 0.9], "share": [0.2, 0.7], "images": [400, 4]})
    figure = reliability_chart({"A": curve, "B": curve}, "Edema")
    diagonal, *lines = figure.data
    assert (list(diagonal.x), list(diagonal.y)) == ([0, 1], [0, 1])
    assert [line.name for line in lines] == ["A", "B"]
    assert len({line.marker.symbol for line in lines}) == len({line.line.color for line in lines}) == 2
    assert lines[0].marker.size[0] > 2 * lines[0].marker.size[1]
    assert figure.layout.xaxis.range == figure.layout.yaxis.range == (0, 1)


def test_long_names_of_a_legend_are_broken_into_lines_that_fit_on_a_phone() -> None:
    name = "predict then combine, votes of five models with ties broken at random"
    assert wrapped(name).replace("<br>", " ") == name
    assert max(map(len, wrapped(name).split("<br>"))) <= 40


def luminance(rgb: np.ndarray) -> float:
    parts = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in rgb / 255]
    return float(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
