"""Several processes judge what one process judges, and none waits for one that failed."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from cxrbench.workflows import judge as workflow
from cxrbench.workflows.judge_folder import JudgeFolder


def touch(folder: JudgeFolder, number: int) -> None:
    for model in folder.models:
        path = folder.film(model, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_process_that_is_done_takes_over_what_others_have_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = JudgeFolder(tmp_path, ["a", "b"], {})
    shares = [range(0, 8, 2), range(1, 8, 2)]
    touch(folder, 2)
    judged = []
    for number in workflow._order(folder, shares, 0, waits=False):
        judged.append(number)
        touch(folder, number)
    assert judged == [0, 4, 6, 7, 5, 3]  # film 1 is the one that the other process is on
    monkeypatch.setattr(workflow, "_PATIENCE", 0.0)
    assert list(workflow._order(folder, shares, 1, waits=False)) == [1]
    left = workflow._order(folder, shares, 0, waits=True)
    assert next(left) == 1  # its process has failed
    touch(folder, 1)
    assert not list(left)


@pytest.mark.slow
def test_two_processes_judge_as_one_does_and_a_failed_one_stops_both(root: Path, tmp_path: Path) -> None:
    script, out = root / "tests" / "judge" / "two_processes.py", tmp_path / "out"
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}

    def launch(*command: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *map(str, command)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,  # against a process that waits forever
        )

    two = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", script)
    failed = launch(*two, out, "fail")
    assert failed.returncode != 0
    assert "no memory left" in failed.stderr
    assert not (out / "judged.parquet").exists()
    for command in ((*two, out), (script, tmp_path / "alone")):
        done = launch(*command)
        assert done.returncode == 0, done.stderr
    together, alone = (pd.read_parquet(folder / "judged.parquet") for folder in (out, tmp_path / "alone"))
    pd.testing.assert_frame_equal(together, alone, atol=1e-5)
