import base64
from dataclasses import replace

import numpy as np
import pytest

from cxrbench.app.compare.canvas.schema import MapData, PanelData
from cxrbench.app.compare.image_encoding import colour_tables, encoded, input_box, outline, picture
from cxrbench.app.compare.scene import scene
from cxrbench.app.compare.score_bars import score_list, score_table
from cxrbench.app.services.map_snapshot import Cell
from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings, blend
from cxrbench.figures.colours import COLOURS
from cxrbench.preprocess import Preprocessing
from cxrbench.preprocess.pipeline import Fit

RNG = np.random.default_rng(0)


def decoded(record: MapData | None) -> np.ndarray:
    assert record is not None
    kind = {"f32": "<f4", "i16": "<i2"}[record["kind"]]
    values = np.frombuffer(base64.b64decode(record["data"]), kind).astype(np.float32) * record["step"]
    grid: np.ndarray = values.reshape(record["height"], record["width"])
    return grid


def comparison(**facts: object) -> Comparison:
    maps = RNG.normal(size=(2, 7, 7)).astype(np.float32)
    heat = HeatMaps("m", "cam", "last", ("Edema", "Mass"), maps, Preprocessing(size=8), 0.1, title="CAM")
    values = np.array([0.2, 0.8], np.float32)
    prediction = Prediction("m", "r", ("Edema", "Mass"), values, values, np.full(2, 0.5, np.float32), 0.1)
    mask = np.zeros((40, 60), bool)
    mask[10:20, 30:50] = True
    return Comparison(
        RNG.random((40, 60), np.float32),
        "s",
        Settings(("m",), ("cam",)),
        {"m": prediction},
        {("m", "cam"): HeatMaps(**{**vars(heat), **facts})},
        {"Edema": mask},
        {"Edema": 1, "Mass": 0},
    )


def drawn(made: Comparison, *findings: str, cell: Cell | None = None) -> list[PanelData]:
    cells = {("m", "cam", finding): cell for finding in findings} if cell else {}
    shown = dict.fromkeys(findings, made)
    panels = scene(shown, cells=cells, titles={}, link=None, file="f")["panels"]
    assert isinstance(panels, list)
    return panels


def test_small_maps_are_encoded_exactly_and_large_ones_within_a_step() -> None:
    small, large = (RNG.normal(size=(side, side)).astype(np.float32) for side in (7, 224))
    np.testing.assert_array_equal(decoded(encoded(small, (0, 0, 1, 1))), small)
    record = encoded(large, (0, 0, 1, 1))
    np.testing.assert_allclose(decoded(record), large, atol=record["step"])
    assert record["step"] <= np.abs(large).max() / 32000


@pytest.mark.parametrize("fit", ["stretch", "pad", "crop", "letterbox"])
@pytest.mark.parametrize("shape", [(40, 60), (60, 40)])
def test_the_input_box_is_the_area_of_the_networks_input(fit: Fit, shape: tuple[int, int]) -> None:
    recipe = Preprocessing(size=8, fit=fit)
    height, width = shape
    left, top, right, bottom = input_box(recipe, shape)
    seen = ~np.isnan(recipe.to_original(np.ones((1, 8, 8), np.float32), shape)[0])
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    assert (rows[0], rows[-1] + 1) == (max(0, top), min(height, bottom))
    assert (columns[0], columns[-1] + 1) == (max(0, left), min(width, right))


def test_an_outline_surrounds_its_mask() -> None:
    mask = np.zeros((40, 60), bool)
    mask[10:20, 30:50] = True
    (polygon,) = outline(mask)
    points = np.array(polygon)
    assert (points.min(0) == (30.5, 10.5)).all()
    assert (points.max(0) == (49.5, 19.5)).all()


def test_small_regions_and_holes_are_not_outlined_but_thin_lines_are() -> None:
    mask = np.zeros((320, 320), bool)
    mask[50:150, 50:150] = True
    mask[100, 100] = mask[70:72, 70:72] = False
    mask[250, 250] = True
    mask[200:203, 20:300] = True
    assert len(outline(mask)) == 2


def test_a_large_radiograph_is_sent_smaller() -> None:
    sent = picture(np.zeros((3000, 2000), np.float32))
    assert (sent["width"], sent["height"]) == (683, 1024)


def test_a_row_has_the_radiograph_and_its_maps() -> None:
    radiograph, cam = drawn(comparison(), "Edema")
    assert "Edema: present (ground truth)" in radiograph["facts"]
    assert radiograph["outline"] is not None
    assert cam["title"] == "CAM" or cam["title"] == "cam"
    assert "Mass: score 0.80, above its threshold 0.50" in drawn(comparison(), "Mass")[1]["facts"]
    assert "100 ms for 2 findings" in cam["facts"]
    assert cam["map"] is not None
    assert "Strongest in the" in cam["alt"]


def test_unfinished_stopped_or_inapplicable_maps_have_a_note() -> None:
    assert drawn(comparison(progress=0.4), "Edema")[1]["notes"] == ["unfinished: 40% of the steps"]
    stopped = drawn(comparison(progress=0.4), "Edema", cell=Cell(note="stopped at 40%"))[1]
    assert stopped["notes"] == ["stopped at 40%"]
    nothing = comparison(maps=np.empty((0, 0, 0), np.float32), problem="no stages")
    assert drawn(nothing, "Edema")[1]["notes"] == ["not applicable: no stages"]
    assert drawn(nothing, "Edema")[1]["map"] is None


def test_remarks_that_hold_by_construction_are_facts_not_notes() -> None:
    cam = drawn(comparison(remarks=("identical here",)), "Mass")[1]
    assert "identical here" in cam["facts"]
    assert cam["notes"] == []


def test_the_score_list_also_states_each_result_in_words() -> None:
    html = score_list(comparison().predictions["m"], {"Edema": 1, "Mass": 0}, ["Edema"])
    assert "below 0.50 · ● present (ground truth) · false negative" in html
    assert "above 0.50 · ○ absent (ground truth) · false positive" in html
    assert html.count('<li class="shown">') == 1


def test_names_from_a_bundle_are_escaped() -> None:
    values = np.full(1, 0.5, np.float32)
    html = score_list(Prediction("<b>", "r", ("<script>",), values, values, values, 0.1), {}, [])
    assert "<script>" not in html
    assert "<b>" not in html


def test_colour_tables_are_sent_without_loss() -> None:
    for name, sent in colour_tables().items():
        table = np.frombuffer(base64.b64decode(sent["table"]), np.uint8).reshape(256, 3)
        np.testing.assert_array_equal(table, COLOURS[name].table)


def several(count: int, *methods: str, scores: tuple[float, ...] = (0.9, 0.2, 0.3)) -> Comparison:
    """The comparison above, seen by several models."""
    one = comparison()
    heat, prediction = one.heat_maps["m", "cam"], one.predictions["m"]
    names = tuple(f"m{index}" for index in range(count))
    settings = Settings(names, methods or ("cam",))
    heats = {
        (name, method): replace(heat, model=name, method=method, maps=RNG.random((2, 7, 7), np.float32))
        for name in names
        for method in settings.methods
    }
    predictions = {
        name: replace(prediction, model=name, scores=np.full(2, score, np.float32))
        for name, score in zip(names, scores, strict=False)
    }
    return replace(one, settings=settings, heat_maps=heats, predictions=predictions)


def test_two_models_and_one_method_share_a_row_with_their_ensemble() -> None:
    made = several(2)
    panels = drawn(made, "Edema")
    assert [panel.get("first", False) for panel in panels] == [True, False, False, False, False]
    mean, spread = panels[3:]
    found = blend(made, "cam", "Edema")
    assert found is not None
    step = np.abs(found.mean).max() / 32767
    np.testing.assert_allclose(decoded(mean["map"]), found.mean, atol=step)
    np.testing.assert_allclose(decoded(spread["map"]), found.spread, atol=step)
    assert mean["title"] == "Edema 0.55 · 1 of 2 models positive"
    assert mean["opacity"] == spread["opacity"] == 0.9


def test_low_agreement_gives_a_warning_on_the_ensemble_panel() -> None:
    def warned(*scores: float) -> list[str]:
        return drawn(several(2, scores=scores), "Edema")[3]["notes"]

    assert "low agreement: 1 of 2 models positive; interpret this mean with caution" in warned(0.9, 0.2)
    assert not any("low agreement" in note for note in warned(0.9, 0.8))


def test_several_models_share_one_radiograph_and_have_a_row_per_method() -> None:
    data = scene({"Edema": several(3, "cam", "ig")}, cells={}, titles={}, link=None, file="f")
    assert data["columns"] == 6
    firsts = [panel for panel in data["panels"] if panel["first"]]
    assert [panel["title"] for panel in firsts] == ["Radiograph", "ig"]
    assert [panel["kind"] for panel in data["panels"]].count("radiograph") == 1
    assert [panel["rows"] for panel in data["panels"]] == [2, *[1] * 10]
    assert "m1: negative, 0.20 (threshold 0.50)" in firsts[0]["facts"]
    assert [panel["subtitle"] for panel in data["panels"][4:6]] == ["mean", "disagreement"]
    assert len({panel["id"] for panel in data["panels"]}) == len(data["panels"])


def test_a_long_row_beside_the_radiograph_is_broken_into_lines() -> None:
    data = scene({"Edema": several(4, "cam", "ig")}, cells={}, titles={}, link=None, file="f")
    assert data["columns"] == 6
    assert data["panels"][0]["rows"] == 4  # six panels per method, in lines of five


def test_what_all_maps_have_in_common_is_said_once() -> None:
    made = several(1, "cam", "ig")
    cells = {("m0", method, "Edema"): Cell("pre-computed") for method in ("cam", "ig")}
    data = scene({"Edema": made}, cells=cells, titles={}, link=None, file="f")
    assert data["shared"] == [
        "Edema: score 0.90, above its threshold 0.50",
        "7 × 7 grid after last",
        "Pre-computed",
        "100 ms for 2 findings",
    ]
    own = [fact for panel in data["panels"][1:] for fact in panel["facts"]]
    assert all(fact.startswith(("Hit: ", "Miss: ")) for fact in own)  # each map's place against the truth


def test_what_the_maps_of_one_method_have_in_common_is_said_once_with_its_name() -> None:
    made = several(2, "cam", "ig")
    heats = {
        cell: replace(heat, maps=RNG.random((2, 9, 9), np.float32)) if cell[1] == "ig" else heat
        for cell, heat in made.heat_maps.items()
    }
    shown = replace(made, heat_maps=heats)
    data = scene({"Edema": shown}, cells={}, titles={"cam": "CAM"}, link=None, file="f")
    assert "CAM: 7 × 7 grid after last" in data["shared"]
    assert "ig: 9 × 9 grid after last" in data["shared"]
    (mean,) = (text for text in data["shared"] if text.startswith("Mean: "))
    assert "pixel-wise mean of the models' maps" in mean


def test_the_grid_that_several_methods_of_one_model_share_is_said_once() -> None:
    made = several(2, "cam", "layer", "ig")
    heats = {
        cell: replace(heat, maps=RNG.random((2, 9, 9), np.float32))
        if cell[1] == "ig"
        else replace(heat, stage=f"stage of {cell[0]}")
        for cell, heat in made.heat_maps.items()
    }
    shown = replace(made, heat_maps=heats)
    titles = {"cam": "CAM", "layer": "LayerCAM", "m0": "A (phantom)", "m1": "B (phantom)"}
    data = scene({"Edema": shown}, cells={}, titles=titles, link=None, file="f")
    assert "CAM, LayerCAM of A: 7 × 7 grid after stage of m0" in data["shared"]
    assert "CAM, LayerCAM of B: 7 × 7 grid after stage of m1" in data["shared"]
    assert not any("7 × 7" in fact for panel in data["panels"] for fact in panel["facts"])


@pytest.mark.parametrize(
    ("titles", "expected"),
    [
        (("A (phantom)", "B (phantom)"), {"A", "B"}),
        (("A (phantom)", "B (shortcut)"), {"A (phantom)", "B (shortcut)"}),
        (("A", "B"), {"A", "B"}),
    ],
)
def test_what_all_titles_of_models_end_in_is_said_in_the_scores_only(
    titles: tuple[str, str], expected: set[str]
) -> None:
    named = dict(zip(("m0", "m1"), titles, strict=True))
    data = scene({"Edema": several(2, "cam")}, cells={}, titles=named, link=None, file="f")
    assert {panel["subtitle"] for panel in data["panels"] if panel["group"]} == expected


def test_why_a_model_does_not_call_a_finding_is_said_once_with_its_name() -> None:
    data = scene({"Edema": several(2, "cam", "ig")}, cells={}, titles={}, link=None, file="f")
    assert [text[:24] for text in data["shared"] if "is not called" in text] == ["m1: Edema is not called:"]
    assert not any("is not called" in note for panel in data["panels"] for note in panel["notes"])
    dimmed = [panel["id"] for panel in data["panels"] if panel["dimmed"]]
    assert dimmed == ["m1 cam Edema", "m1 ig Edema"]


def test_a_finding_that_is_not_called_is_dimmed_with_the_reason() -> None:
    low, high = (drawn(comparison(), finding)[1] for finding in ("Edema", "Mass"))
    assert low["dimmed"]
    assert low["notes"][-1].startswith(
        "Edema is not called: score 0.20, below its threshold 0.50; this map shows"
    )
    assert not high["dimmed"]
    assert not high["notes"]
    assert not drawn(comparison(progress=0.4), "Edema")[1]["dimmed"]


def test_a_remark_that_compares_methods_is_said_where_another_of_them_is_shown() -> None:
    one, both = several(1, "cam"), several(1, "cam", "hires")
    remark = "identical at this stage by construction: CAM = HiResCAM"
    for made, said in ((one, False), (both, True)):
        heats = {
            cell: replace(heat, title="CAM" if cell[1] == "cam" else "HiResCAM", remarks=(remark,))
            for cell, heat in made.heat_maps.items()
        }
        data = scene({"Edema": replace(made, heat_maps=heats)}, cells={}, titles={}, link=None, file="f")
        words = [*data["shared"], *(fact for panel in data["panels"] for fact in panel["facts"])]
        assert any("identical" in word.lower() for word in words) == said


def test_the_score_table_has_a_column_per_model_and_states_each_result_in_words() -> None:
    made = several(2)
    html = score_table(made.predictions, {"Edema": 1, "Mass": 0}, ["Edema"], {"m0": "<First>"})
    assert html.count('<th scope="col">&lt;First&gt;</th>') == html.count('<th scope="col">m1</th>') == 1
    assert '<td class="above">0.90 <small>above 0.50</small></td>' in html
    assert "<td>0.20 <small>below 0.50, false negative</small></td>" in html
    assert "0.90 <small>above 0.50, false positive</small>" in html
    assert html.count('<tr class="shown">') == 1


def test_the_ensemble_panel_says_that_it_needs_finished_maps_of_two_models() -> None:
    made = several(2)
    waiting = replace(made, heat_maps={("m0", "cam"): made.heat_maps["m0", "cam"]})
    mean = drawn(waiting, "Edema")[3]
    assert mean["map"] is None
    assert "needs finished maps of two models" in mean["notes"][0]


@pytest.mark.parametrize(("methods", "columns"), [(5, 6), (6, 4), (9, 5), (11, 6), (12, 5), (13, 5)])
def test_a_row_of_many_methods_is_broken_into_lines_of_nearly_the_same_length(
    methods: int, columns: int
) -> None:
    """Panels that are narrower than a sixth of the page would not show a map."""
    names = [f"method{number}" for number in range(methods)]
    data = scene({"Edema": several(1, *names)}, cells={}, titles={}, link=None, file="f")
    assert len(data["panels"]) == methods + 1
    assert data["columns"] == columns


def test_for_a_projector_of_the_facts_on_a_map_only_the_score_is_left() -> None:
    cells = {("m", "cam", "Edema"): Cell("computed in this session")}
    data = scene({"Edema": comparison()}, cells=cells, titles={}, link=None, file="f", presenter=True)
    assert data["presenter"]
    radiograph, found = data["panels"]
    assert radiograph["facts"][0] == "Edema: present (ground truth)"
    assert found["facts"] == ["Edema: score 0.20, below its threshold 0.50"] or found["dimmed"]
    assert found["finding"] == radiograph["finding"] == "Edema"
    assert not [fact for panel in data["panels"] for fact in panel["facts"] if "grid" in fact]
