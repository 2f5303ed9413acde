"""Commands write files whole, never over an input, and over others' files only when forced."""

import contextlib
import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrbench.cli import main
from cxrbench.cli import predict as predict_command
from cxrbench.inference import measure_film
from cxrbench.models import Classifier, create, hub
from cxrbench.preprocess import Preprocessing

LABELS = ("Cardiomegaly", "Edema")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = Preprocessing(size=64)
    folder = tmp_path_factory.mktemp("models") / "small"
    return hub.save(create("efficientnet_b0", LABELS, name="small", preprocessing=recipe, seed=1), folder)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Four films in CheXpert's form, both findings present and absent."""
    rows = [f"Path,Sex,Age,Frontal/Lateral,AP/PA,{','.join(LABELS)}"]
    for number in range(4):
        path = tmp_path / "data" / "test" / f"patient{number:05}" / "study1" / "view1_frontal.png"
        path.parent.mkdir(parents=True)
        film(path, number)
        rows.append(f"{path.relative_to(tmp_path)},Male,{40 + number},Frontal,AP,{number % 2},{number // 2}")
    (tmp_path / "data" / "test.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "data"


def film(path: Path, seed: int) -> Path:
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (64, 60), np.uint8)).save(path)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit code, and what was output on stderr."""
    code = main([str(argument) for argument in arguments])
    return code, capsys.readouterr().err


def evaluated(tree: Path, model: Path, out: Path) -> tuple[object, ...]:
    return "evaluate", model, "--data", tree, "--out", out, "--resamples", 10


def test_predict_never_overwrites_its_input(
    tree: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tree / "test.csv"
    before = table.read_bytes()
    first = next(tree.rglob("*.png"))
    film_before = first.read_bytes()
    for target in (table, first):
        for force in ((), ("--force",)):
            code, output = run(capsys, "predict", table, "--model", model, "--csv", target, *force)
            assert code == 2
            assert "is read by this command and never written over" in output
    assert table.read_bytes() == before
    assert first.read_bytes() == film_before


def test_predict_replaces_a_file_only_when_forced(
    tree: Path, model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = tmp_path / "notes.csv"
    mine.write_text("mine")
    code, output = run(capsys, "predict", tree / "test.csv", "--model", model, "--csv", mine)
    assert (code, mine.read_text()) == (2, "mine")
    assert "add --force" in output
    code, _ = run(capsys, "predict", tree / "test.csv", "--model", model, "--csv", mine, "--force")
    assert code == 0
    with mine.open(newline="") as stream:
        assert len(list(csv.reader(stream))) == 5


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_a_failed_predict_keeps_the_old_file(
    failure: type[KeyboardInterrupt] | type[RuntimeError],
    tree: Path,
    model: Path,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = tmp_path / "scores.csv"
    old.write_text("old")

    def stream_rows(model: Classifier, images: None) -> Iterator[tuple[np.ndarray, float]]:
        yield np.zeros(len(LABELS), np.float32), math.nan
        raise failure

    read_film = (tmp_path / "a.png", measure_film(np.eye(64, dtype=np.float32), note=""))
    monkeypatch.setattr(predict_command, "stream_rows", stream_rows)
    monkeypatch.setattr(predict_command, "_print_scores", lambda *arguments, **options: None)
    monkeypatch.setattr(predict_command, "_readable", lambda paths, read, skipped: read.append(read_film))
    picture = film(tmp_path / "a.png", 0)
    with contextlib.suppress(failure):
        main(["predict", str(picture), "--model", str(model), "--csv", str(old), "--force"])
    assert old.read_text() == "old"
    assert not list(tmp_path.glob(".*"))


def test_predict_without_readable_images_writes_no_table(
    model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    code, _ = run(capsys, "predict", bad, "--model", model, "--csv", tmp_path / "scores.csv")
    assert code == 2
    assert names(tmp_path) == ["bad.png"]


def test_scores_can_be_written_to_a_pipe_repeatedly(
    model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    picture = film(tmp_path / "a.png", 0)
    for _ in range(2):
        assert main(["predict", str(picture), "--model", str(model), "--csv", "/dev/null"]) == 0


def test_evaluate_replaces_its_own_files_and_refuses_others(
    tree: Path, model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for _ in range(2):
        assert run(capsys, *evaluated(tree, model, out))[0] == 0
    report = out / "report.html"
    report.write_text("my own report")
    code, output = run(capsys, *evaluated(tree, model, out))
    assert (code, report.read_text()) == (2, "my own report")
    assert "report.html" in output
    assert "--force" in output
    assert run(capsys, *evaluated(tree, model, out), "--force")[0] == 0
    assert "my own report" not in report.read_text()
    assert run(capsys, *evaluated(tree, model, out))[0] == 0


def test_evaluate_refuses_other_files_before_scoring(
    tree: Path, model: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("mine")
    code, output = run(capsys, *evaluated(tree, model, out))
    assert code == 2
    assert "report.html exists already and may hold something of yours" in output
    assert names(out) == ["report.html"]


def test_findings_that_differ_only_in_punctuation_get_different_files() -> None:
    from cxrbench.cli.explain import _file_names

    names = _file_names("film", ["Lesion 1", "Lesion 2", "Mass+", "Mass-", "肺"], "png")
    assert list(names.values()) == ["Lesion 1", "Lesion 2", "Mass+", "Mass-", "肺"]
    assert "film-lesion-2.png" in names


def test_training_refuses_a_folder_with_other_files_or_another_recipes_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        'name = "tiny"\narchitecture = "resnet50"\nlabels = ["Edema"]\n[data]\nroot = "none"\n'
        "[[phases]]\nsize = 32\nepochs = 1\nbatch = 2\nrate = 0.1\n"
    )
    out = tmp_path / "run"
    out.mkdir()
    (out / "recipe.json").write_text("a cake")
    code, output = run(capsys, "train", "--config", recipe, "--out", out)
    assert (code, (out / "recipe.json").read_text()) == (2, "a cake")
    assert "--force" in output
    # Another recipe's run: it stays as it was, down to what it was started with.
    assert run(capsys, "train", "--config", recipe, "--out", tmp_path / "other")[0] == 2  # there are no data
    kept = (tmp_path / "other" / "recipe.json").read_text()
    assert json.loads(kept)["name"] == "tiny"
    recipe.write_text(recipe.read_text().replace("rate = 0.1", "rate = 0.2"))
    code, output = run(capsys, "train", "--config", recipe, "--out", tmp_path / "other")
    assert "a run of another recipe" in output
    assert (tmp_path / "other" / "recipe.json").read_text() == kept
    run(capsys, "train", "--config", recipe, "--out", tmp_path / "other", "--force")
    assert (tmp_path / "other" / "recipe.json").read_text() != kept


def test_a_model_is_not_saved_over_other_files(model: Path, tmp_path: Path) -> None:
    from cxrbench.errors import InputError

    (tmp_path / "mine").mkdir()
    for name, text in (("README.md", "# My notes"), ("config.json", '{"library": "timm"}')):
        (tmp_path / "mine" / name).write_text(text)
        with pytest.raises(InputError, match="choose another folder"):
            hub.save(hub.load(model), tmp_path / "mine")
        assert (tmp_path / "mine" / name).read_text() == text
