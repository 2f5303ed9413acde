"""``cxrbench judge``: a run that can stop and go on, its table, and its summary."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxrbench.cli.parser import main
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing
from cxrbench.workflows import judge as workflow
from cxrbench.workflows.judge import JudgeSettings, judge
from cxrbench.workflows.judge_summary import summary

SETTINGS = JudgeSettings(films=2, methods=("grad_cam", "random"), criteria=("hit", "single_deletion"))


@pytest.fixture(scope="module")
def models() -> dict[str, Classifier]:
    model = create("efficientnet_b0", CHEXPERT, preprocessing=Preprocessing(size=64), seed=3)
    return {"small": model.requires_grad_(False)}


@pytest.fixture(autouse=True)
def _small_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workflow, "SIZE", 96)


def table(out: Path, models: dict[str, Classifier], settings: JudgeSettings, **options: Any) -> pd.DataFrame:
    assert judge(out, models, settings, **options) is not None
    return pd.read_parquet(out / "judged.parquet")


def test_a_run_that_was_stopped_goes_on_where_it_stopped(
    tmp_path: Path, models: dict[str, Classifier]
) -> None:
    counts: list[tuple[int, int]] = []
    first = table(tmp_path / "out", models, SETTINGS, progress=lambda *count: counts.append(count))
    assert counts == [(0, 2), (1, 2), (2, 2)]
    films = sorted((tmp_path / "out" / "films" / "small").iterdir())
    assert len(films) == 2
    times = [path.stat().st_mtime_ns for path in films]
    films[1].unlink()
    again = table(tmp_path / "out", models, SETTINGS)
    assert films[0].stat().st_mtime_ns == times[0]
    pd.testing.assert_frame_equal(first, again)
    assert set(first["method"]) == {"grad_cam", "random"}
    assert first.groupby(["film", "finding", "method", "criterion"]).size().max() == 1
    assert (first.groupby("film")["finding"].nunique() >= 3).all()


def test_films_can_be_added_and_other_settings_are_refused(
    tmp_path: Path, models: dict[str, Classifier]
) -> None:
    out = tmp_path / "out"
    one = table(out, models, JudgeSettings(**{**vars(SETTINGS), "films": 1}))
    two = table(out, models, SETTINGS)
    pd.testing.assert_frame_equal(two.iloc[: len(one)], one)
    other = JudgeSettings(**{**vars(SETTINGS), "criteria": ("hit",)})
    with pytest.raises(InputError, match=r"results of other settings \(criteria\)"):
        judge(out, models, other)
    assert set(table(out, models, other, force=True)["criterion"]) == {"hit"}


def test_files_of_others_are_not_touched(tmp_path: Path, models: dict[str, Classifier]) -> None:
    (tmp_path / "summary.csv").write_text("mine")
    with pytest.raises(InputError, match=r"summary\.csv"):
        judge(tmp_path, models, SETTINGS)
    film = tmp_path / "films" / "small" / "00000.parquet"
    film.parent.mkdir(parents=True)
    film.write_text("mine as well")
    with pytest.raises(InputError, match=r"of which judge\.json is missing"):
        judge(tmp_path, models, SETTINGS)
    (tmp_path / "judge.json").write_text("no JSON")
    with pytest.raises(InputError, match=r"of which judge\.json is missing"):
        judge(tmp_path, models, SETTINGS)
    assert {path.read_text() for path in tmp_path.rglob("*") if path.is_file()} == {
        *("mine", "mine as well", "no JSON")
    }


def test_methods_that_do_not_apply_are_named_once_and_have_no_rows(
    tmp_path: Path, models: dict[str, Classifier]
) -> None:
    said: list[str] = []
    methods = ("legrad", "guided_backprop", "edges")
    settings = JudgeSettings(films=2, methods=methods, criteria=("hit",))
    both = {**models, "other": models["small"]}
    rows = table(tmp_path / "out", both, settings, say=said.append)
    assert set(rows["method"]) == {"edges"}
    assert set(rows["model"]) == {"small", "other"}
    assert len(said) == 2
    assert said[0].startswith("small: 2 of 3 methods do not apply: LeGrad (")
    with pytest.raises(InputError, match="None of the methods"):
        judge(tmp_path / "none", models, JudgeSettings(films=1, methods=("legrad",), criteria=("hit",)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"criteria": ("hits",)}, "hits"),
        ({"only": ("Broken heart",)}, "Unknown finding"),
        ({"shortcut": "logo"}, "Unknown shortcut"),
        ({"methods": ("gradcam",)}, "Unknown method"),
        ({"films": 0}, "At least one film"),
        ({"findings": 12}, "There are"),
    ],
)
def test_invalid_settings_are_refused_before_anything_is_written(
    tmp_path: Path, models: dict[str, Classifier], change: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        judge(tmp_path / "out", models, JudgeSettings(**{**vars(SETTINGS), **change}))
    assert not (tmp_path / "out").exists()


def by_method(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(summary(table).to_json(orient="records"))
    return {row["method"]: row for row in rows}


def test_the_summary_is_the_mean_over_films_of_the_mean_over_findings() -> None:
    values = {"a": [1.0, 0.0, 1.0], "random": [0.0, math.nan, 0.5]}
    table = pd.DataFrame(
        [
            {"model": "m", "film": film, "patient": film, "method": method, "finding": finding}
            | {"criterion": "hit", "value": value, "best": 1.0}
            for method, column in values.items()
            for (film, finding), value in zip([(1, "x"), (1, "y"), (2, "x")], column, strict=True)
        ]
    )
    rows = by_method(table)
    assert rows["a"]["mean"] == pytest.approx((0.5 + 1) / 2)
    assert rows["random"]["mean"] == pytest.approx((0 + 0.5) / 2)
    assert rows["a"]["gain"] == pytest.approx(0.5)
    assert rows["random"]["gain"] == 0
    assert rows["a"]["films"] == 2
    without = summary(table[table["method"] == "a"])
    assert without["gain"].isna().all()


def test_an_interval_that_excludes_zero_is_found_for_a_method_that_is_always_better() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        [
            {"model": "m", "film": film, "patient": film, "method": method, "finding": "x"}
            | {"criterion": "hit", "value": rng.random() + shift, "best": math.nan}
            for film in range(40)
            for method, shift in (("a", 1.0), ("b", 0.0), ("random", 0.0))
        ]
    )
    rows = by_method(table)
    assert rows["a"]["gain_low"] > 0.5
    assert rows["b"]["gain_low"] < 0 < rows["b"]["gain_high"]


def test_the_command_prints_a_table_and_writes_it(
    tmp_path: Path,
    models: dict[str, Classifier],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = models["small"]
    monkeypatch.setattr("cxrbench.cli.judge.load", lambda source: model)
    out = tmp_path / "out"
    methods = ["--methods", "grad_cam", "random", "--criteria", "hit", "distractibility"]
    assert main(["judge", "--films", "1", "--out", str(out), *methods]) == 0
    shown = capsys.readouterr().out
    assert "grad_cam" in shown
    assert "distractibility" in shown
    assert json.loads((out / "judge.json").read_text())["methods"] == ["grad_cam", "random"]
    assert len(pd.read_csv(out / "summary.csv")) == 4
    assert main(["judge", "--films", "1", "--out", str(out), "--criteria", "hit"]) == 2
    assert "other settings" in capsys.readouterr().err
