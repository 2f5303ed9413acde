"""Pages that show what is stored are drawn before torch, which takes seconds, has been imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxrbench.app import main
from cxrbench.models import ModelSpec
from cxrbench.models.folder import write_spec
from cxrbench.preprocess import Preprocessing

MAIN = Path(main.__file__)

# One process visits the pages in turn: importing torch would show on the first page that does, by its name.
VISIT = """
import sys
from streamlit.testing.v1 import AppTest
from cxrbench.app.navigation import page_file


def look(page):
    assert not at.exception, (page, at.exception)
    assert "torch" not in sys.modules, page


at = AppTest.from_file(sys.argv[1], default_timeout=120).run()
look("start")
at.switch_page(str(page_file("compare"))).run()
look("compare")
assert at.selectbox(key="pick_case").value == "heart"
assert at.selectbox(key="pick_finding").value == "Cardiomegaly"
assert "Scores of Small" in " ".join(markdown.value for markdown in at.markdown)
at.query_params["methods"] = ["grad_cam", "eigen_cam", "saliency", "grad_cam(stage=1)"]
at.run()
look("compare with further methods")
at.switch_page(str(page_file("learn"))).run()
look("learn")
at.switch_page(str(page_file("imbalance"))).run()
look("imbalance")
assert at.metric
at.switch_page(str(page_file("train"))).run()
look("train")
assert at.selectbox(key="recipe").value == "smoke"
at.session_state["judge_models"] = ["a", "b"]
at.switch_page(str(page_file("performance"))).run()
look("performance")
assert any("images of" in caption.value for caption in at.caption)
"""


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    """A folder of two models without weights, each with predictions of the same images."""
    rows = [f"p{number // 2}/{number}.png,p{number // 2},{number % 2}" for number in range(40)]
    for shift, name in enumerate(("a", "b")):
        folder = tmp_path / name
        folder.mkdir()
        lines = [f"{row},{(number * 7 + shift) % 10 / 10}" for number, row in enumerate(rows)]
        text = "\n".join(["path,patient,Edema,score Edema", *lines])
        (folder / "predictions.csv").write_text(text + "\n")
        write_spec(folder / "config.json", ModelSpec(name, "vit_tiny", ("Edema",), Preprocessing(), (0.5,)))
        (folder / "model.safetensors").touch()
    return tmp_path


def test_pages_of_what_is_stored_import_no_torch(small_assets: Path, scored: Path) -> None:
    folders = {"CXRBENCH_ASSETS": small_assets, "CXRBENCH_MODELS": scored, "CXRBENCH_RUNS": scored / "none"}
    environment = {**os.environ, **{name: str(folder) for name, folder in folders.items()}}
    command = [sys.executable, "-c", VISIT, str(MAIN)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
