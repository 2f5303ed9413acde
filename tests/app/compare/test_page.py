"""The pages as Streamlit runs them, without a browser."""

import io
import threading
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
from cxrbench.app.navigation import page_file
from cxrbench.app.services import map_jobs, model_registry
from cxrbench.app.services.radiographs import case
from cxrbench.app.services.result_cache import Results
from cxrbench.compare import bundle
from cxrbench.errors import InputError

MAIN = Path(main.__file__)


@pytest.fixture
def bench(small_assets: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_MODELS", str(small_assets / "own"))
    forget(monkeypatch)
    return AppTest.from_file(str(MAIN), default_timeout=60)


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has just started."""
    monkeypatch.setattr(model_registry, "_found", [])
    monkeypatch.setattr(model_registry, "_failed", [])
    monkeypatch.setattr(model_registry, "_done", threading.Event())
    monkeypatch.setattr(model_registry, "_started", False)
    monkeypatch.setattr(map_jobs, "RESULTS", Results())


def settle(at: AppTest) -> AppTest:
    """Run again, as the browser would, until nothing is under way; then the page is drawn once more."""
    for _ in range(200):
        assert not at.exception
        if not map_jobs.QUEUE.busy():
            return at.run()
        time.sleep(0.1)
    raise AssertionError("the work never ended")


def texts(at: AppTest) -> str:
    return " ".join(element.value for kind in (at.markdown, at.caption) for element in kind)


def test_the_address_says_what_is_shown(bench: AppTest) -> None:
    at = bench.run()
    assert at.query_params["case"] == "heart"
    assert at.query_params["models"] == "small"
    assert at.query_params["findings"] == "Cardiomegaly"


def test_a_link_brings_back_case_finding_and_methods(bench: AppTest) -> None:
    for name, values in {"case": "fluid", "findings": "No_Finding", "methods": ["layer_cam"]}.items():
        bench.query_params[name] = values
    at = bench.run()
    assert not at.exception
    assert not at.warning
    assert at.selectbox(key="pick_case").value == "fluid"
    assert at.selectbox(key="pick_finding").value == "No Finding"
    assert at.button_group(key="pick_methods").value == ["layer_cam"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("case", "nowhere", "'nowhere', which is not here; choose from: heart, fluid."),
        (
            "findings",
            "Gout",
            "'Gout', which is not here; choose from: No Finding, Cardiomegaly, Pleural Effusion.",
        ),
        ("models", "<script>", "which is not here; choose from: small, other."),
        ("methods", "tea_leaves", "'tea_leaves', which is not here; choose from: grad_cam,"),
        ("baseline", "pink", "'pink', which is not here; choose from: black, mean, blur."),
        ("stage", "-1", "stage '-1'; it must be a whole number from 0 to 9. 0 is used."),
        ("steps", "9999999999", "it must be a whole number from 1 to 300."),
    ],
)
def test_what_a_link_asks_for_in_vain_is_said_and_cleaned(
    bench: AppTest, name: str, value: str, said: str
) -> None:
    bench.query_params[name] = value
    at = bench.run()
    assert not at.exception
    assert said in " ".join(warning.value for warning in at.warning)
    assert at.query_params.get(name) != value
    assert at.selectbox(key="pick_case").value == "heart"


def test_switching_the_finding_computes_nothing(bench: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    at = bench.run()
    monkeypatch.setattr(map_jobs, "_computed", None)
    at.selectbox(key="pick_finding").select("Pleural Effusion").run()
    assert not at.exception
    assert at.query_params["findings"] == "Pleural Effusion"


def test_another_case_shows_its_own_finding(bench: AppTest) -> None:
    at = bench.run()
    at.selectbox(key="pick_case").select("fluid").run()
    assert not at.exception
    assert at.selectbox(key="pick_finding").value == "Pleural Effusion"
    assert "Made for tests: Pleural Effusion." in texts(at)


def film(step: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.arange(6400).reshape(80, 80) * step % 256
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_one_may_go_to_and_fro_between_the_own_film_and_a_case(bench: AppTest) -> None:
    at = bench.run()
    at.file_uploader(key="upload").upload("film.png", film(1), "image/png").run()
    at = settle(at)
    assert at.selectbox(key="pick_finding").value == "Cardiomegaly"  # the finding stays
    assert "PNG, 80 × 80 pixels" in texts(at)
    assert "case" not in at.query_params
    mine = at.selectbox(key="pick_case").value
    assert at.query_params["own"] == mine
    at.selectbox(key="pick_case").select("fluid").run()
    assert at.selectbox(key="pick_finding").value == "Pleural Effusion"
    assert at.query_params["case"] == "fluid"
    at.selectbox(key="pick_case").select(mine).run()
    assert "PNG, 80 × 80 pixels" in texts(settle(at))


def test_two_uploads_of_one_name_are_two_films(bench: AppTest) -> None:
    bench.query_params["methods"] = ["grad_cam"]
    at = bench.run()
    for step in (1, 3):
        at.file_uploader(key="upload").upload("film.png", film(step), "image/png").run()
    options = at.selectbox(key="pick_case").options
    assert options[-2:] == ["Yours: film.png", "Yours: film.png (2)"]
    assert str(at.selectbox(key="pick_case").value).startswith("own-")
    settle(at)


def test_the_same_upload_twice_is_one_film(bench: AppTest) -> None:
    bench.query_params["methods"] = ["grad_cam"]
    at = bench.run()
    for _ in range(2):
        at.file_uploader(key="upload").upload("film.png", film(1), "image/png").run()
    assert at.selectbox(key="pick_case").options[2:] == ["Yours: film.png"]
    settle(at)


def test_an_uploads_error_stays_until_another_radiograph_is_chosen(bench: AppTest) -> None:
    at = bench.run()
    at.file_uploader(key="upload").upload("notes.png", b"not a picture", "image/png").run()
    assert "notes.png: " in at.error[0].value
    at.run()
    assert "notes.png: " in at.error[0].value
    at.selectbox(key="pick_case").select("fluid").run()
    assert not at.error


def test_a_link_to_an_upload_of_another_session_says_why_it_cannot_be_had(bench: AppTest) -> None:
    bench.query_params["own"] = "own-0123456789abcdef"
    at = bench.run()
    assert not at.exception
    assert "stays in the session that opened it" in at.warning[0].value
    assert at.selectbox(key="pick_case").value == "heart"
    assert "own" not in at.query_params


def test_a_bundle_reopens_on_its_findings_with_its_models_title(bench: AppTest) -> None:
    given = case("heart").given
    assert given is not None
    buffer = io.BytesIO()
    bundle.save(replace(given, findings=("Pleural Effusion", "Cardiomegaly"), view="Lateral"), buffer)
    at = bench.run()
    at.file_uploader(key="upload").upload("saved.zip", buffer.getvalue(), "application/zip").run()
    assert not at.exception
    assert at.selectbox(key="pick_finding").value == "Pleural Effusion"
    assert at.query_params["findings"] == ["Pleural Effusion", "Cardiomegaly"]
    assert "Lateral view." in texts(at)
    assert "Scores of Small" in texts(at)
    at.selectbox(key="pick_case").select("fluid").run()
    assert at.query_params["methods"] == ["grad_cam", "grad_cam_plus_plus", "integrated_gradients"]


def test_a_model_outside_the_gallery_is_computed_and_kept(bench: AppTest) -> None:
    bench.query_params["models"] = ["small", "other"]
    bench.query_params["methods"] = ["grad_cam"]
    at = settle(bench.run())
    assert "Scores of other" in texts(at)
    computed = [key for key in map_jobs.RESULTS.held() if key.model == "other"]
    assert {key.method for key in computed} == {"", "grad_cam"}


def test_settings_that_the_gallery_lacks_are_computed(bench: AppTest) -> None:
    bench.query_params["stage"] = "1"
    bench.query_params["methods"] = ["hires_cam", "integrated_gradients"]
    at = settle(bench.run())
    # The path of integrated gradients reads no stage: its maps are still the gallery's.
    assert {key.method for key in map_jobs.RESULTS.held() if key.model == "small"} == {"", "hires_cam"}
    assert at.query_params["stage"] == "1"


def test_without_gallery_and_models_the_page_says_what_to_do(
    bench: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    at = bench.run()
    assert not at.exception
    assert "No model was found. Fetch one with" in at.info[0].value


def test_without_a_gallery_one_may_open_an_own_image(
    bench: AppTest, small_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").symlink_to(small_assets / "models")
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    at = bench.run()
    assert not at.exception
    assert "There are no gallery cases here" in at.info[0].value


@pytest.mark.parametrize("installed", [(), ("other",)])
def test_an_own_image_turns_to_a_model_that_is_installed(
    installed: tuple[str, ...],
    bench: AppTest,
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
    at = bench.run()
    assert not at.exception
    assert "Scores of Small" in texts(at)
    at.file_uploader(key="upload").upload("film.png", film(1), "image/png").run()
    at = settle(at)
    assert not at.exception
    assert at.button_group(key="pick_models").value == list(installed or ("small",))
    assert {key.model for key in map_jobs.RESULTS.held()} == set(installed)


def test_the_about_page_tells_methods_models_and_limits(bench: AppTest) -> None:
    at = bench.run()
    at.switch_page(str(page_file("about"))).run()
    assert not at.exception
    said = texts(at)
    assert "[Grad-CAM](https://arxiv.org/abs/1610.02391)" in said
    assert "Not for clinical use" in said
    assert "`other`, efficientnet_b0" in said


def test_maps_that_come_while_the_page_is_drawn_are_shown(
    bench: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = scene.scene

    def draw_slowly(*args: Any, **kwargs: Any) -> SceneData:
        for _ in range(600):
            if not map_jobs.QUEUE.busy():
                break
            time.sleep(0.1)
        return draw(*args, **kwargs)

    monkeypatch.setattr(scene, "scene", draw_slowly)
    bench.query_params["methods"] = ["grad_cam"]
    at = bench.run()
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
    bench: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = failing(monkeypatch, InputError("The model takes no such image."))
    bench.query_params["methods"] = ["grad_cam"]
    at = bench.run()
    at.file_uploader(key="upload").upload("film.png", film(5), "image/png").run()
    for _ in range(2):
        at = settle(at)
        assert [error.value for error in at.error] == ["The model takes no such image."]
        assert "stop" not in [button.key for button in at.button]
    assert len(begun) == 1


def test_a_fault_while_maps_are_computed_is_shown(bench: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, ZeroDivisionError("a fault"))
    bench.query_params["methods"] = ["grad_cam"]
    at = bench.run()
    at.file_uploader(key="upload").upload("film.png", film(7), "image/png").run()
    for _ in range(100):
        if not map_jobs.QUEUE.busy():
            break
        time.sleep(0.1)
    at.run()
    assert len(at.exception) == 1
