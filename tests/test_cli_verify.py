"""``cxrbench verify``: the table, the exit code, and what it says where a library is missing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cxrbench.cli import main
from cxrbench.explain.peers import CAPTUM, PYTORCH_GRAD_CAM, Difference
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing

LABELS = ("Cardiomegaly", "", "Pleural Effusion")


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets")
    model = create("efficientnet_b0", LABELS, name="small", preprocessing=Preprocessing(size=64))
    hub.save(model, folder / "models" / "small")
    return folder


@pytest.fixture(autouse=True)
def here(assets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(assets))
    monkeypatch.setenv("CXRBENCH_MODELS", str(assets / "own"))


def verify(*arguments: object) -> int:
    return main(["verify", "--size", "128", *map(str, arguments)])


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert verify(*arguments) == 2
    return capsys.readouterr().err


def test_it_lists_how_far_each_method_is_from_each_library(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "table.json"
    assert verify("--methods", "grad_cam", "saliency", "--json", path) == 0
    header, *lines, total = capsys.readouterr().out.splitlines()
    assert header.split() == ["model", "method", "library", "class", "difference", "tolerance"]
    assert [line.split()[:4] for line in lines] == [
        ["small", "grad_cam", "captum", "LayerGradCam"],
        ["small", "grad_cam", "pytorch-grad-cam", "GradCAM"],
        ["small", "saliency", "captum", "Saliency"],
    ]
    assert all(line.endswith("  within") for line in lines)
    assert total == "3 comparisons, 0 outside their tolerance"
    table = json.loads(path.read_text(encoding="utf8"))
    assert [(row["method"], row["package"], row["within"]) for row in table] == [
        ("grad_cam", CAPTUM, True),
        ("grad_cam", PYTORCH_GRAD_CAM, True),
        ("saliency", CAPTUM, True),
    ]
    assert "exists already" in refused(capsys, "--methods", "grad_cam", "--json", path)
    assert verify("--methods", "grad_cam", "--json", path, "--force") == 0
    assert len(json.loads(path.read_text(encoding="utf8"))) == 2


def test_a_map_outside_its_tolerance_gives_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def far(model: Any, image: Any, findings: list[int], **_: object) -> Iterator[Difference]:
        assert sorted(findings) == [0, 2]  # not the output without a name
        yield Difference(model.spec.name, "rise", CAPTUM, "Attribution", 0.5, 1e-5)

    monkeypatch.setattr("cxrbench.cli.verify.differences", far)
    assert verify() == 1
    captured = capsys.readouterr()
    assert "OUTSIDE" in captured.out
    assert "1 comparisons, 1 outside" in captured.out
    assert "not compared with another library" in captured.err


def test_without_pytorch_grad_cam_captum_is_compared_and_a_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cxrbench.cli.verify.installed", lambda library: library == CAPTUM)
    assert verify("--method", "grad_cam") == 0
    captured = capsys.readouterr()
    assert "pip install grad-cam" in captured.err
    assert "GradCAM " not in captured.out
    assert "1 comparisons" in captured.out


def test_invalid_arguments_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "multiple of 32" in refused(capsys, "--size", 100)
    assert "grad_cam" in refused(capsys, "--method", "gradcam")
    assert "choose from" in refused(capsys, "--method", "rise")
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    assert "--model" in refused(capsys)
