"""The JavaScript of the components, file by file in Chromium, against NumPy, scikit-learn and the library."""

import base64
import json
import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, Route
from sklearn import metrics

from cxrbench.app.compare.image_encoding import colour_tables, encoded, input_box, picture
from cxrbench.app.compare.scene import scene
from cxrbench.app.performance.curve_data import curve_data
from cxrbench.app.widgets.browser_module import joined_module
from cxrbench.compare import SCALES, Comparison, HeatMaps, Prediction, Settings, heatmap, peaks
from cxrbench.evaluation import Predictions
from cxrbench.evaluation.predictions import ABOUT
from cxrbench.evaluation.systems import System, fit_systems
from cxrbench.figures.colours import COLOURS, colours_for
from cxrbench.figures.overlay import overlay
from cxrbench.preprocess import Preprocessing
from cxrbench.teaching import quiz
from cxrbench.teaching.glossary import GLOSSARY, meanings_of

ORIGIN = "http://modules.test"
FIELD, VIEW, DRAW, SAVE = (f"compare/canvas/{name}.js" for name in ("field", "view", "draw", "save"))
CONFUSION, PLOT, SLIDE = (f"performance/curves/{name}.js" for name in ("confusion", "plot", "slide"))
LABELS = "widgets/outline_labels.js"
Run = Callable[..., Any]
RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def run(chromium: Browser, root: Path) -> Iterator[Run]:
    """Evaluate an expression of a module ``m`` and an argument ``a``: ``run(file, "m.name(a)", a)``."""
    context = chromium.new_context()
    page = context.new_page()

    def answer(route: Route) -> None:
        path = root / "cxrbench" / "app" / route.request.url.removeprefix(f"{ORIGIN}/")
        if path.suffix == ".js":
            route.fulfill(path=path, content_type="text/javascript")
        else:
            route.fulfill(body="<!doctype html>", content_type="text/html")

    page.route(f"{ORIGIN}/**", answer)
    page.goto(f"{ORIGIN}/")

    def evaluate(module: str, expression: str, argument: Any = None) -> Any:
        script = f"async (a) => {{ const m = await import('{ORIGIN}/{module}'); return {expression}; }}"
        return page.evaluate(script, argument)

    yield evaluate
    context.close()


def numbers(values: Any) -> np.ndarray:
    """What came back from the browser, None as NaN."""
    return np.array([math.nan if value is None else value for value in values], np.float64)


# ---- the canvas: decoding and sampling


@pytest.mark.parametrize("side", [7, 90])
def test_a_map_arrives_with_its_values(run: Run, side: int) -> None:
    relevance = RNG.normal(size=(side, side + 3)).astype(np.float32)
    record = encoded(relevance, (1.5, 2, 30, 40))
    found = run(FIELD, "(({ values, ...rest }) => [Array.from(values), rest])(m.decodeMap(a))", record)
    assert found[1] == {"width": side + 3, "height": side, "box": [1.5, 2, 30, 40]}
    values = numbers(found[0]).reshape(side, side + 3)
    if record["kind"] == "f32":
        np.testing.assert_array_equal(values, relevance)
    else:
        np.testing.assert_allclose(values, relevance, atol=0.51 * record["step"])


def test_sampling_between_grid_points_is_linear_interpolation(run: Run) -> None:
    places = np.linspace(-2, 12, 57)
    for count in (1, 2, 5):
        grid = RNG.normal(size=count)
        found = run(FIELD, "a[0].map((x) => m.between(x, 1, 9, a[1]))", [places.tolist(), count])
        values = [
            grid[int(first)] * (1 - weight) + grid[int(second)] * weight for first, second, weight in found
        ]
        centres = 1 + (np.arange(count) + 0.5) * 8 / count
        np.testing.assert_allclose(values, np.interp(places, centres, grid), atol=1e-12)


@pytest.mark.parametrize("fit", ["stretch", "pad", "crop", "letterbox"])
@pytest.mark.parametrize("shape", [(512, 384), (384, 512)])
def test_a_map_lies_on_the_film_where_the_library_puts_it(run: Run, fit: str, shape: tuple[int, int]) -> None:
    """``rasterise`` draws at most 512 pixels per side, so these films are sampled at their own pixels."""
    recipe = Preprocessing(size=32 if shape[0] > shape[1] else (30, 36), fit=fit)  # type: ignore[arg-type]
    relevance = RNG.normal(size=(1, 7, 9)).astype(np.float32)
    expected = recipe.to_original(relevance, shape)[0]
    record = encoded(relevance[0], input_box(recipe, shape))
    width, height = shape[1], shape[0]
    # As text: Playwright takes seconds for an array of this length.
    parts = "({ width, height, values }) => [width, height, values.join(' ')]"
    found = run(FIELD, f"({parts})(m.rasterise(m.decodeMap(a[0]), a[1], a[2]))", [record, width, height])
    assert found[:2] == [width, height]
    raster = np.array(found[2].split(), np.float64).reshape(shape)
    np.testing.assert_array_equal(np.isnan(raster), np.isnan(expected))
    np.testing.assert_allclose(raster, expected, atol=2e-5)
    rows, columns = RNG.integers(0, height, 50), RNG.integers(0, width, 50)
    points = np.stack([columns + 0.5, rows + 0.5], 1).tolist()
    read = run(
        FIELD, "((map) => a[1].map(([x, y]) => m.valueAt(map, x, y)))(m.decodeMap(a[0]))", [record, points]
    )
    np.testing.assert_allclose(numbers(read), expected[rows, columns], atol=2e-5)


def test_a_large_film_is_coloured_on_a_grid_of_512(run: Run) -> None:
    record = encoded(np.ones((3, 3), np.float32), (0, 0, 3000, 2000))
    size = "({ width, height }) => [width, height]"
    assert run(FIELD, f"({size})(m.rasterise(m.decodeMap(a), 3000, 2000))", record) == [512, 341]


# ---- the canvas: colours


def painted(run: Run, values: np.ndarray, peak: float, name: str, view: dict[str, Any]) -> np.ndarray:
    """The pixels (N, 4) that a row of values becomes."""
    data = {
        "values": [None if math.isnan(value) else value for value in values.astype(float)],
        "table": colour_tables()[name]["table"],
        "signed": COLOURS[name].diverging,
        "peak": peak,
        "view": view,
    }
    raster = "{ width: a.values.length, height: 1, values: Float32Array.from(a.values, (v) => v ?? NaN) }"
    found = run(
        FIELD, f"Array.from(m.colouredPixels({raster}, m.bytesOf(a.table), a.signed, a.peak, a.view))", data
    )
    return np.array(found, np.uint8).reshape(-1, 4)


@pytest.mark.parametrize("name", sorted(COLOURS))
@pytest.mark.parametrize("threshold", [0.0, 0.3])
def test_colours_are_those_of_the_library(run: Run, name: str, threshold: float) -> None:
    """On a black film at full opacity, the library's overlay is colour × cover, rounded."""
    signed = COLOURS[name].diverging
    relevance = RNG.uniform(-2.5 if signed else 0, 2.5, 400).astype(np.float32)
    relevance[::50] = np.nan
    values = heatmap(relevance, 2.0, signed=signed)[None]
    expected = overlay(np.zeros((1, 400)), values, COLOURS[name], opacity=1, threshold=threshold)[0].astype(
        int
    )
    pixels = painted(run, relevance, 2.0, name, {"threshold": threshold, "fade": True}).astype(float)
    mixed = pixels[:, :3] * pixels[:, 3:] / 255
    assert np.abs(mixed - expected).max() <= 1.5
    assert (pixels[np.isnan(relevance), 3] == 0).all()


def test_without_fading_every_drawn_value_hides_the_film(run: Run) -> None:
    values = np.array([0, 0.1, 0.2, 0.9, 1.7], np.float32)
    pixels = painted(run, values, 1.0, "viridis", {"threshold": 0.15, "fade": False})
    assert pixels[:, 3].tolist() == [0, 0, 255, 255, 255]
    assert pixels[4, :3].tolist() == COLOURS["viridis"].table[255].tolist()


def test_a_map_without_a_peak_is_clear(run: Run) -> None:
    assert not painted(run, np.ones(5, np.float32), 0.0, "magma", {"threshold": 0, "fade": True}).any()


def comparison() -> Comparison:
    """Two models, an unsigned and a signed method, one finding; one map is zero."""
    labels, half = ("Edema",), np.full(1, 0.5, np.float32)
    heats = {
        (model, method): HeatMaps(
            model,
            method,
            "last",
            labels,
            (factor * RNG.normal(size=(1, 7, 7))).astype(np.float32),
            Preprocessing(size=8),
            0.1,
            signed=method == "ig",
        )
        for model, method, factor in (
            ("a", "cam", 1),
            ("a", "ig", 2),
            ("b", "cam", 0),
            ("b", "ig", 4),
            ("c", "cam", 3),
        )
    }
    return Comparison(
        RNG.random((40, 60), np.float32),
        "s",
        Settings(("a", "b", "c"), ("cam", "ig")),
        {model: Prediction(model, "r", labels, half, half, half, 0.1) for model in "abc"},
        heats,
        {},
        {},
    )


@pytest.mark.parametrize("scale", sorted(SCALES))
def test_full_colour_stands_for_what_the_library_says(run: Run, scale: str) -> None:
    made = comparison()
    data = scene({"Edema": made}, cells={}, titles={}, link=None, file="f")
    found = run(VIEW, "m.peaksOf(a[0], a[1])", [data["panels"], scale])
    expected = peaks(made, "Edema", scale)  # type: ignore[arg-type]
    own = {f"{model} {method} Edema": value for (model, method), value in expected.items()}
    assert {key: found[key] for key in own} == pytest.approx(own)
    fixed = {panel["id"]: panel["peak"] for panel in data["panels"] if panel["fixed"]}
    assert {key: value for key, value in found.items() if key not in own} == pytest.approx(fixed)


@pytest.mark.parametrize("name", ["auto", *sorted(COLOURS)])
@pytest.mark.parametrize("signed", [False, True])
def test_a_map_gets_the_chosen_colours_if_they_suit_its_signs(run: Run, name: str, signed: bool) -> None:
    expected = colours_for("cividis" if name == "auto" else name, signed=signed)
    arguments: list[dict[str, Any]] = [
        {"colours": "", "signed": signed},
        {"colours": name},
        {"colours": colour_tables()},
    ]
    assert COLOURS[run(VIEW, "m.colourName(...a)", arguments)] is expected
    arguments[0]["colours"] = "magma"
    assert run(VIEW, "m.colourName(...a)", arguments) == "magma"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1.23456, "1.23"),
        (-0.5, "−0.5"),
        (1234.5, "1230"),
        (0.00012345, "1.2e−4"),
        (98765, "9.9e+4"),
    ],
)
def test_numbers_have_three_significant_digits(run: Run, value: float, text: str) -> None:
    assert run(FIELD, "m.figure(a)", value) == text
    assert run(FIELD, "[m.figure(NaN), m.figure(Infinity)]") == ["–", "–"]


# ---- the canvas: the view and its link

NAMES = {"colours": colour_tables(), "scales": dict(SCALES)}


def test_a_view_comes_back_from_its_link(run: Run) -> None:
    drawn = random.Random(0)
    for _ in range(30):
        view = {
            "opacity": drawn.randrange(101) / 100,
            "moved": True,
            "threshold": drawn.randrange(96) / 100,
            "colours": drawn.choice(["auto", *COLOURS]),
            "scale": drawn.choice(list(SCALES)),
            "outline": drawn.random() < 0.5,
            "fade": drawn.random() < 0.5,
            "zoom": drawn.randrange(100, 1201) / 100,
            "x": drawn.randrange(101) / 100,
            "y": drawn.randrange(101) / 100,
        }
        assert run(VIEW, "m.readView(m.writeView(a[0]), a[1])", [view, NAMES]) == view


def test_a_link_holds_a_view_only_where_it_was_changed(run: Run) -> None:
    assert run(VIEW, "m.viewParameter(m.DEFAULTS)") == ""
    changed = run(VIEW, "m.viewParameter({ ...m.DEFAULTS, fade: false })")
    assert run(VIEW, "m.readView(...a)", [changed, NAMES]) == run(VIEW, "({ ...m.DEFAULTS, fade: false })")


def test_an_opacity_that_nobody_chose_is_not_fixed_by_a_link(run: Run) -> None:
    text = run(VIEW, "m.writeView(m.DEFAULTS)")
    assert text.startswith("oa-")
    assert run(VIEW, "m.readView(...a)", [text, NAMES]) == run(VIEW, "({ ...m.DEFAULTS })")
    assert run(VIEW, "m.opacityOf({ opacity: 0.9 }, m.DEFAULTS)") == 0.9
    assert run(VIEW, "m.opacityOf({ opacity: null }, m.DEFAULTS)") == 0.6
    assert run(VIEW, "m.opacityOf({ opacity: 0.9 }, { ...m.DEFAULTS, moved: true })") == 0.6


def test_a_link_that_someone_made_up_gives_a_view_within_bounds(run: Run) -> None:
    letters = random.Random(1)
    texts = [
        "",
        "o-t-c-s-m-f-z-x-y",
        "z1e999-o-5-t900-x-1-y7",
        "cconstructor-s__proto__",
        "oNaN-zInfinity",
        None,
    ]
    texts += ["".join(letters.choices("octsmfzxy0123456789.-e", k=40)) for _ in range(100)]
    for view in run(VIEW, "a[0].map((text) => m.readView(text, a[1]))", [texts, NAMES]):
        assert 0 <= view["opacity"] <= 1
        assert 0 <= view["threshold"] <= 0.95
        assert 1 <= view["zoom"] <= 12
        assert 0 <= view["x"] <= 1
        assert 0 <= view["y"] <= 1
        assert view["colours"] in {"auto", *COLOURS}
        assert view["scale"] in SCALES
        assert {type(view[name]) for name in ("moved", "outline", "fade")} == {bool}


def test_zooming_keeps_the_point_under_the_pointer(run: Run) -> None:
    view = {"zoom": 2, "x": 0.5, "y": 0.45}
    for factor in (1.5, 0.8):
        after = run(VIEW, "(m.zoomAt(a[0], a[1], 0.55, 0.4), a[0])", [view, factor])
        assert after["zoom"] == pytest.approx(2 * factor)
        for axis, place in (("x", 0.55), ("y", 0.4)):
            on_screen = (place - view[axis]) * view["zoom"]
            assert (place - after[axis]) * after["zoom"] == pytest.approx(on_screen)


def test_the_view_never_leaves_the_radiograph(run: Run) -> None:
    for x, y, zoom in RNG.uniform([-1, -1, 0], [2, 2, 30], (50, 3)).tolist():
        view = run(VIEW, "(m.settle(a), a)", {"x": x, "y": y, "zoom": zoom})
        half = 0.5 / view["zoom"]
        assert 1 <= view["zoom"] <= 12
        assert all(half - 1e-9 <= view[axis] <= 1 - half + 1e-9 for axis in "xy")


def test_the_window_shows_the_centre_of_the_view_in_its_middle(run: Run) -> None:
    arguments = [{"x": 0.3, "y": 0.6, "zoom": 2}, {"width": 200, "height": 100}, 400, 200]
    window = run(DRAW, "m.windowOf(...a)", arguments)
    assert window["scale"] == 4
    assert 0.3 * 200 * window["scale"] + window["left"] == pytest.approx(200)
    assert 0.6 * 100 * window["scale"] + window["top"] == pytest.approx(100)


def test_an_older_link_with_a_hyphen_in_its_colours_keeps_its_opacity(run: Run) -> None:
    view = run(VIEW, "m.readView(...a)", ["o35-t10-cblue-orange-smethod-m1-f1-z2-x50-y50", NAMES])
    assert (view["opacity"], view["moved"], view["scale"], view["zoom"]) == (0.35, True, "method", 2)


# ---- names beside outlines


def square(left: float, top: float, side: float) -> list[list[float]]:
    return [[left, top], [left + side, top], [left + side, top + side], [left, top + side]]


def placed(run: Run, *labels: tuple[list[list[list[float]]], float, float]) -> list[Any]:
    """Where names of (polygons, width, height) stand in a window of 100 × 100."""
    frame = {"left": 0, "top": 0, "right": 100, "bottom": 100}
    records = [{"polygons": polygons, "width": width, "height": height} for polygons, width, height in labels]
    found: list[Any] = run(LABELS, "m.placeLabels(...a)", [records, frame])
    return found


@pytest.mark.parametrize(
    ("outline", "where"),
    [
        (square(40, 40, 20), lambda box: box["bottom"] < 40),
        (square(40, 1, 20), lambda box: box["top"] > 21),
        ([[30, 0], [99, 0], [99, 99], [30, 99]], lambda box: box["right"] < 30),
        ([[0, 0], [60, 0], [60, 99], [0, 99]], lambda box: box["left"] > 60),
    ],
    ids=["above", "below", "left", "right"],
)
def test_a_name_stands_beside_its_outline_on_the_first_side_with_room(
    run: Run, outline: list[list[float]], where: Callable[[Any], bool]
) -> None:
    (box,) = placed(run, ([outline], 25, 6))
    assert where(box)
    assert box["right"] - box["left"] == pytest.approx(25)


def test_names_stay_in_the_window_and_off_outlines_and_each_other(run: Run) -> None:
    for x, y, side, other_x, other_y in RNG.uniform([1, 1, 4, 1, 1], [70, 70, 20, 80, 80], (40, 5)).tolist():
        outlines = [square(x, y, side), square(other_x, other_y, 8)]
        boxes = placed(run, *(([outline], 22, 6) for outline in outlines))
        for box in boxes:
            assert 0 <= box["left"] < box["right"] <= 100
            assert 0 <= box["top"] < box["bottom"] <= 100
        one, other = boxes
        apart = one["right"] <= other["left"] or other["right"] <= one["left"]
        assert apart or one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
        # Corners on a line would show a crossing too late: a name is wider than these squares.
        for box in boxes:
            for outline in outlines:
                for corner in outline:
                    inside_x = box["left"] < corner[0] < box["right"]
                    assert not (inside_x and box["top"] < corner[1] < box["bottom"])


def test_a_name_follows_what_is_seen_of_its_outline(run: Run) -> None:
    assert placed(run, ([square(120, 40, 20)], 25, 6)) == [None]
    (box,) = placed(run, ([square(40, -10, 30)], 25, 6))
    assert box["top"] > 20


# ---- the canvas: the saved picture


def test_panels_of_the_saved_picture_stand_in_rows(run: Run) -> None:
    firsts = [True, False, False, False, True, True, False]
    places = run(SAVE, "m.placesOf(a, 3)", [{"first": first, "rows": 1} for first in firsts])
    assert places == [[0, 0], [0, 1], [0, 2], [1, 0], [2, 0], [3, 0], [3, 1]]


def test_panels_beside_a_radiograph_of_several_rows_leave_its_column_free(run: Run) -> None:
    panels = [{"first": True, "rows": 3}, *[{"first": False, "rows": 1}] * 3]
    panels += [{"first": True, "rows": 1}, {"first": False, "rows": 1}]
    places = run(SAVE, "m.placesOf(a, 3)", [*panels, *panels[:2]])
    assert places == [[0, 0], [0, 1], [0, 2], [1, 1], [2, 1], [2, 2], [3, 0], [3, 1]]


def test_words_wrap_at_the_width_and_none_is_lost(run: Run) -> None:
    context = "{ measureText: (text) => ({ width: text.length }) }"
    words = "one two three extraordinarily four"
    lines = run(SAVE, f"m.wrapped({context}, a, 9)", words)
    assert lines == ["one two", "three", "extraordinarily", "four"]
    assert run(SAVE, f"m.wrapped({context}, '', 9)") == [""]


def test_a_radiograph_is_sent_with_the_size_of_its_picture(run: Run) -> None:
    sent = picture(RNG.random((1500, 900), np.float32))
    bitmap = "await createImageBitmap(await (await fetch(a)).blob())"
    size = run(FIELD, f"(({{ width, height }}) => [width, height])({bitmap})", sent["src"])
    assert size == [sent["width"], sent["height"]] == [614, 1024]


# ---- the curves


@pytest.fixture(scope="module")
def systems() -> list[System]:
    def made(seed: int, images: int = 300) -> Predictions:
        rng, truth_rng = np.random.default_rng(seed), np.random.default_rng(99)
        targets = (truth_rng.random((images, 1)) < 0.3).astype(np.float32)
        scores = np.clip(0.3 * targets + 0.7 * rng.random((images, 1)), 0, 1).astype(np.float32)
        columns: dict[str, list[Any]] = {name: [""] * images for name in ABOUT}
        columns["patient"] = columns["path"] = [f"{row}" for row in range(images)]
        columns["split"] = ["valid" if row < 100 else "test" for row in range(images)]
        columns["age"] = [math.nan] * images
        return Predictions(pd.DataFrame(columns)[list(ABOUT)], ("Edema",), targets, scores, f"m{seed}")

    return fit_systems({f"m{seed}": made(seed) for seed in range(3)})


def test_counts_at_every_threshold_are_those_of_scikit_learn(run: Run, systems: list[System]) -> None:
    data = curve_data(systems, "Edema", "youden")
    for system, sent in zip(systems, data["systems"], strict=True):
        truth = system.shown.targets[:, 0] == 1
        scores = system.shown.scores[:, 0].astype(np.float64)
        steps = range(0, len(data["steps"]), 40)
        used = {key: sent[key] for key in ("graded", "hits", "alarms", "fixed")}
        numbers_of = {key: data[key] for key in ("positives", "negatives")}
        found = run(CONFUSION, "a[2].map((i) => m.allCounts(a[0], a[1], i))", [used, numbers_of, list(steps)])
        for step, counts in zip(steps, found, strict=True):
            predicted = scores >= data["steps"][step] if system.graded else system.calls[:, 0]
            tn, fp, fn, tp = metrics.confusion_matrix(truth, predicted, labels=[False, True]).ravel()
            assert counts == {"hits": tp, "alarms": fp, "misses": fn, "rejections": tn}


def test_rates_are_those_of_scikit_learn(run: Run) -> None:
    for _ in range(20):
        truth, predicted = RNG.random((2, 40)) < RNG.random((2, 1))
        tn, fp, fn, tp = map(int, metrics.confusion_matrix(truth, predicted, labels=[False, True]).ravel())
        rows = run(CONFUSION, "m.rates(a)", {"hits": tp, "alarms": fp, "misses": fn, "rejections": tn})
        found = {name: math.nan if value is None else value for name, value, _ in rows}
        options: dict[str, Any] = {"zero_division": np.nan}
        expected = {
            "Sensitivity": metrics.recall_score(truth, predicted, **options),
            "Specificity": metrics.recall_score(~truth, ~predicted, **options),
            "Precision": metrics.precision_score(truth, predicted, **options),
            "F1": metrics.f1_score(truth, predicted, **options),
            "Accuracy": metrics.accuracy_score(truth, predicted),
        }
        expected["Balanced acc."] = (expected["Sensitivity"] + expected["Specificity"]) / 2
        assert found == pytest.approx(expected, nan_ok=True)


def test_rates_of_nothing_are_undefined(run: Run) -> None:
    rows = run(CONFUSION, "m.rates({ hits: 0, alarms: 0, misses: 0, rejections: 0 })")
    assert all(math.isnan(value) for _, value, _ in rows)


def test_the_slider_finds_the_nearest_step(run: Run) -> None:
    steps = np.unique(RNG.random(200).round(4))
    wanted = RNG.uniform(-0.1, 1.1, 100)
    found = run(
        SLIDE,
        "a[1].map((threshold) => m.stepOf({ steps: a[0] }, threshold))",
        [steps.tolist(), wanted.tolist()],
    )
    assert found == np.abs(steps[None] - wanted[:, None]).argmin(1).tolist()


def test_axes_run_from_edge_to_edge_of_the_plot(run: Run) -> None:
    side = run(PLOT, "m.SIDE")
    values = RNG.random(20).tolist()
    across = run(PLOT, "a.map(m.across)", values)
    up = run(PLOT, "a.map(m.up)", values)
    np.testing.assert_allclose(
        across, np.interp(values, [0, 1], [side["left"], side["width"] - side["right"]])
    )
    np.testing.assert_allclose(up, np.interp(values, [0, 1], [side["height"] - side["bottom"], side["top"]]))


def vertices(path: str) -> list[list[float]]:
    return [[float(number) for number in point.split()] for point in re.split("[MLZ]", path) if point]


def test_a_curve_goes_through_its_vertices_and_passes_over_undefined_ones(run: Run) -> None:
    xs, ys = [0, 0.25, None, 1], [0.1, 0.5, 0.7, None]
    known = [[0, 0.1], [0.25, 0.5]]
    points = run(PLOT, "a.map(([x, y]) => [m.across(x), m.up(y)])", known)
    lines = run(PLOT, "m.pathOf(a[0], a[1], false)", [xs, ys])
    np.testing.assert_allclose(vertices(lines), points, atol=0.051)
    steps = run(PLOT, "m.pathOf(a[0], a[1], true)", [xs, ys])
    (x0, y0), (x1, y1) = points
    assert steps == f"M{x0:.1f} {y0:.1f}V{y1:.1f}H{x1:.1f}"


def test_a_band_encloses_what_lies_between_its_edges(run: Run) -> None:
    band: dict[str, Any] = {"grid": [0, 0.5, 1], "low": [0, 0.2, 0.8], "high": [0.3, 0.6, 1]}
    corners = [[0, 0.3], [0.5, 0.6], [1, 1], [1, 0.8], [0.5, 0.2], [0, 0]]
    points = run(PLOT, "a.map(([x, y]) => [m.across(x), m.up(y)])", corners)
    np.testing.assert_allclose(vertices(run(PLOT, "m.bandOf(a)", band)), points, atol=0.051)
    assert run(PLOT, "m.bandOf(a)", {**band, "high": [0.3, None, 1]}) == ""
    assert run(PLOT, "m.bandOf(a)", {"grid": [], "low": [], "high": []}) == ""


# ---- the modules as Streamlit gets them


@pytest.mark.parametrize("entry", ["compare/canvas/index.js", "performance/curves/slide.js"])
def test_the_joined_module_is_one_module_with_one_component(run: Run, root: Path, entry: str) -> None:
    text = joined_module(root / "cxrbench" / "app" / entry)
    script = "URL.createObjectURL(new Blob([a], { type: 'text/javascript' }))"
    exports = run(
        FIELD, f"Object.entries(await import({script})).map(([name, value]) => [name, typeof value])", text
    )
    assert exports == [["default", "function"]]


# ---- the quiz: figures, regions and the exported table, against cxrbench.teaching.quiz

QUIZ_FIGURES, QUIZ_REGIONS, QUIZ_TABLE = (
    f"quiz/player/{name}.js" for name in ("figures", "regions", "table")
)


def random_answers(seed: int, count: int, *, retest: bool = False) -> list[quiz.Answer]:
    """Answers of a reader who guesses, with marks where "present" was said, and some figures undefined."""
    rng = np.random.default_rng(seed)

    def reading() -> quiz.Reading:
        return quiz.Reading(
            bool(rng.integers(2)), float(rng.integers(10, 21)) / 20, round(9 * rng.random(), 3)
        )

    found = []
    for number in range(count):
        alone = reading()
        x, y, iou, share = (round(float(value), 6) for value in rng.random(4))
        marked = alone.present
        found.append(
            quiz.Answer(
                film=f'film "{number}", {seed}',
                present=bool(rng.integers(2)),
                alone=alone,
                ai_present=None if retest else bool(rng.integers(2)),
                with_ai=None if retest else reading(),
                mark=quiz.Mark(x, y, 0.08) if marked else None,
                distance=(x if number % 3 else 0.0) if marked else math.nan,
                overlap=quiz.Overlap(iou, share, y) if marked and not retest else quiz.Overlap(),
                inverted=not retest and number % 4 == 0,
            )
        )
    return found


def as_json(answers: list[quiz.Answer]) -> Any:
    """Answers as the player keeps them: undefined numbers are null."""
    return json.loads(json.dumps([asdict(each) for each in answers]).replace("NaN", "null"))


@pytest.mark.parametrize("count", [0, 1, 2, 20])
def test_the_figures_of_a_quiz_are_those_of_the_library(run: Run, count: int) -> None:
    answers, retest = random_answers(count, count), random_answers(count + 50, count // 2, retest=True)
    expected = quiz.quiz_figures(answers, retest)
    found = run(QUIZ_FIGURES, "m.quizFigures(...a)", [as_json(answers), as_json(retest)])
    assert list(found) == list(quiz.FIGURES)
    assert {key: value["films"] for key, value in found.items()} == {
        key: value.films for key, value in expected.items()
    }
    shown = numbers([value["value"] for value in found.values()])
    np.testing.assert_allclose(shown, [value.value for value in expected.values()], atol=1e-12)


def test_the_place_of_a_mark_is_measured_as_in_the_library(run: Run) -> None:
    rng = np.random.default_rng(3)
    lesion, region = np.zeros((2, quiz.GRID, quiz.GRID), bool)
    lesion[40:70, 20:35] = region[30:90, 10:60] = True
    sent = [base64.b64encode(np.packbits(cells).tobytes()).decode() for cells in (lesion, region)]
    patterns = [
        {"agreement": agreement, "ai_right": right, "title": pattern.title}
        for (agreement, right), pattern in quiz.PATTERNS.items()
    ]
    for _ in range(12):
        mark = quiz.Mark(float(rng.random()), float(rng.random()), float(rng.uniform(0.02, 0.3)))
        far, both, title = run(
            QUIZ_REGIONS,
            """(({ sent, grid, mark, patterns }) => {
              const [lesion, region] = sent.map((bits) => m.decodeCells(bits, grid));
              const overlap = m.overlapOf(region, grid, mark);
              return [m.distanceTo(lesion, grid, mark), overlap, m.patternOf(overlap, true, patterns).title];
            })(a)""",
            {"sent": sent, "grid": quiz.GRID, "mark": asdict(mark), "patterns": patterns},
        )
        assert far == pytest.approx(quiz.distance_to(lesion, mark), abs=1e-12)
        expected = quiz.overlap(region, mark)
        assert both == pytest.approx(asdict(expected))
        pattern = quiz.pattern_of(expected, ai_right=True)
        assert pattern is not None
        assert title == pattern.title
    empty = run(QUIZ_REGIONS, "m.overlapOf(null, 8, { x: 0.5, y: 0.5, radius: 0.2 }).iou")
    assert empty is None


def test_the_library_reads_the_table_of_answers_that_the_page_exports(run: Run) -> None:
    answers, retest = random_answers(1, 9), random_answers(2, 4, retest=True)
    text = run(QUIZ_TABLE, "m.answerTable(...a)", [quiz.COLUMNS, as_json(answers), as_json(retest)])
    found = quiz.read_answers(text)
    assert str(found) == str((answers, retest))  # as text, since NaN is not equal to itself


# ---- terms of the glossary


def test_a_term_opens_its_meaning_where_it_appears_first_and_nowhere_else(run: Run) -> None:
    script = """(() => {
      const terms = m.notYetExplained(a.terms);
      const place = document.createElement("p");
      return a.texts.map((text) => {
        place.replaceChildren(...m.withMeanings(text, terms));
        const meanings = [...place.querySelectorAll(".meaning")].map((one) => one.textContent);
        for (const one of place.querySelectorAll(".meaning")) one.remove();
        const buttons = [...place.querySelectorAll("button")].map((one) => one.textContent);
        return [place.textContent, buttons, meanings];
      });
    })()"""
    texts = ["Lung Lesion, a <b>, pre-score", "Scores of a lesion", "a score, lesions, a finding (phantom)"]
    terms = meanings_of(*texts) | {"finding": ""}  # as where another text of the page explains it
    found = run("widgets/terms.js", script, {"texts": texts, "terms": terms})
    assert [text for text, _, _ in found] == texts
    assert [buttons for _, buttons, _ in found] == [[], ["Scores", "lesion"], []]
    assert found[1][2] == [GLOSSARY["score"].meaning, GLOSSARY["lesion"].meaning]
