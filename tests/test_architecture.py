"""The package as a whole: what each part of it exports, and that docs/architecture.md describes it."""

import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import cxrbench

ROOMS = sorted(module.name for module in pkgutil.iter_modules(cxrbench.__path__) if module.ispkg)
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(cxrbench.__path__, "cxrbench.")
    if not module.name.endswith("__main__")
)
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base", "core"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_offers_exactly_what_its_all_says(room: str) -> None:
    module = importlib.import_module(f"cxrbench.{room}")
    offered = getattr(module, "__all__", ())
    assert len(set(offered)) == len(offered)
    assert all(hasattr(module, name) for name in offered)
    # What a room imports for its users is in the list; modules come in by themselves once they are imported.
    imported = {
        name for name, value in vars(module).items() if name[0] != "_" and not inspect.ismodule(value)
    }
    assert imported <= set(offered)


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_says_it_offers_is_there(name: str) -> None:
    module = importlib.import_module(name)
    offered = getattr(module, "__all__", ())
    assert len(set(offered)) == len(offered)
    assert [each for each in offered if not hasattr(module, each)] == []


def test_the_public_surface_is_the_one_that_is_written_down(root: Path) -> None:
    """Who adds, renames or removes a public name of a room changes tests/public_surface.json with it."""
    surface = {
        name: sorted(getattr(importlib.import_module(name), "__all__", ()))
        for name in ("cxrbench", *(f"cxrbench.{room}" for room in ROOMS))
    }
    assert surface == json.loads((root / "tests" / "public_surface.json").read_text(encoding="utf8"))


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert not [name for name in MODULES if VAGUE & set(name.split("."))]


def test_importing_the_library_starts_nothing() -> None:
    code = "import cxrbench, sys; print(sorted({'torch', 'streamlit', 'pandas'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_training_is_imported_on_systems_without_the_modules_of_unix() -> None:
    code = """
import importlib, pkgutil, sys, warnings
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None  # importing it fails, as it does on Windows
warnings.filterwarnings("ignore", message="only soft file lock")
import cxrbench.training
for module in pkgutil.walk_packages(cxrbench.training.__path__, "cxrbench.training."):
    importlib.import_module(module.name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_only_assets_knows_what_lies_outside_the_package(root: Path) -> None:
    """``parents[…]`` and ``parent.parent`` of a module's own path lead out of it, and nowhere in a wheel."""
    climbs = re.compile(r"__file__.*(parents\b|parent\.parent)|\bROOT\b.*__file__")
    files = [path for path in (root / "cxrbench").rglob("*.py") if path.name != "assets.py"]
    assert [path for path in files if climbs.search(path.read_text(encoding="utf8"))] == []


def test_the_map_lists_exactly_the_files_of_the_tree(root: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout, so there is no list of files to compare the map with")
    lines = list(map_paths(architecture_page(root)))
    named = set(lines)
    assert len(named) == len(lines), "a file occurs twice in the map of docs/architecture.md"
    files = set(tracked.stdout.splitlines())
    shown = re.compile(
        r"(cxrbench|pages|train|benchmarks|scripts)/(?!.*(__init__|py\.typed))\S+|streamlit_app\.py"
    )
    assert sorted(path for path in files if shown.fullmatch(path) and path not in named) == []
    folders = {f"{parent}/" for path in files for parent in Path(path).parents}
    assert sorted(named - files - folders) == []


def test_the_drawing_of_the_floors_is_that_of_the_import_linter(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf8"))["tool"]["importlinter"]
    layers = next(contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers")
    drawing = block_of(architecture_page(root), r"(?ms)^## Floors$.*?^```\n(.*?)^```")
    assert [re.split(r"\s{2,}", line)[0] for line in drawing if line[0] != "─"] == layers


def architecture_page(root: Path) -> str:
    return (root / "docs" / "architecture.md").read_text(encoding="utf8")


def block_of(text: str, pattern: str) -> list[str]:
    """The lines of a code block."""
    found = re.search(pattern, text)
    assert found, pattern
    return found[1].splitlines()


def map_paths(text: str) -> Iterator[str]:
    """The paths in the file map: a line names a path, its indentation says below which folder."""
    lines = block_of(text, r"(?ms)^```\n(streamlit_app\.py .*?)^```")
    above: list[str] = []
    for line in lines:
        name = line.split()[0]
        del above[(len(line) - len(line.lstrip())) // 2 :]
        yield "".join(above) + name
        above.append(name)


def test_the_lock_pins_everything_exactly(root: Path) -> None:
    for lock in ("requirements.txt", "tests/requirements.txt", "docs/requirements.txt"):
        lines = (root / lock).read_text(encoding="utf8").splitlines()
        pins = [line for line in lines if line and not line.startswith("#")]
        assert pins
        assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.]+", pin) for pin in pins)
