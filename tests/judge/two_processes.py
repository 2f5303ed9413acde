"""Judge small films, under torchrun or alone: ``torchrun --nproc_per_node 2 two_processes.py FOLDER [fail]``.

With ``fail`` the second process fails at its first film.
"""

import os
import sys
from pathlib import Path

from cxrbench.labels import CHEXPERT
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing
from cxrbench.workflows import judge as workflow
from cxrbench.workflows.judge import JudgeSettings, judge

SETTINGS = JudgeSettings(films=5, methods=("grad_cam", "random"), criteria=("hit", "single_deletion"))


def models() -> dict[str, Classifier]:
    """One model with random weights, the same in every process."""
    model = create("efficientnet_b0", CHEXPERT, preprocessing=Preprocessing(size=64), seed=3)
    return {"small": model.requires_grad_(False)}


def fail(*arguments: object, **options: object) -> None:
    """Stand in for ``judge_phantom`` in a process that fails."""
    raise MemoryError("no memory left")


if __name__ == "__main__":
    setattr(workflow, "SIZE", 96)  # noqa: B010, a constant
    if "fail" in sys.argv and os.environ["RANK"] == "1":
        setattr(workflow, "judge_phantom", fail)  # noqa: B010, imported there
    judge(Path(sys.argv[1]), models(), SETTINGS)
