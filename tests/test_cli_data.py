"""``cxrbench data``, and the commands that take a data set by its name or its folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrbench.cli import main
from cxrbench.data.datasets import FORMS, scan
from cxrbench.labels import NIH
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXRBENCH_DATA", str(tmp_path / "own"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("model") / "m"
    recipe = Preprocessing(size=32)
    hub.save(create("vit_tiny", NIH, name="m", preprocessing=recipe, pretrained=False), folder)
    return str(folder)


@pytest.fixture
def nih(tmp_path: Path) -> Path:
    """Six films in NIH's form; a folder whose name says nothing."""
    folder = tmp_path / "films"
    (folder / "images").mkdir(parents=True)
    lines = ["Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position"]
    for number in range(6):
        name = f"{number:08}_000.png"
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32), np.uint8)
        Image.fromarray(pixels).save(folder / "images" / name)
        lines.append(f"{name},{'Effusion|Mass' if number % 2 else 'No Finding'},0,{number},50,F,PA")
    (folder / "Data_Entry_2017_v2020.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_data_set_is_added_listed_checked_and_removed(
    nih: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "list"]) == 0
    assert "no data set was added yet" in capsys.readouterr().err
    assert main(["data", "add", str(nih), "--name", "mine"]) == 0
    output = capsys.readouterr()
    assert "6 all images; 6 patients; no faults" in output.out
    assert "terms: Free to use" in output.err
    (nih / "images" / "00000003_000.png").unlink()
    assert main(["data", "check", "mine"]) == 1
    output = capsys.readouterr()
    assert "00000003_000.png: there is no such file" in output.out
    assert "missing: 1" in output.out
    assert main(["data", "list"]) == 0
    assert "mine\tNIH ChestX-ray14\t6 images, missing: 1" in capsys.readouterr().out
    assert main(["data", "remove", "mine"]) == 0
    assert scan() == []
    assert len(list((nih / "images").iterdir())) == 5


def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "add", str(tmp_path)]) == 2
    assert "is not the folder of a known data set" in capsys.readouterr().err
    assert main(["data", "remove", "nothing"]) == 2


@pytest.mark.parametrize("named", [True, False])
def test_commands_take_a_data_set_by_name_or_folder(
    named: bool, nih: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if named:
        main(["data", "add", str(nih)])
    data = ["--data", "nih" if named else str(nih)]
    assert main(["check", *data]) == 0
    assert "6 images, 6 patients, 0 problems" in capsys.readouterr().out
    table = tmp_path / "scores.csv"
    assert main(["predict", "--model", model, *data, "--csv", str(table)]) == 0
    assert len(table.read_text().splitlines()) == 7
    assert main(["evaluate", model, *data, "--out", str(tmp_path / "out"), "--resamples", "20"]) == 0
    assert "evaluated on all its images" in capsys.readouterr().err


def test_methods_are_judged_on_the_films_of_a_data_set_by_its_name(
    nih: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "boxes.csv").write_text(
        "Image Index,Finding Label,Bbox [x,y,w,h],,,\n00000001_000.png,Effusion,100,200,300,400,,,\n"
    )
    command = ["judge", "--truth", "nih", "--annotations", str(tmp_path / "boxes.csv"), "--model", model]
    command += ["--method", "random", "--criterion", "hit", "--out", str(tmp_path / "judged")]
    assert main([*command, "--data", "films"]) == 2
    assert "neither a folder nor the name of a data set" in capsys.readouterr().err
    main(["data", "add", str(nih), "--name", "films"])
    assert main([*command, "--data", "films"]) == 0
    assert "m, 1 films" in capsys.readouterr().out


def test_commands_read_a_table_of_any_known_data_set(nih: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(nih / "Data_Entry_2017_v2020.csv")]) == 0
    assert "6 images, 6 patients, 0 problems" in capsys.readouterr().out


def test_without_images_or_with_two_sources_a_command_is_refused(
    nih: Path, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", "--model", model]) == 2
    assert "name images, a table of images, or --data" in capsys.readouterr().err
    assert main(["check"]) == 2
    assert main(["check", str(nih / "Data_Entry_2017_v2020.csv"), "--data", str(nih)]) == 2
    assert main(["predict", "--model", model, "--data", str(nih), "--split", "test"]) == 2
    assert "Unknown split 'test'; choose from: all." in capsys.readouterr().err


def test_the_help_names_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["data", "add", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert all(form in text for form in FORMS)


def test_real_nih_films_are_read_as_nih(
    real: Path, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twenty of them: the folder's tables with the images of the first rows."""
    folder = tmp_path / "some"
    (folder / "images").mkdir(parents=True)
    lines = (real / "nih" / "Data_Entry_2017_v2020.csv").read_text().splitlines()[:21]
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    for line in lines[1:]:
        name = line.partition(",")[0]
        (folder / "images" / name).symlink_to(real / "nih" / "images" / name)
    out = tmp_path / "out"
    command = ["evaluate", model, "--data", str(folder), "--out", str(out), "--resamples", "20"]
    assert main(command) == 0
    assert "20 of 20 test images scored" in capsys.readouterr().err
