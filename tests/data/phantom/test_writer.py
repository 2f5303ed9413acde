"""A phantom data set in CheXpert's layout."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from cxrbench.data.chexpert import read_chexpert
from cxrbench.data.phantom import FINDINGS, holds_phantoms, plan, read_masks, render, write
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT, HIERARCHY

RECIPE: dict[str, Any] = {"patients": 8, "seed": 3, "size": 64, "fractions": (0.5, 0.2, 0.3)}


def digests(root: Path) -> dict[str, str]:
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in root.rglob("*")
        if file.is_file()
    }


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("tree") / "out", **RECIPE, workers=1)


def test_the_same_seed_gives_the_same_bytes_with_any_number_of_workers(tree: Path, tmp_path: Path) -> None:
    assert digests(write(tmp_path / "again", **RECIPE, workers=2)) == digests(tree)


def test_an_interrupted_run_is_resumed(tree: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out", **RECIPE, workers=1, progress=stop)
    assert not (tmp_path / "out" / "train.csv").exists()
    kept = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("*.png")}
    write(tmp_path / "out", **RECIPE, workers=1, progress=lambda done, total: seen.append((done, total)))
    assert all(file.stat().st_mtime_ns == time for file, time in kept.items())
    assert digests(tmp_path / "out") == digests(tree)
    assert seen[-1][0] == seen[-1][1]


def test_the_tables_are_chexperts(tree: Path) -> None:
    for name in ("train", "valid", "test"):
        table = pd.read_csv(tree / f"{name}.csv")
        assert list(table)[:5] == ["Path", "Sex", "Age", "Frontal/Lateral", "AP/PA"]
        assert tuple(table)[5:] == CHEXPERT
        studies = read_chexpert(tree / f"{name}.csv")
        assert len(studies.table) == len(table)
        assert studies.labels == CHEXPERT
        assert set(studies.table["view"]) <= {"frontal", "lateral"}


def test_a_folder_is_known_to_hold_phantoms(tree: Path, tmp_path: Path) -> None:
    assert holds_phantoms(tree)
    assert not holds_phantoms(tmp_path)


def test_a_lateral_has_the_labels_of_its_study_and_no_projection(tree: Path) -> None:
    tables = [pd.read_csv(tree / f"{name}.csv") for name in ("train", "valid", "test")]
    films = pd.concat(tables).set_index("Path")
    laterals = films[films["Frontal/Lateral"] == "Lateral"]
    assert len(laterals)
    assert laterals["AP/PA"].isna().all()
    assert films.drop(laterals.index)["AP/PA"].isin(["AP", "PA"]).all()
    for path, row in laterals.iterrows():
        assert isinstance(path, str)
        assert path.endswith("/view2_lateral.png")
        frontal = films.loc[path.replace("view2_lateral", "view1_frontal")]
        same = ["Sex", "Age", *CHEXPERT]
        assert isinstance(frontal, pd.Series)
        assert row[same].equals(frontal[same])


def test_as_many_studies_have_a_lateral_as_in_chexpert_and_more_of_those_taken_standing() -> None:
    studies = plan(4000, seed=2, fractions=(1, 0, 0))
    share = np.mean([study.lateral for study in studies])
    assert share == pytest.approx(32_387 / 187_641, abs=0.02)
    by_view = {
        view: np.mean([study.lateral for study in studies if study.view == view]) for view in ("PA", "AP")
    }
    assert by_view["PA"] > 5 * by_view["AP"]
    assert any(study.lateral for study in plan(60, seed=2, fractions=(0, 0, 1)))


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "from cxrbench.data.phantom import write\n"
        "if __name__ == '__main__':\n"
        f"    write({str(tmp_path / 'out')!r}, patients=200, size=64, workers=2)\n"
    )
    (tmp_path / "long.py").write_text(code)
    parent = subprocess.Popen([sys.executable, str(tmp_path / "long.py")])
    try:
        _until(lambda: len(list((tmp_path / "out").rglob("*.png"))) > 1)
        families = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        workers = [int(pid) for pid in families.read_text().split()]
        assert len(workers) >= 2
    finally:
        parent.kill()
        parent.wait()
    _until(lambda: not any(_alive(pid) for pid in workers))


def _until(true: Callable[[], bool], seconds: int = 120) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


def _alive(pid: int) -> bool:
    """Whether a process is running; a zombie is not."""
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_valid_and_test_are_certain_and_closed_and_equal_the_truth(tree: Path) -> None:
    truth = pd.read_csv(tree / "truth.csv").set_index("Path")
    for name in ("valid", "test"):
        table = pd.read_csv(tree / f"{name}.csv").set_index("Path")
        labels = table[list(CHEXPERT)]
        assert labels.isin([0.0, 1.0]).all(axis=None)
        assert labels.equals(truth.loc[labels.index, list(CHEXPERT)])
        for child, parent in HIERARCHY.items():
            assert (table[child] <= table[parent]).all()


def test_pictures_masks_severities_and_boxes_are_those_of_the_study(tree: Path) -> None:
    truth = pd.read_csv(tree / "truth.csv")
    studies = plan(8, seed=3, fractions=(0.5, 0.2, 0.3))
    films = [(study, film) for study in studies for film in study.films]
    assert {film.view for _, film in films} == {"PA", "AP", "LATERAL"}
    for (_, row), (study, film) in zip(truth.iterrows(), films, strict=True):
        shot = render(study.seed, study.findings, view=film.view, size=64, exposure=study.number)
        stored = cv2.imread(str(tree / film.path), cv2.IMREAD_UNCHANGED)
        assert stored is not None
        assert stored.dtype == np.uint8
        assert np.abs(stored / 255 - shot.image).max() <= 0.5 / 255 + 1e-6
        masks = read_masks(tree / "masks" / film.path)
        assert set(masks) == {name for name, mask in shot.masks.items() if mask.any()}
        assert all(np.array_equal(mask, shot.masks[name]) for name, mask in masks.items())
        assert {name: tuple(edges) for name, edges in json.loads(row["Boxes"]).items()} == shot.boxes
        for name in FINDINGS:
            assert row[f"Severity {name}"] == pytest.approx(study.findings.get(name, np.nan), nan_ok=True)


def test_patients_are_in_one_split_and_training_patients_have_several_studies() -> None:
    studies = plan(300, seed=1)
    sides: dict[int, set[str]] = {}
    for study in studies:
        sides.setdefault(study.patient, set()).add(study.split)
    assert all(len(splits) == 1 for splits in sides.values())
    train = [study for study in studies if study.split == "train"]
    assert 2.3 < len(train) / len({study.patient for study in train}) < 3.5
    assert len({study.seed for study in train}) == len({study.patient for study in train})


def test_a_patient_does_not_depend_on_how_many_there_are() -> None:
    few, many = plan(5, seed=2, fractions=(1, 0, 0)), plan(50, seed=2, fractions=(1, 0, 0))
    assert repr(many[: len(few)]) == repr(few)  # NaN does not equal itself


def test_another_recipe_or_other_files_are_refused(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="other settings"):
        write(tree, patients=11, workers=1)
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(InputError, match="other files"):
        write(tmp_path, patients=2, workers=1)


def test_a_table_that_was_changed_is_kept_unless_forced(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(tree, out)
    changed = (out / "test.csv").read_text() + "a row of mine\n"
    (out / "test.csv").write_text(changed)
    with pytest.raises(InputError, match=r"test\.csv exists already.*--force"):
        write(out, **RECIPE, workers=1)
    assert (out / "test.csv").read_text() == changed
    write(out, **RECIPE, workers=1, force=True)
    assert digests(out) == digests(tree)


def test_forced_over_other_phantoms_no_old_film_is_taken_for_a_new_one(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(tree, out)
    (out / "letter.txt").write_text("dear")
    few = {**RECIPE, "patients": 2, "seed": 4}
    write(out, **few, workers=1, force=True)
    fresh = digests(write(tmp_path / "fresh", **few, workers=1))
    forced = digests(out)
    assert forced.pop("letter.txt")
    forced = {name: digest for name, digest in forced.items() if name in fresh or name.endswith(".png")}
    assert forced == fresh


def test_a_file_that_is_no_mask_is_refused(tree: Path) -> None:
    with pytest.raises(InputError, match="16-bit mask"):
        read_masks(next((tree / "train").rglob("*.png")))
