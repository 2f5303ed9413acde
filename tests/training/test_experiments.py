"""The experiments' report, on made-up scores whose order is known, and one arm of each kind, in miniature."""

import json
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import torch

from cxrbench.labels import CHEXPERT
from cxrbench.metrics import ranking
from train import arms, experiments


def tables(root: Path, counts: dict[str, int]) -> arms.ExperimentData:
    """A synthetic data set: random images, and findings frequent enough that every metric is defined."""
    rng = np.random.default_rng(0)
    rate = np.linspace(0.6, 0.25, 14)
    rate[12] = 0.1
    every = []
    for split, count in counts.items():
        truth = (rng.random((count, 14)) < rate).astype(float)
        seen = np.where(rng.random(truth.shape) < 0.2, -1.0, truth) if split == "train" else truth
        for index, row in enumerate(seen):
            path = f"{split}/patient{index:05}/study1/view1_frontal.png"
            (root / path).parent.mkdir(parents=True)
            cv2.imwrite(str(root / path), rng.integers(0, 256, (64, 64), dtype=np.uint8))
            about = {"Path": path, "Sex": "Female", "Age": 50, "Frontal/Lateral": "Frontal", "AP/PA": "PA"}
            every.append({**about, **dict(zip(CHEXPERT, row, strict=True)), "Split": split})
            every[-1]["truth"] = dict(zip(CHEXPERT, truth[index], strict=True))
        rows = pd.DataFrame([row for row in every if row["Split"] == split]).drop(columns=["Split", "truth"])
        rows.to_csv(root / f"{split}.csv", index=False)
    certain = pd.DataFrame([{**row, **row["truth"]} for row in every]).drop(columns=["Split", "truth"])
    certain.to_csv(root / "truth.csv", index=False)
    return arms.ExperimentData(root, root / "out")


def test_the_report_states_which_arm_is_better_and_by_how_much(tmp_path: Path) -> None:
    bench = tables(tmp_path, {"train": 80, "valid": 5, "test": 150})
    known, rng = bench.targets("test"), np.random.default_rng(1)
    noise = rng.normal(size=(2, *known.shape))
    for name in arms.ARMS:
        for seed in range(2):
            pull = {"ones": 3.0, "zeros": 0.2, "focal": 3.0}.get(name, 1.0)
            file = arms.scores_file(bench, name, seed)
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, known * pull + noise[seed])
    (bench.out / "runs.jsonl").write_text(json.dumps({"core_seconds": 60.0}) + "\n")
    text = experiments.page(bench, 3)
    assert "seeds run: 2" in text
    uncertain, imbalance = text.split("## Imbalance")
    assert "Better: U-Ones. Worse: U-Zeros." in uncertain
    assert "Better: focal loss. Worse: none." in imbalance
    expected = np.mean([ranking.auroc(known, known * 3 + noise[seed]).mean() for seed in range(2)])
    row = next(line for line in uncertain.splitlines() if line.startswith("| U-Ones |"))
    assert f"{expected:.3f}" in row
    same = next(line for line in uncertain.splitlines() if line.startswith("| U-MultiClass |"))
    assert "+0.000 (+0.000 to +0.000)" in same


@pytest.mark.slow
def test_an_arm_of_each_kind_runs_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(arms, "EPOCHS", 2)
    bench = tables(tmp_path, {"train": 40, "valid": 20, "test": 20})
    for name in ("self-trained", "conditional", "balanced", "ml-smote"):
        arms.run(bench, arms.ARMS[name], 0)
        scores = np.load(arms.scores_file(bench, name, 0))
        assert scores.shape == (20, 14)
        assert ((scores >= 0) & (scores <= 1)).all()
    ran = [json.loads(line)["arm"] for line in capsys.readouterr().out.splitlines()]
    assert sorted(ran) == sorted({*ran})
    assert {"ignore", "truth"} <= {*ran}  # those that others begin with
    arms.run(bench, arms.ARMS["balanced"], 0)
    assert not capsys.readouterr().out


def test_the_seed_determines_the_network() -> None:
    state = torch.get_rng_state()
    first, again, other = arms.small(0), arms.small(0), arms.small(1)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(next(first.parameters()), next(other.parameters()))
    assert first(torch.zeros(2, 1, 64, 64)).shape == (2, 14)


def test_the_reference_arms_exist() -> None:
    for experiment, base in experiments.AGAINST.items():
        found = [arm.name for arm in experiments.arms_of(experiment)]
        assert found[0] == base
        assert len(found) == len({*found}) > 5
