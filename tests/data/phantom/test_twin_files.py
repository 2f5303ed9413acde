"""Twins of a data set's test films on disk."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from cxrbench.cli.phantom import _concentrations
from cxrbench.data import read_chexpert
from cxrbench.data.phantom import MARKER, Shortcut, plan, read_twins, render, twin, write
from cxrbench.errors import InputError
from cxrbench.labels import HIERARCHY

RECIPE: dict[str, Any] = {
    "patients": 6,
    "seed": 3,
    "size": 64,
    "fractions": (0.2, 0.2, 0.6),
    "shortcuts": (Shortcut("hospital", "Edema", 0.9, 0.5),),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("tree") / "out", **RECIPE, workers=1, twins=True)


def test_every_test_film_has_a_twin_for_each_of_its_parts(tree: Path) -> None:
    twins = read_twins(tree)
    films = pd.read_csv(tree / "test.csv")["Path"].str.partition("/")[2]
    assert set(twins["film"]) <= {str(tree / path) for path in films}
    studies = {film.path: study for study in plan(**_planned()) for film in study.films}
    for film, group in twins.groupby("film"):
        study = studies[Path(str(film)).relative_to(tree).as_posix()]
        assert {*study.findings, *study.shortcuts} <= set(group["removed"])
        assert set(group["removed"]) <= {*study.findings, *study.shortcuts, MARKER}
    assert all(Path(path).is_file() for path in twins["twin"])
    assert not list((tree / "twins").glob("train/**/*.png"))
    assert not twins.duplicated(["film", "removed"]).any()


def _planned() -> dict[str, Any]:
    return {name: RECIPE[name] for name in ("patients", "seed", "fractions", "shortcuts")}


def test_a_twin_on_disk_is_the_rendered_one_in_eight_bits(tree: Path) -> None:
    twins = read_twins(tree)
    row = twins[twins["removed"].isin(HIERARCHY)].iloc[0]
    path = Path(row["film"]).relative_to(tree).as_posix()
    films = [(study, film) for study in plan(**_planned()) for film in study.films]
    study, film = next((study, film) for study, film in films if film.path == path)
    phantom = render(
        study.seed,
        study.findings,
        view=film.view,
        size=64,
        exposure=study.number,
        shortcuts=study.shortcuts,
    )
    pair = twin(phantom, without=(row["removed"],))
    stored = cv2.imread(row["twin"], cv2.IMREAD_GRAYSCALE)
    assert stored is not None
    assert np.array_equal(stored, np.rint(pair.phantom.image * 255))
    assert set(row["absent"]) == set(pair.absent)
    assert row["inside"] / row["outside"] == pytest.approx(pair.concentration, rel=0.2)  # in 8 bits


def test_twins_are_a_data_set_whose_labels_lack_what_was_removed(tree: Path) -> None:
    studies = read_chexpert(tree / "twins.csv")
    assert not studies.notes
    twins = read_twins(tree)
    assert studies.table["path"].tolist() == twins["twin"].tolist()
    for (_, labels), absent in zip(studies.table.iterrows(), twins["absent"], strict=True):
        assert all(labels[name] == 0 for name in absent)
        assert labels["patient"].startswith("patient")


def test_twins_can_be_added_later_and_what_is_missing_is_rendered_again(tree: Path, tmp_path: Path) -> None:
    out = write(tmp_path / "out", **RECIPE, workers=1)
    with pytest.raises(InputError, match="write them with cxrbench phantom --twins"):
        read_twins(out)
    write(out, **RECIPE, workers=1, twins=True)
    table = (out / "twins.csv").read_bytes()
    assert table == (tree / "twins.csv").read_bytes()
    first, *others = map(Path, read_twins(out)["twin"])
    content, times = first.read_bytes(), [path.stat().st_mtime_ns for path in others]
    first.unlink()
    write(out, **RECIPE, workers=1, twins=True)
    assert first.read_bytes() == content
    assert [path.stat().st_mtime_ns for path in others] == times
    assert (out / "twins.csv").read_bytes() == table


def test_twins_of_another_data_set_are_removed_with_its_films(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(tree, out)
    write(out, **{**RECIPE, "patients": 3, "shortcuts": ()}, workers=1, twins=True, force=True)
    assert set(map(str, (out / "twins").rglob("*.png"))) == set(read_twins(out)["twin"])


def test_the_command_says_how_far_each_change_lies_in_its_mask(tree: Path) -> None:
    head, columns, *lines = _concentrations(read_twins(tree)).splitlines()
    assert "inside the mask of what is removed, and outside" in head
    assert columns.split() == ["twins", "inside", "outside", "ratio"]
    ratios = {line[: columns.index("  twins")].strip(): float(line.split()[-1]) for line in lines}
    assert {"hospital", MARKER} <= set(ratios)
    assert min(ratios.values()) > 5
