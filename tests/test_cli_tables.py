"""The three commands that read a label table say the same of what is wrong with it."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrbench.cli import main
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing

ROWS = "".join(f"train/patient{i:05}/study1/view1_frontal.png,{i % 2},{i // 2 % 2}\n" for i in range(4))
HEADER = "Path,edema,Effusion\n"
MISSING = "train/patient00009/study1/view1_frontal.png"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for index, row in enumerate(ROWS.splitlines()):
        file = root / row.split(",")[0]
        file.parent.mkdir(parents=True)
        Image.fromarray(np.random.default_rng(index).integers(0, 256, (64, 64), np.uint8)).save(file)
    recipe = Preprocessing(size=64)
    model = create("vit_tiny", ("Edema", "Pleural_Effusion", "Hernia"), name="m", preprocessing=recipe)
    hub.save(model, root / "m")
    return root


def output(command: str, tree: Path, table: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit status and everything that a command prints on a table of these rows."""
    (tree / "table.csv").write_text(table)
    model = str(tree / "m")
    options = {
        "check": ["check", str(tree / "table.csv")],
        "predict": ["predict", str(tree / "table.csv"), "--model", model],
        "evaluate": [
            *("evaluate", model, "--data", str(tree), "--table", "table.csv", "--resamples", "20"),
            *("--out", str(tree / f"out-{zlib.crc32(table.encode())}")),
        ],
    }
    status = main(options[command])
    output = capsys.readouterr()
    return status, output.out + output.err


COMMANDS = ("check", "predict", "evaluate")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_file_is_named_with_its_path(
    command: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, words = output(command, tree, f"{HEADER}{ROWS}{MISSING},1,0\n", capsys)
    assert status == 1
    assert f"{tree / MISSING}: there is no such file; check the path." in words


@pytest.mark.parametrize("command", COMMANDS)
def test_duplicate_images_are_scored_once_and_reported(
    command: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, words = output(command, tree, HEADER + ROWS + ROWS.replace("train/", "./train/"), capsys)
    assert status == 0
    assert "table.csv: 4 paths occur more than once, with the same labels: each is counted once" in words
    counted = {
        "check": "4 images, 4 patients, 0 problems",
        "predict": f"{tree / 'train/patient00003'}",
        "evaluate": "4 of 4 test images scored",
    }
    assert counted[command] in words


@pytest.mark.parametrize("command", COMMANDS)
def test_duplicate_images_with_different_labels_are_refused_before_scoring(
    command: str, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, words = output(command, tree, HEADER + ROWS + ROWS.splitlines()[0][:-1] + "1\n", capsys)
    assert status == 2
    assert "1 path occurs more than once, 1 with different labels, for example" in words
    assert "scored" not in words


@pytest.mark.parametrize("command", COMMANDS)
def test_ignored_columns_are_reported(command: str, tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends = ["Oedem", *"0000"]
    table = "\n".join(map(",".join, zip((HEADER + ROWS).split(), ends, strict=True)))
    status, words = output(command, tree, table, capsys)
    assert status == 0
    assert "left out, since CheXpert has no finding of that name: 'Oedem' (did you mean 'Edema'?)" in words


def test_evaluate_matches_findings_in_any_spelling_and_reports_unmatched_ones(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, words = output("evaluate", tree, HEADER + ROWS, capsys)
    assert status == 0
    assert "over 2 findings" in words
    assert "left out, as the data set says nothing of them: Hernia" in words
