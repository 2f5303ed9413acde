import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrbench.cli import main
from cxrbench.compare import DISCLAIMER
from cxrbench.evaluation import Predictions, evaluate, read_predictions
from cxrbench.labels import CHEXPERT
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set in CheXpert's form, and two untrained models that know different findings."""
    place = tmp_path_factory.mktemp("evaluate")
    random = np.random.default_rng(0)
    for split, count in (("valid", 6), ("test", 9)):
        lines = [f"Path,Sex,Age,Frontal/Lateral,AP/PA,{','.join(CHEXPERT)}"]
        for number in range(count):
            path = place / "data" / split / f"patient{len(split)}{number:04}" / "study1" / "view1_frontal.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(random.integers(0, 256, (40, 40), dtype=np.uint8)).save(path)
            drawn = random.choice(["1", "0", "-1", ""], len(CHEXPERT), p=[0.4, 0.3, 0.1, 0.2])
            view = "Lateral," if number == count - 1 else "Frontal,AP"
            lines.append(f"{path.relative_to(place)},Male,{40 + number},{view},{','.join(drawn)}")
        (place / "data" / f"{split}.csv").write_text("\n".join(lines) + "\n")
    for seed, labels in enumerate((CHEXPERT, ("Edema", "Cardiomegaly", "Effusion"))):
        model = create(
            "efficientnet_b0",
            labels,
            pretrained=False,
            name=f"model{seed}",
            preprocessing=Preprocessing(size=32),
            seed=seed,
        )
        hub.save(model, place / f"model{seed}")
    return place


def test_models_are_evaluated_with_their_ensembles(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models = [str(place / "model0"), str(place / "model1")]
    out = place / "out"
    command = ["evaluate", *models, "--data", str(place / "data"), "--out", str(out), "--resamples", "30"]
    assert main(command) == 0
    output = capsys.readouterr()
    assert "model0\tmean AUROC" in output.out
    assert "best by hamming loss" in output.out
    assert "8 of 8 test images scored by model1" in output.err
    assert "images of another view left out: 1" in output.err
    stored = read_predictions(out / "model0" / "predictions.csv")
    assert stored.labels == CHEXPERT
    assert set(stored.splits) == {"valid", "test"}
    figures = json.loads((out / "model0" / "evaluation.json").read_text())
    again = evaluate(stored.split("test"), list(figures["threshold"].values()), count=30)
    assert {key: figures[key] for key in again} == again
    few = read_predictions(out / "model1" / "predictions.csv")
    assert few.labels == ("Cardiomegaly", "Edema", "Pleural Effusion")
    assert_same_truth(stored, few)
    with (out / "ensembles.csv").open() as stream:
        assert {line["name"] for line in csv.DictReader(stream)} >= {"model0", "ctp_mean", "ptc_mode"}
    with (out / "pairs.csv").open() as stream:
        pairs = list(csv.DictReader(stream))
    assert [line["finding"] for line in pairs] == [*few.labels, "mean"]
    assert {(line["first"], line["second"]) for line in pairs} == {("model0", "model1")}
    check_report((out / "report.html").read_text(encoding="utf8"))


def assert_same_truth(stored: Predictions, few: Predictions) -> None:
    np.testing.assert_array_equal(stored.columns(few.labels).targets, few.targets)


def check_report(text: str) -> None:
    """It needs nothing from elsewhere, and says what it is not for."""
    _head, _, body = text.partition("</script>")
    assert DISCLAIMER in body
    assert not re.findall(r'(?:src|href)="http', body)
    assert "<h2>Models and ensembles</h2>" in body
    assert "Plotly.newPlot" in body
    assert "&lt;small" not in body


def test_unreadable_images_are_reported_as_by_check_and_predict_and_retried(
    place: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = place / "data" / "with_missing.csv"
    lines = (place / "data" / "test.csv").read_text().splitlines()
    absent = place / "data" / "test" / "patient99999" / "study1" / "view1_frontal.png"
    row = f"{absent.relative_to(place)},Male,50,Frontal,AP,{lines[1].split(',', 5)[5]}"
    table.write_text("\n".join([*lines, row]) + "\n")
    command = ["evaluate", str(place / "model1"), "--data", str(place / "data"), "--table", table.name]
    command += ["--out", str(tmp_path / "out"), "--resamples", "20"]
    commands = (command, ["check", str(table)], ["predict", str(table), "--model", str(place / "model1")])
    for each in commands:
        assert main(each) == 1
        output = capsys.readouterr()
        assert f"{absent}: there is no such file" in output.out + output.err
        assert (output.out + output.err).count(str(absent)) == 1
    absent.parent.mkdir(parents=True)
    Image.fromarray(np.random.default_rng(9).integers(0, 256, (40, 40), dtype=np.uint8)).save(absent)
    assert main(command) == 0
    figures = json.loads((tmp_path / "out" / "model1" / "evaluation.json").read_text())
    assert figures["studies"] == 9
    shutil.rmtree(absent.parents[1])
    table.unlink()


def test_without_validation_images_the_models_own_thresholds_are_used(
    place: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ["evaluate", str(place / "model0"), "--data", str(place / "data"), "--table", "valid.csv"]
    command += ["--view", "all"]
    assert main([*command, "--out", str(tmp_path / "out"), "--resamples", "20"]) == 0
    figures = json.loads((tmp_path / "out" / "model0" / "evaluation.json").read_text())
    assert figures["studies"] == 6
    assert figures["thresholds"] == "those stored with the model."
    assert not (tmp_path / "out" / "ensembles.csv").exists()


def test_invalid_options_are_refused_before_anything_is_scored(
    place: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = [
        "evaluate",
        str(place / "model0"),
        "--data",
        str(place / "data"),
        "--out",
        str(tmp_path / "o"),
    ]
    assert main([*command, "--rule", "yuoden"]) == 2
    assert "choose from: half, youden" in capsys.readouterr().err
    assert main([*command, "--table", "none.csv"]) == 2
    assert "no such CSV" in capsys.readouterr().err
    twice = [command[0], command[1], *command[1:]]
    assert main(twice) == 2
    assert "named once" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()
