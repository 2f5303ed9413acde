"""One list of models for every page and command."""

import subprocess
import sys
from pathlib import Path

import pytest

from cxrbench.app.performance import predictions
from cxrbench.cli import main
from cxrbench.errors import InputError
from cxrbench.models import ModelSpec, catalog, hub
from cxrbench.models.folder import write_spec
from cxrbench.preprocess import Preprocessing


def leave(folder: Path, name: str, *, weights: bool = True, predictions: bool = True) -> Path:
    """A saved model, as far as the list looks."""
    folder.mkdir(parents=True)
    spec = ModelSpec(name, "alexnet", ("Edema",), Preprocessing(), (0.5,), f"Model {name}")
    write_spec(folder / "config.json", spec)
    if weights:
        (folder / "model.safetensors").touch()
    if predictions:
        (folder / "predictions.csv").write_text("path,Edema,score Edema\na,1,0.5\n")
    return folder


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shipped model, one of one's own, and one of a run."""
    leave(tmp_path / "assets" / "models" / "first", "shipped")
    leave(tmp_path / "mine" / "second", "own")
    leave(tmp_path / "runs" / "third" / "model", "trained")
    for variable, folder in (("ASSETS", "assets"), ("MODELS", "mine"), ("RUNS", "runs")):
        monkeypatch.setenv(f"CXRBENCH_{variable}", str(tmp_path / folder))
    return tmp_path


def test_the_command_line_and_the_pages_list_the_same_models(
    shelves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models"]) == 0
    printed = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert printed == ["shipped", "own", "trained"]
    assert list(catalog.available()) == list(hub.available()) == printed
    assert {name: entry.title for name, entry in predictions.stored_predictions().items()} == {
        name: f"Model {name}" for name in printed
    }


def test_what_cannot_be_listed_is_said_and_hides_no_other(
    shelves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leave(shelves / "runs" / "again" / "model", "shipped")
    leave(shelves / "runs" / "half" / "model", "half", predictions=False)
    leave(shelves / "mine" / "light", "light", weights=False)
    (shelves / "mine" / "cake").mkdir()
    (shelves / "mine" / ".draft").mkdir()
    (shelves / "runs" / "just begun").mkdir()
    assert list(catalog.available()) == ["shipped", "own", "trained"]
    problems = {entry.folder.relative_to(shelves).as_posix(): entry.problem for entry in catalog.scan()}
    said = {folder: problem for folder, problem in problems.items() if problem}
    assert said.keys() == {"runs/again/model", "runs/half/model", "mine/light", "mine/cake"}
    assert "already exists in" in said["runs/again/model"]
    assert "not evaluated" in said["runs/half/model"]
    assert "is missing" in said["mine/light"]
    assert "cannot be read" in said["mine/cake"]
    main(["models"])
    shown = capsys.readouterr().err
    assert all(problem in shown for problem in said.values())


def test_the_same_folder_named_twice_is_listed_once(shelves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXRBENCH_MODELS", str(shelves / "assets" / "models"))
    assert [entry.problem for entry in catalog.scan()] == ["", ""]
    monkeypatch.setenv("CXRBENCH_MODELS", str(shelves / "nowhere"))
    assert list(catalog.available()) == ["shipped", "trained"]


def test_a_model_of_a_run_is_loaded_by_its_name(shelves: Path) -> None:
    with pytest.raises(InputError, match=r"runs/third/model/model\.safetensors is damaged"):
        hub.load("trained")  # its weights are empty here


def test_listing_models_imports_no_torch(shelves: Path) -> None:
    code = (
        "import sys; from cxrbench.models import catalog; assert len(catalog.scan()) == 3; "
        "assert not {'torch', 'streamlit'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
