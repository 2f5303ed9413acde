"""The wheel: built here, installed elsewhere, and used where no checkout can be imported."""

import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

SITE_PACKAGES = sysconfig.get_path("purelib")
Run = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built without a network and without traces in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    settings = folder / "settings.cfg"
    settings.write_text(f"[build]\nbuild_base = {folder / 'build'}\n[egg_info]\negg_base = {folder}\n")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    environment = {**os.environ, "DIST_EXTRA_CONFIG": str(settings)}
    _call("-m", "pip", "wheel", *options, "--wheel-dir", str(folder), str(root), environment=environment)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the wheel was installed into, without its dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--no-index", "--no-compile", "--target", str(folder), str(wheel)]
    _call("-m", "pip", "install", "--quiet", *options)
    return folder


@pytest.fixture(scope="module")
def run(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run Python in an empty folder with the installed package, and return what it prints.

    The environment's other packages are there; its .pth files, through which an editable install makes the
    checkout importable, are not read (-S).
    """
    here = tmp_path_factory.mktemp("elsewhere")

    def python(*arguments: str, **environment: str) -> str:
        own = {"CXRBENCH_MODELS": str(here / "models")}
        return _call(
            "-S", "-P", *arguments, cwd=here, environment=_environment(installed) | own | environment
        )

    return python


def test_the_wheel_holds_the_workbench_and_is_small(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {name.removeprefix("cxrbench/shipped/") for name in names if "/shipped/" in name}
    assert {"streamlit_app.py", ".streamlit/config.toml", "train/configs/smoke.toml"} <= shipped
    needed = {"lungs/model.safetensors", "gallery/index.json", "healthy/00.png", "locations/phantom.npz"}
    needed |= {"lessons/take-it-away.toml", "lessons/take-it-away.json"}
    assert {f"assets/{name}" for name in needed} <= shipped
    assert {"cxrbench/app/main.css", "cxrbench/app/icon.svg", "cxrbench/py.typed"} <= names
    pages = (
        "about",
        "compare",
        "data",
        "imbalance",
        "judge",
        "models",
        "performance",
        "phantom",
        "preparation",
    )
    for page in (*pages, "learn", "quiz", "training"):
        assert f"cxrbench/app/{page}/page.py" in names
    assert {"cxrbench/app/compare/canvas/index.js", "cxrbench/app/performance/curves/curves.html"} <= names
    assert not [name for name in names if name.startswith(("tests/", "scripts/", "assets/", "train/"))]
    assert wheel.stat().st_size < 30e6


def test_nothing_of_the_checkout_is_imported_or_read(run: Run, installed: Path) -> None:
    code = """
import cxrbench
from cxrbench import assets
print(cxrbench.__file__)
print(assets.models(), assets.gallery(), assets.lungs(), assets.recipes(), assets.workbench(), sep="\\n")
print(assets.runs(), assets.workspace(), sep="\\n")
"""
    *shipped, runs, workspace = map(Path, run("-c", code).split())
    assert all(path.is_relative_to(installed / "cxrbench") and path.exists() for path in shipped)
    assert not workspace.is_relative_to(installed)  # nothing is written into the installation
    assert runs == workspace / "runs"


def test_one_film_is_explained_with_a_model_of_the_users_own(run: Run, tmp_path: Path, root: Path) -> None:
    rows, columns = np.mgrid[:90, :80]
    film = (127 + 60 * np.sin(rows / 9) + 60 * np.cos(columns / 7)).astype(np.uint8)
    Image.fromarray(film).save(tmp_path / "film.png")
    shutil.copytree(root / "assets" / "models" / "vit_tiny", tmp_path / "models" / "vit_tiny")
    own = {"CXRBENCH_MODELS": str(tmp_path / "models")}
    listed = run("-m", "cxrbench.cli", "models", **own)
    assert [line.split("\t")[0] for line in listed.splitlines()] == ["efficientnet_b0", "vit_tiny"]
    command = ["explain", str(tmp_path / "film.png"), "--out", str(tmp_path / "maps"), "--model", "vit_tiny"]
    command += ["--finding", "Pleural Effusion", "--method", "grad_cam"]
    run("-m", "cxrbench.cli", *command, **own)
    (picture,) = (tmp_path / "maps").glob("*.png")
    with Image.open(picture) as drawn:
        assert min(drawn.size) >= 80
    assert list((tmp_path / "maps").glob("*.zip"))


def test_lungs_recipes_and_gallery_are_found(run: Run) -> None:
    code = """
import json
import numpy as np
from cxrbench.compare import gallery
from cxrbench.data.phantom import render
from cxrbench.preprocess import Preprocessing
from cxrbench.training.run.recipes import recipes

film = render(3, {}, size=128).image
cropped = Preprocessing(size=64, crop="lungs")(film)
cases = gallery.cases()
print(json.dumps({
    "shape": cropped.shape,
    "differs": bool(np.abs(cropped - Preprocessing(size=64)(film)).max() > 0.1),
    "recipes": sorted(recipes()),
    "cases": len(cases),
    "stored": sum(bool(gallery.load(case.id).heat_maps) for case in cases[:3]),
}))
"""
    found = json.loads(run("-c", code))
    assert found["shape"][-2:] == [64, 64]
    assert found["differs"]
    assert {"smoke", "phantom_densenet121", "chexpert_liz"} <= set(found["recipes"])
    assert found["cases"] == 16
    assert found["stored"] == 3


def test_the_first_page_of_the_workbench_opens(run: Run) -> None:
    code = """
from streamlit.testing.v1 import AppTest
from cxrbench.app.server import MAIN
at = AppTest.from_file(MAIN, default_timeout=120).run()
assert not at.exception, at.exception
print(at.title[0].value, len(at.get("page_link")) > 16)
"""
    assert run("-c", code).split() == ["cxrbench", "True"]


def test_the_command_app_serves_the_workbench_with_the_settings_that_ship_with_it(
    installed: Path, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path / "log.txt"
    command = [sys.executable, "-S", "-P", "-m", "cxrbench.cli", "app", "--"]
    command += [f"--server.port={port}", "--server.headless=true"]
    with log.open("w") as output:
        server = subprocess.Popen(
            command, cwd=tmp_path, env=_environment(installed), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as answer:
                    assert answer.read() == b"ok"
                break
            except OSError:
                assert server.poll() is None, log.read_text()
                time.sleep(0.1)
        assert f"http://127.0.0.1:{port}" in log.read_text()  # Streamlit's own default is every address
    finally:
        server.kill()
        server.wait(20)


def test_the_command_app_says_what_is_missing_without_streamlit(run: Run) -> None:
    code = """
import importlib.util
from cxrbench.cli import main
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "streamlit" else find(name, *rest)
print(main(["app"]))
"""
    assert run("-c", code).split() == ["2"]


def _environment(installed: Path) -> dict[str, str]:
    """Of a process that finds the installed package, and the packages of this environment behind it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CXRBENCH", "PYTHON"))}
    return kept | {"PYTHONPATH": os.pathsep.join((str(installed), SITE_PACKAGES))}


def _call(*arguments: str, cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
