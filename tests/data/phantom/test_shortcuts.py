"""Markers on the film that correlate with a finding without being part of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxrbench.data.phantom import KINDS, Shortcut, plan, read_masks, read_shortcut, render, write
from cxrbench.errors import InputError


@pytest.mark.parametrize("kind", KINDS)
def test_a_shortcut_changes_the_film_where_its_mask_says_and_nothing_of_the_patient(kind: str) -> None:
    plain, planted = (
        render(4, {"Edema": 0.5}, size=160),
        render(4, {"Edema": 0.5}, size=160, shortcuts=[kind]),
    )
    assert np.array_equal(plain.attenuation, planted.attenuation)
    assert np.array_equal(plain.masks["Edema"], planted.masks["Edema"])
    assert np.array_equal(np.abs(planted.image - plain.image) > 0.02, planted.shortcuts[kind])
    assert planted.shortcuts[kind].any()
    assert not plain.shortcuts


def test_a_shortcut_follows_its_finding_at_the_chosen_rates() -> None:
    with_finding: list[bool] = []
    without: list[bool] = []
    for study in plan(1500, seed=1, shortcuts=[Shortcut("hospital", "Pleural Effusion", 0.9, 0.1)]):
        side = with_finding if "Pleural Effusion" in study.findings else without
        side.append("hospital" in study.shortcuts)
    assert np.mean(with_finding) == pytest.approx(0.9, abs=0.03)
    assert np.mean(without) == pytest.approx(0.1, abs=0.03)


def test_moving_the_marker_changes_no_patient() -> None:
    trees = [plan(60, seed=1, shortcuts=[Shortcut("tint", "Edema", *rates)]) for rates in ((1, 0), (0, 1))]
    for one, other in zip(*trees, strict=True):
        assert (one.seed, one.view, one.findings) == (other.seed, other.view, other.findings)
        assert set(one.shortcuts) ^ set(other.shortcuts) == {"tint"}
    assert [s.findings for s in plan(60, seed=1)] == [s.findings for s in trees[0]]


def test_the_tree_stores_presence_and_masks_of_shortcuts(tmp_path: Path) -> None:
    rule = [Shortcut("letter", "Support Devices", 1, 0), Shortcut("hospital", "Edema", 1, 0)]
    root = write(tmp_path / "out", patients=6, seed=3, size=96, workers=1, shortcuts=rule)
    for _, row in pd.read_csv(root / "truth.csv").iterrows():
        assert row["Shortcut letter"] == row["Support Devices"]
        assert row["Shortcut hospital"] == row["Edema"]
        masks = read_masks(root / "masks" / row["Path"].split("/", 1)[1])
        assert ("Shortcut" in masks) == bool(row["Shortcut letter"] or row["Shortcut hospital"])
    with pytest.raises(InputError, match="other settings"):
        write(tmp_path / "out", patients=6, seed=3, size=96, workers=1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Shortcut("sticker", "Edema"), "choose from: hospital"),
        (lambda: Shortcut("letter", "Hiccups"), "choose from: No Finding"),
        (lambda: Shortcut("letter", "Edema", rate=2), r"\[0, 1\]"),
        (lambda: render(0, size=96, shortcuts=["sticker"]), "choose from: hospital"),
    ],
)
def test_an_invalid_shortcut_is_refused_in_one_sentence(make: Callable[..., Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()


def test_a_shortcut_is_parsed_from_the_command_lines_form() -> None:
    assert read_shortcut("hospital:pleural_effusion:0.9") == Shortcut(
        "hospital", "Pleural Effusion", 0.9, 0.02
    )
    assert read_shortcut("tint: Edema :1:0") == Shortcut("tint", "Edema", 1, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hospital", "is written KIND:FINDING:RATE"),
        ("hospital:Edema:often", "numbers from 0 to 1"),
        ("hospital:Edema:1.5", r"\[0, 1\]"),
        ("hospital:Edema:nan", r"\[0, 1\]"),
        ("hospital:Edema:1:0:0", "is written KIND:FINDING:RATE"),
        ("sticker:Edema:1", "choose from: hospital, electrode, letter, tint"),
        ("hospital:Hiccups:1", "choose from: No Finding"),
    ],
)
def test_another_form_of_a_shortcut_is_refused_with_the_expected_one(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_shortcut(text)
