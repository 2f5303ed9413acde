"""Names that a package imports on first use."""

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = """
from cxrbench.lazy_imports import lazy_getattr

__getattr__ = lazy_getattr(__name__, {"answer": "deep"}, ["shallow"])
"""
CODE = """
import sys
import lazily

assert "lazily.deep" not in sys.modules
assert lazily.answer == [42]
assert lazily.answer is lazily.answer is vars(lazily)["answer"]
assert "lazily.shallow" not in sys.modules
assert lazily.shallow is sys.modules["lazily.shallow"]
try:
    lazily.question
except AttributeError as error:
    assert str(error) == "module 'lazily' has no attribute 'question'"
else:
    raise AssertionError
"""


def test_names_are_imported_on_first_use_and_kept(tmp_path: Path, root: Path) -> None:
    folder = tmp_path / "lazily"
    folder.mkdir()
    (folder / "__init__.py").write_text(PACKAGE)
    (folder / "deep.py").write_text("answer = [42]\n")
    (folder / "shallow.py").write_text("")
    paths = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(root)!r}]\n"
    done = subprocess.run([sys.executable, "-c", paths + CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["cxrbench.models", "cxrbench.training"])
def test_the_packages_import_no_torch(package: str) -> None:
    code = f"import sys, {package}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
