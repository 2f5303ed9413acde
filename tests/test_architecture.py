"""The house itself: what every room offers, and that the README is still its map."""

import importlib
import pkgutil
import re
import subprocess
import sys

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
def test_a_room_offers_exactly_what_its_all_says(room):
    module = importlib.import_module(f"cxrbench.{room}")
    offered = getattr(module, "__all__", ())
    assert len(set(offered)) == len(offered)
    assert all(hasattr(module, name) for name in offered)


def test_no_module_has_a_name_that_says_nothing():
    assert not [name for name in MODULES if VAGUE & set(name.split("."))]


def test_importing_the_library_starts_nothing():
    code = "import cxrbench, sys; print(sorted({'torch', 'streamlit', 'pandas'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_the_readme_tree_names_every_file(root):
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a git checkout, so there is no list of files to hold the README against")
    tree = (root / "README.md").read_text(encoding="utf8")
    shown = re.compile(
        r"^(cxrbench|pages|train|benchmarks|scripts)/(?!.*__init__)[^.]*(\.(py|toml|js|css))?$"
    )
    missing = [
        path
        for path in tracked.stdout.splitlines()
        if shown.match(path) and not re.search(rf"(?m)(^|[\s/]){re.escape(path.rsplit('/')[-1])}\b", tree)
    ]
    assert not missing, f"the README's tree does not name {missing}"


def test_the_readme_lists_every_method_and_every_backbone(root):
    from cxrbench.explain import METHODS
    from cxrbench.models import ARCHITECTURES

    readme = (root / "README.md").read_text(encoding="utf8")
    for record in (*METHODS.values(), *ARCHITECTURES.values()):
        assert f"`{record.name}`" in readme, f"the README does not list {record.name}"
        assert record.title in readme


def test_the_lock_pins_everything_exactly(root):
    for lock in ("requirements.txt", "tests/requirements.txt"):
        lines = (root / lock).read_text(encoding="utf8").splitlines()
        pins = [line for line in lines if line and not line.startswith("#")]
        assert pins
        assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.]+", pin) for pin in pins)
