"""“Edit and watch”: a phantom's film edited, with scores and maps before and after."""

import base64
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.compare import edited_scene as edited_scene_module
from cxrbench.app.compare import what_if
from cxrbench.app.compare.canvas.schema import SceneData
from cxrbench.app.compare.edit_controls import _superseded
from cxrbench.app.compare.edited_scene import Side, edited_scene
from cxrbench.app.compare.selection import Choice
from cxrbench.app.compare.what_if import change_table, edited_source
from cxrbench.app.services import map_jobs, phantoms
from cxrbench.app.services.phantom_settings import PhantomSettings
from cxrbench.app.widgets.versions import key_in
from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings
from cxrbench.compare.against_truth import KnownTruth
from cxrbench.data.phantom import Edit
from cxrbench.preprocess import Preprocessing

PATIENT = PhantomSettings(seed=7, findings=(("Cardiomegaly", 0.6), ("Pleural Effusion", 0.7)))
LINK = "seed:7,projection:PA,cardiomegaly:0.6,pleural_effusion:0.7"
COMPARE = str(Path(main.__file__).parents[2] / "pages" / "compare.py")


def prediction(name: str, *scores: float) -> Prediction:
    values = np.array(scores, np.float32)
    labels = ("Edema", "Lung Opacity", "Pleural Effusion", "Fracture")
    return Prediction(name, "1", labels, values, values, np.full(4, 0.5), 0.1)


def test_the_edited_film_is_a_radiograph_of_its_own() -> None:
    radiograph = phantoms.radiograph(PATIENT)
    assert radiograph.twins is not None
    choice = Choice(findings=("Cardiomegaly",), edits=(Edit("Cardiomegaly"),))
    film = edited_source(radiograph, choice, radiograph.twins.edited(choice.edits))
    assert film.title == "Phantom 7, PA, without Cardiomegaly"
    assert film.truth["Cardiomegaly"] == film.truth["Enlarged Cardiomediastinum"] == 0
    assert "Cardiomegaly" not in film.masks
    assert film.sha256 != radiograph.sha256
    assert film.precomputed is None
    assert film.description.endswith("again: without Cardiomegaly. Present: Pleural Effusion.")
    assert film.twins is not None
    assert list(film.twins) == ["Pleural Effusion"]  # and the next finding can be taken away from it


def test_the_scores_of_both_films_stand_in_one_table() -> None:
    before = {"a": prediction("a", 0.9, 0.8, 0.7, 0.1), "b": prediction("b", 0.6, 0.5, 0.4, 0.2)}
    after = {"a": prediction("a", 0.1, 0.79, 0.6, 0.12), "b": prediction("b", 0.5, 0.5, 0.4, 0.2)}
    table = change_table(before, after, ("Edema", "Lung Opacity"), {"a": "Model A"})
    assert list(table.columns) == ["Model A", "b"]
    assert list(table.index) == ["Edema", "Lung Opacity", "Pleural Effusion"]  # Fracture hardly changes
    assert list(table.to_dict("index")["Edema"].values()) == ["0.90 → 0.10  (-0.80)", "0.60 → 0.50  (-0.10)"]
    assert table.loc["Lung Opacity", "Model A"] == "0.80 → 0.79  (-0.01)"  # it is absent: listed in any case
    assert table.loc["Pleural Effusion", "b"] == "–"


def side(grey: float, relevance: float | None, title: str) -> Side:
    image = np.full((16, 16), grey, np.float32)
    heats = {}
    if relevance is not None:
        maps = np.full((4, 2, 2), relevance, np.float32)
        labels = ("Edema", "Lung Opacity", "Pleural Effusion", "Fracture")
        heats["a", "cam"] = HeatMaps("a", "cam", "last", labels, maps, Preprocessing(size=8), 0.1)
    comparison = Comparison(
        image, "s", Settings(("a",), ("cam",)), {"a": prediction("a", 0.9, 0.8, 0.7, 0.1)}, heats
    )
    return Side(comparison, {}, KnownTruth(), title)


def test_before_and_after_are_drawn_on_one_scale_and_on_their_own_films() -> None:
    data = edited_scene(side(0.2, 4, "Before"), side(0.6, 1, "After"), "Edema", titles={}, file="f")
    assert [panel["first"] for panel in data["panels"]] == [True, False, False] * 2
    before, after, change = data["panels"][3:]
    assert [panel["title"] for panel in (before, after, change)] == [
        f"cam, {word}" for word in ("before", "after", "change")
    ]
    assert {panel["peak"] for panel in (before, after, change)} == {4.0}
    assert all(panel["fixed"] for panel in (before, after, change))
    assert change["signed"]
    assert after["facts"][0] == "Logit 0.9 → 0.9 (+0.0)"
    assert [panel["picture"] for panel in data["panels"]] == [None, 0, 1, None, 0, 0]
    assert len({each["src"] for each in (data["picture"], *data["others"])}) == 3
    assert len({panel["id"] for panel in data["panels"]}) == 6


def test_the_change_is_that_of_what_is_drawn() -> None:
    data = edited_scene(side(0.2, 4, "Before"), side(0.6, -3, "After"), "Edema", titles={}, file="f")
    change = data["panels"][5]["map"]
    assert change is not None
    values = np.frombuffer(base64.b64decode(change["data"]), "<f4")
    assert (values == -4).all()  # the map after the edits is cut at zero


def test_a_map_after_the_edits_is_halved_where_the_stored_one_is() -> None:
    before, after = side(0.2, 4, "Before"), side(0.6, 1, "After")
    for one, cells in ((before, 80), (after, 160)):
        heat = one.comparison.heat_maps["a", "cam"]
        maps = np.full((4, cells, cells), heat.maps.max(), np.float32)
        cast(dict[Any, Any], one.comparison.heat_maps)["a", "cam"] = replace(heat, maps=maps)
    panels = edited_scene(before, after, "Edema", titles={}, file="f")["panels"][3:]
    assert [panel["map"]["width"] for panel in panels if panel["map"]] == [80, 80, 80]


def test_a_change_is_shown_when_both_maps_are_there() -> None:
    data = edited_scene(side(0.2, 4, "Before"), side(0.6, None, "After"), "Edema", titles={}, file="f")
    assert data["panels"][5]["map"] is None
    assert data["panels"][5]["notes"] == ["the change follows when both maps are there"]


def test_of_many_edits_those_that_a_later_one_replaces_are_forgotten_first() -> None:
    edits = [
        Edit("Edema"),
        Edit("Fracture", severity=0.1),
        Edit("Side marker"),
        Edit("Fracture", severity=0.2),
    ]
    assert _superseded(edits) == 1
    assert _superseded(edits[:3]) == 0


@pytest.fixture
def workbench(workbench: AppTest, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The Compare page with a phantom of 128 pixels per side and a small model."""
    monkeypatch.setattr(phantoms, "SIZE", 128)
    phantoms.simulate.cache_clear()
    link = {"phantom": LINK, "models": "small", "methods": "grad_cam", "findings": "cardiomegaly"}
    for name, text in link.items():
        workbench.query_params[name] = text
    return workbench


@pytest.fixture
def scenes(monkeypatch: pytest.MonkeyPatch) -> list[SceneData]:
    """What the second canvas is given, run by run."""
    found: list[SceneData] = []

    def watched(*arguments: Any, **options: Any) -> Any:
        found.append(edited_scene_module.edited_scene(*arguments, **options))
        return found[-1]

    monkeypatch.setattr(what_if, "edited_scene", watched)
    return found


def settle(at: AppTest) -> AppTest:
    for _ in range(200):
        assert not at.exception
        if not map_jobs.QUEUE.busy():
            return at.run()
        time.sleep(0.1)
    raise AssertionError("the work never ended")


def pills(at: AppTest) -> Any:
    return at.button_group(key=key_in(at.session_state, "pick_away"))


def press(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label == label).click().run()


def test_edits_are_watched_undone_and_kept_in_the_link(workbench: AppTest, scenes: list[SceneData]) -> None:
    at = settle(workbench.run())
    assert not scenes
    pills(at).select("Pleural Effusion").run()
    at = settle(at)
    assert at.query_params["edit"] == "without:pleural_effusion"
    assert [panel["title"] for panel in scenes[-1]["panels"][3:]] == [
        f"Grad-CAM, {word}" for word in ("before", "after", "change")
    ]
    assert all(panel["map"] for panel in scenes[-1]["panels"][3:])
    slider = at.slider[0]
    assert (slider.label, slider.value) == ("Severity", 0.6)
    slider.set_value(0.9).run()
    assert at.query_params["edit"] == ["without:pleural_effusion", "severity:cardiomegaly:0.9"]
    assert at.slider[0].value == 0.9
    captions = " ".join(caption.value for caption in at.caption)
    assert "Edits: without Pleural Effusion · Cardiomegaly of severity 0.90" in captions
    press(at, "Undo")
    assert at.query_params["edit"] == "without:pleural_effusion"
    assert at.slider[0].value == 0.6
    press(at, "Undo all")
    assert "edit" not in at.query_params
    assert pills(at).value == []
    assert not at.exception


def test_a_link_restores_the_edits_and_another_viewer_does_not_see_them(
    workbench: AppTest, scenes: list[SceneData]
) -> None:
    workbench.query_params["edit"] = ["without:pleural_effusion", "without:fracture"]
    at = settle(workbench.run())
    assert scenes
    assert pills(at).value == ["Pleural Effusion"]
    assert at.query_params["edit"] == "without:pleural_effusion"
    rendered = len(scenes)
    other = AppTest.from_file(str(Path(main.__file__)), default_timeout=60).switch_page(COMPARE)
    other.query_params["phantom"] = LINK
    other.run()
    assert not other.exception
    assert pills(other).value == []
    assert len(scenes) == rendered


def test_the_edited_film_opens_as_a_radiograph_without_edits(workbench: AppTest) -> None:
    workbench.query_params["edit"] = "without:pleural_effusion"
    at = settle(workbench.run())
    press(at, "Open the edited film")
    at = settle(at)
    assert "edit" not in at.query_params
    assert at.query_params["own"].startswith("own-")
    titles = [film.title for film in at.session_state["own_films"].values()]
    assert titles[-1] == "Phantom 7, PA, without Pleural Effusion"
    assert "Pleural Effusion" not in pills(at).options


def test_a_finding_moves_and_one_of_one_place_cannot(workbench: AppTest) -> None:
    at = settle(workbench.run())
    move = next(button for button in at.button if button.label == "Move elsewhere")
    assert move.disabled  # Cardiomegaly is in view
    at.selectbox(key=key_in(at.session_state, "pick_edited")).select("Pleural Effusion").run()
    press(at, "Move elsewhere")
    assert at.query_params["edit"].startswith("place:pleural_effusion:")
    assert not at.exception


def test_a_film_that_cannot_be_rendered_again_has_no_such_choice(workbench: AppTest) -> None:
    del workbench.query_params["phantom"]
    at = settle(workbench.run())
    assert not [group for group in at.button_group if str(group.key).startswith("pick_away")]
    assert replace(phantoms.radiograph(PATIENT), twins=None).twins is None
