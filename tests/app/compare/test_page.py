"""The pages as Streamlit runs them, without a browser."""

import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.compare import scene
from cxrbench.app.compare.canvas.schema import SceneData
from cxrbench.app.compare.page import report_bytes, settings_bytes
from cxrbench.app.navigation import page_file
from cxrbench.app.services import map_jobs, model_registry
from cxrbench.app.services.radiographs import case
from cxrbench.app.widgets.versions import key_in
from cxrbench.compare import Settings, bundle
from cxrbench.errors import InputError

MAIN = Path(main.__file__)
PAGE = MAIN.parents[2] / "pages" / "compare.py"


def settle(at: AppTest) -> AppTest:
    """Run again, as the browser would, until nothing is under way; then the page is drawn once more."""
    for _ in range(200):
        assert not at.exception
        if not map_jobs.QUEUE.busy():
            return at.run()
        time.sleep(0.1)
    raise AssertionError("the work never ended")


def selected_methods(at: AppTest) -> list[str]:
    """The methods that the menu shows as selected."""
    pills = [group for group in at.button_group if str(group.key).startswith("pick_methods")]
    return [str(key) for group in pills for key in group.value or ()]


def texts(at: AppTest) -> str:
    return " ".join(element.value for kind in (at.markdown, at.caption) for element in kind)


def test_the_url_holds_the_selection(workbench: AppTest) -> None:
    at = workbench.run()
    assert at.query_params["case"] == "heart"
    assert at.query_params["models"] == "small"
    assert at.query_params["findings"] == "Cardiomegaly"


def test_a_link_restores_case_finding_and_methods(workbench: AppTest) -> None:
    for name, values in {"case": "fluid", "findings": "No_Finding", "methods": ["layer_cam"]}.items():
        workbench.query_params[name] = values
    at = workbench.run()
    assert not at.exception
    assert not at.warning
    assert at.selectbox(key=key_in(at.session_state, "pick_case")).value == "fluid"
    assert at.selectbox(key=key_in(at.session_state, "pick_finding")).value == "No Finding"
    assert selected_methods(at) == ["layer_cam"]


def test_a_link_holds_a_method_at_several_settings(workbench: AppTest) -> None:
    workbench.query_params["methods"] = ["grad_cam", "grad_cam( stage = 1 )", "random(cells=9)"]
    at = settle(workbench.run())
    assert not at.warning
    assert at.query_params["methods"] == ["grad_cam", "grad_cam(stage=1)", "random(cells=9)"]
    assert sorted(selected_methods(at)) == sorted(at.query_params["methods"])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("methods", "random(cells=0)", "'random(cells=0)', which is not available"),
        ("case", "nowhere", "'nowhere', which is not available; choose from: heart, fluid."),
        (
            "findings",
            "Gout",
            "'Gout', which is not available; choose from: No Finding, Cardiomegaly, Pleural Effusion.",
        ),
        ("models", "<script>", "which is not available; choose from: small, other."),
        ("methods", "tea_leaves", "'tea_leaves', which is not available; choose from: grad_cam,"),
        ("baseline", "pink", "'pink', which is not available; choose from: black, mean, blur."),
        ("stage", "-1", "stage '-1'; it must be a whole number from 0 to 9. 0 is used."),
        ("steps", "9999999999", "it must be a whole number from 1 to 300."),
    ],
)
def test_invalid_values_of_a_link_give_a_warning_and_are_removed_from_the_url(
    workbench: AppTest, name: str, value: str, message: str
) -> None:
    workbench.query_params[name] = value
    at = workbench.run()
    assert not at.exception
    assert message in " ".join(warning.value for warning in at.warning)
    assert at.query_params.get(name) != value
    assert at.selectbox(key=key_in(at.session_state, "pick_case")).value == "heart"


def ready(at: AppTest) -> AppTest:
    """The page once the models are loaded, which the menus of methods wait for."""
    model_registry.loaded()
    return at.run()


@pytest.mark.parametrize(
    ("title", "methods"),
    [
        ("The three of the paper", ["grad_cam", "grad_cam_plus_plus", "integrated_gradients"]),
        ("Controls", ["random", "centred_gaussian", "edges"]),
        ("One of each family", ["grad_cam", "integrated_gradients", "occlusion"]),
    ],
)
def test_a_preset_selects_its_methods(workbench: AppTest, title: str, methods: list[str]) -> None:
    workbench.query_params["methods"] = ["layer_cam"]
    at = ready(workbench.run())
    at.button(key=f"preset {title}").click().run()
    assert not at.exception
    chosen = at.query_params["methods"]
    assert set(methods) <= set(chosen)
    assert "layer_cam" not in chosen
    assert sorted(selected_methods(at)) == sorted(chosen)
    at.button(key="stop").click().run() if any(each.key == "stop" for each in at.button) else None
    settle(at)


def test_grad_cam_at_all_stages_stands_in_the_order_of_the_stages(workbench: AppTest) -> None:
    at = ready(workbench.run())
    at.button(key="preset All stages").click().run()
    stages = len(model_registry.loaded().models["small"].stages)
    assert at.query_params["methods"] == [f"grad_cam(stage={stage})" for stage in range(stages)]
    assert not settle(at).exception


def test_methods_stand_in_the_menu_by_family_and_the_last_one_stays_selected(workbench: AppTest) -> None:
    workbench.query_params["methods"] = ["layer_cam"]
    at = ready(workbench.run())
    keys = [str(group.key) for group in at.button_group if str(group.key).startswith("pick_methods")]
    assert keys[:3] == ["pick_methods cam", "pick_methods gradient", "pick_methods perturbation"]
    assert "**Class activation maps.** They weight the channels" in texts(at)
    at.button_group(key="pick_methods cam").set_value([]).run()
    assert selected_methods(at) == ["layer_cam"]
    at.button_group(key="pick_methods control").set_value(["edges"]).run()
    assert at.query_params["methods"] == ["layer_cam", "edges"]
    settle(at)


def test_integrated_gradients_of_an_own_film_end_by_themselves(workbench: AppTest) -> None:
    at = ready(workbench.run())
    assert at.query_params["methods"][-1] == "integrated_gradients"  # stored with the case
    at.file_uploader(key="upload").upload("film.png", film(11), "image/png").run()
    at = settle(at)
    assert at.query_params["methods"][-1] == "integrated_gradients(tolerance=0.01)"
    assert "integrated_gradients(tolerance=0.01)" in selected_methods(at)
    at.selectbox(key=key_in(at.session_state, "pick_case")).select("fluid").run()
    assert at.query_params["methods"][-1] == "integrated_gradients"
    assert not at.exception


def test_switching_the_finding_computes_nothing(workbench: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    at = workbench.run()
    monkeypatch.setattr(map_jobs, "_computed", None)
    at.selectbox(key=key_in(at.session_state, "pick_finding")).select("Pleural Effusion").run()
    assert not at.exception
    assert at.query_params["findings"] == "Pleural Effusion"


def test_another_case_shows_its_own_finding(workbench: AppTest) -> None:
    at = workbench.run()
    at.selectbox(key=key_in(at.session_state, "pick_case")).select("fluid").run()
    assert not at.exception
    assert at.selectbox(key=key_in(at.session_state, "pick_finding")).value == "Pleural Effusion"
    assert "Made for tests: Pleural Effusion." in texts(at)


def film(step: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.arange(6400).reshape(80, 80) * step % 256
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_an_uploaded_film_and_a_case_can_be_selected_in_turn(workbench: AppTest) -> None:
    at = workbench.run()
    at.file_uploader(key="upload").upload("film.png", film(1), "image/png").run()
    at = settle(at)
    assert (
        at.selectbox(key=key_in(at.session_state, "pick_finding")).value == "Cardiomegaly"
    )  # the finding stays
    assert "PNG, 80 × 80 pixels" in texts(at)
    assert "case" not in at.query_params
    mine = at.selectbox(key=key_in(at.session_state, "pick_case")).value
    assert at.query_params["own"] == mine
    at.selectbox(key=key_in(at.session_state, "pick_case")).select("fluid").run()
    assert at.selectbox(key=key_in(at.session_state, "pick_finding")).value == "Pleural Effusion"
    assert at.query_params["case"] == "fluid"
    at.selectbox(key=key_in(at.session_state, "pick_case")).select(mine).run()
    assert "PNG, 80 × 80 pixels" in texts(settle(at))


def red_jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (90, 70), (220, 20, 20)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_notice_comes_before_the_scores_of_an_own_film_and_the_reader_opens_them(
    workbench: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenes: list[SceneData] = []

    def keep(*args: Any, **kwargs: Any) -> SceneData:
        scenes.append(draw(*args, **kwargs))
        return scenes[-1]

    draw = scene.scene
    monkeypatch.setattr(scene, "scene", keep)
    workbench.query_params["methods"] = ["grad_cam"]
    at = workbench.run()
    assert not at.warning  # a gallery case: its truth is known
    assert "Scores of Small" in texts(at)
    at.file_uploader(key="upload").upload("red.jpg", red_jpeg(), "image/jpeg").run()
    at = settle(at)
    notice = at.warning[0].value
    assert notice.startswith("**Before you look at the scores**")
    assert "**Picture in colour.** The file is in colour" in notice
    assert "**Blank picture.**" in notice
    assert "scores of small" not in texts(at).lower()
    assert "training films of small is not known" in texts(at)
    (panel,) = [panel for panel in scenes[-1]["panels"] if panel["kind"] == "map"]
    assert panel["map"] is not None
    assert not any("score" in fact for fact in panel["facts"])
    (opened,) = [toggle for toggle in at.toggle if toggle.label == "Show the scores all the same"]
    opened.set_value(True).run()
    assert "scores of small" in texts(at).lower()
    (panel,) = [panel for panel in scenes[-1]["panels"] if panel["kind"] == "map"]
    assert any("score" in text for text in [*panel["facts"], *panel["notes"]])
    assert at.warning[0].value == notice
    at.selectbox(key=key_in(at.session_state, "pick_case")).select("fluid").run()
    assert not at.warning
    assert "scores of small" in texts(at).lower()


def test_two_uploads_of_the_same_name_are_two_films(workbench: AppTest) -> None:
    workbench.query_params["methods"] = ["grad_cam"]
    at = workbench.run()
    for step in (1, 3):
        at.file_uploader(key="upload").upload("film.png", film(step), "image/png").run()
    options = at.selectbox(key=key_in(at.session_state, "pick_case")).options
    assert options[-2:] == ["Yours: film.png", "Yours: film.png (2)"]
    assert str(at.selectbox(key=key_in(at.session_state, "pick_case")).value).startswith("own-")
    settle(at)


def test_the_same_file_uploaded_twice_is_one_film(workbench: AppTest) -> None:
    workbench.query_params["methods"] = ["grad_cam"]
    at = workbench.run()
    for _ in range(2):
        at.file_uploader(key="upload").upload("film.png", film(1), "image/png").run()
    assert at.selectbox(key=key_in(at.session_state, "pick_case")).options[2:] == ["Yours: film.png"]
    settle(at)


def test_an_uploads_error_stays_until_another_radiograph_is_chosen(workbench: AppTest) -> None:
    at = workbench.run()
    at.file_uploader(key="upload").upload("notes.png", b"not a picture", "image/png").run()
    assert "notes.png: " in at.error[0].value
    at.run()
    assert "notes.png: " in at.error[0].value
    at.selectbox(key=key_in(at.session_state, "pick_case")).select("fluid").run()
    assert not at.error


def test_a_link_to_an_upload_of_another_session_gives_a_warning(workbench: AppTest) -> None:
    workbench.query_params["own"] = "own-0123456789abcdef"
    at = workbench.run()
    assert not at.exception
    assert "stays in the session that opened it" in at.warning[0].value
    assert at.selectbox(key=key_in(at.session_state, "pick_case")).value == "heart"
    assert "own" not in at.query_params


def test_a_bundle_reopens_on_its_findings_with_its_models_title(workbench: AppTest) -> None:
    given = case("heart").precomputed
    assert given is not None
    buffer = io.BytesIO()
    bundle.save(replace(given, findings=("Pleural Effusion", "Cardiomegaly"), view="Lateral"), buffer)
    at = workbench.run()
    at.file_uploader(key="upload").upload("saved.zip", buffer.getvalue(), "application/zip").run()
    assert not at.exception
    assert at.selectbox(key=key_in(at.session_state, "pick_finding")).value == "Pleural Effusion"
    assert at.query_params["findings"] == ["Pleural Effusion", "Cardiomegaly"]
    assert "Lateral view." in texts(at)
    assert "Scores of Small" in texts(at)
    at.selectbox(key=key_in(at.session_state, "pick_case")).select("fluid").run()
    assert at.query_params["methods"] == ["grad_cam", "grad_cam_plus_plus", "integrated_gradients"]


def test_maps_of_a_model_outside_the_gallery_are_computed_and_cached(workbench: AppTest) -> None:
    workbench.query_params["models"] = ["small", "other"]
    workbench.query_params["methods"] = ["grad_cam"]
    at = settle(workbench.run())
    assert "**Scores**" in texts(at)
    computed = [key for key in map_jobs.RESULTS.cached_keys() if key.model == "other"]
    assert {key.method for key in computed} == {"", "grad_cam"}


def test_maps_of_settings_that_are_not_in_the_gallery_are_computed(workbench: AppTest) -> None:
    workbench.query_params["stage"] = "1"
    workbench.query_params["methods"] = ["hires_cam", "integrated_gradients"]
    at = settle(workbench.run())
    # The path of integrated gradients reads no stage: its maps are still the gallery's.
    assert {key.method for key in map_jobs.RESULTS.cached_keys() if key.model == "small"} == {"", "hires_cam"}
    assert at.query_params["stage"] == "1"


def test_without_gallery_and_models_the_page_says_what_to_do(
    workbench: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    at = workbench.run()
    assert not at.exception
    assert "No model was found. Add one with" in at.info[0].value


def test_without_a_gallery_an_image_can_be_uploaded(
    workbench: AppTest, small_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").symlink_to(small_assets / "models")
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    at = workbench.run()
    assert not at.exception
    assert "There are no gallery cases" in at.info[0].value


@pytest.mark.parametrize("installed", [(), ("other",)])
def test_an_own_image_turns_to_a_model_that_is_installed(
    installed: tuple[str, ...],
    workbench: AppTest,
    small_assets: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The gallery's maps are stored, so it opens although its model, small, is not installed."""
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    monkeypatch.setenv("CXRBENCH_RUNS", str(tmp_path / "runs"))
    (tmp_path / "gallery").symlink_to(small_assets / "gallery")
    (tmp_path / "models").mkdir()
    for name in installed:
        (tmp_path / "models" / name).symlink_to(small_assets / "models" / name)
    at = workbench.run()
    assert not at.exception
    assert "Scores of Small" in texts(at)
    at.file_uploader(key="upload").upload("film.png", film(1), "image/png").run()
    at = settle(at)
    assert not at.exception
    assert at.button_group(key=key_in(at.session_state, "pick_models")).value == list(installed or ("small",))
    assert {key.model for key in map_jobs.RESULTS.cached_keys()} == set(installed)


def test_the_about_page_describes_methods_models_and_limits(workbench: AppTest) -> None:
    at = workbench.run()
    at.switch_page(str(page_file("about"))).run()
    assert not at.exception
    text = texts(at)
    assert "[Grad-CAM](https://arxiv.org/abs/1610.02391)" in text
    assert "Not for clinical use" in text
    assert "`other`, efficientnet_b0" in text


def test_maps_that_come_while_the_page_is_drawn_are_shown(
    workbench: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = scene.scene

    def draw_slowly(*args: Any, **kwargs: Any) -> SceneData:
        for _ in range(600):
            if not map_jobs.QUEUE.busy():
                break
            time.sleep(0.1)
        return draw(*args, **kwargs)

    monkeypatch.setattr(scene, "scene", draw_slowly)
    workbench.query_params["methods"] = ["grad_cam"]
    at = workbench.run()
    at.file_uploader(key="upload").upload("film.png", film(1), "image/png").run()
    assert not at.exception
    assert "PNG, 80 × 80 pixels" in texts(at)
    assert "stop" not in [button.key for button in at.button]


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[float]:
    """Let every computation fail after a moment; when each began."""
    begun: list[float] = []

    def compare(*args: Any, **kwargs: Any) -> None:
        begun.append(time.monotonic())
        time.sleep(0.3)
        raise error

    monkeypatch.setattr("cxrbench.compare.run.compare", compare)
    return begun


def test_a_refusal_while_maps_are_computed_is_said_and_not_asked_for_again(
    workbench: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = failing(monkeypatch, InputError("The model takes no such image."))
    workbench.query_params["methods"] = ["grad_cam"]
    at = workbench.run()
    at.file_uploader(key="upload").upload("film.png", film(5), "image/png").run()
    for _ in range(2):
        at = settle(at)
        assert [error.value for error in at.error] == ["The model takes no such image."]
        assert "stop" not in [button.key for button in at.button]
    assert len(begun) == 1


def test_a_fault_while_maps_are_computed_is_shown(
    workbench: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, ZeroDivisionError("a fault"))
    workbench.query_params["methods"] = ["grad_cam"]
    at = workbench.run()
    at.file_uploader(key="upload").upload("film.png", film(7), "image/png").run()
    for _ in range(100):
        if not map_jobs.QUEUE.busy():
            break
        time.sleep(0.1)
    at.run()
    assert len(at.exception) == 1


def test_the_report_of_a_case_holds_its_maps_and_the_address_that_restores_it(workbench: AppTest) -> None:
    stored = case("heart").precomputed
    assert stored is not None
    text = report_bytes(replace(stored, findings=("Cardiomegaly",)), "heart", [("case", "heart")]).decode()
    assert "/compare?case=heart" in text
    assert text.count("data:image/png") == 2  # on each map's own scale, and on one
    assert "/compare" not in report_bytes(replace(stored, findings=("Cardiomegaly",)), "own", []).decode()


def uploaded(at: AppTest, name: str, data: bytes) -> AppTest:
    return at.file_uploader(key="upload").upload(name, data, "application/octet-stream").run()


def settings_of(at: AppTest, film_title: str, film_link: list[tuple[str, str]]) -> bytes:
    """What "Save settings" saves of the page."""
    asked: dict[str, Any] = {}
    for name in ("models", "methods", "findings"):
        values = at.query_params[name]
        asked[name] = tuple(values) if isinstance(values, list) else (values,)
    stored = case("heart").precomputed
    assert stored is not None
    settings = Settings(asked["models"], asked["methods"], int(at.query_params.get("stage", "0")))
    shown = replace(stored, settings=settings, findings=asked["findings"], source="0" * 64)
    return settings_bytes(shown, film_title, film_link)


def test_uploaded_settings_restore_case_models_methods_parameters_and_findings(workbench: AppTest) -> None:
    at = workbench.run()
    for name, values in {"case": "fluid", "findings": "No Finding", "stage": "1"}.items():
        at.query_params[name] = values
    at.query_params["methods"] = ["layer_cam", "random(cells=9)"]
    at = settle(at.run())
    saved = settings_of(at, "Fluid", [("case", "fluid")])
    other = settle(
        uploaded(
            AppTest.from_file(str(MAIN), default_timeout=60).switch_page(str(PAGE)).run(), "s.json", saved
        )
    )
    assert not other.warning
    for name in ("case", "models", "methods", "findings", "stage"):
        assert other.query_params[name] == at.query_params[name]
    report = f'<!doctype html><script type="application/json" id="settings">{saved.decode()}</script>'
    again = AppTest.from_file(str(MAIN), default_timeout=60).switch_page(str(PAGE)).run()
    again = settle(uploaded(again, "report.html", report.encode()))
    assert again.query_params["methods"] == ["layer_cam", "random(cells=9)"]


def test_settings_of_a_film_of_ones_own_are_applied_and_the_film_is_asked_for(workbench: AppTest) -> None:
    at = workbench.run()
    at.query_params["methods"] = ["layer_cam"]
    saved = settings_of(at.run(), "mine.png", [])
    at.query_params["methods"] = ["grad_cam"]
    at = settle(uploaded(settle(at.run()), "mine.json", saved))
    assert "mine.json is of the radiograph mine.png, which is not part of it: open that file as well." in (
        at.warning[0].value
    )
    assert selected_methods(at) == ["layer_cam"]
    assert at.query_params["case"] == "heart"
    at = settle(uploaded(at, "mine.png", film(1)))
    assert selected_methods(at) == ["layer_cam"]
    assert not at.warning or "open that file" not in at.warning[0].value


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "mine.json: it is not JSON"),
        (b'{"settings": 3}', "mine.json: A JSON object with 'models' was expected; got int."),
    ],
)
def test_a_file_that_holds_no_settings_is_refused_in_one_sentence(
    workbench: AppTest, data: bytes, message: str
) -> None:
    at = uploaded(workbench.run(), "mine.json", data)
    assert not at.exception
    assert message in at.error[0].value
    assert at.query_params["case"] == "heart"


def test_settings_name_what_is_not_available_here(workbench: AppTest) -> None:
    at = workbench.run()
    saved = settings_of(at, "", [("case", "heart")]).replace(b'"small"', b'"unknown_net"', 1)
    at = uploaded(at, "mine.json", saved)
    assert "mine.json asks for the model 'unknown_net', which is not available" in at.warning[0].value
