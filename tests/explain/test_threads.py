"""Threads that share one model give the same bits as one thread, and do not change the model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxrbench.explain import METHODS
from cxrbench.labels import CHEXPERT
from cxrbench.models import create

SCRIPT = Path(__file__).with_name("shared_model.py")


NAMES = ("efficientnet_b0", "densenet121", "swin_tiny", "vit_tiny")
IMAGES = 3  # as in the script


@pytest.mark.slow
def test_eight_threads_on_one_model_give_the_same_bits_as_one() -> None:
    # A process of its own: a crash of native code then fails this test instead of ending the run. It prints
    # each architecture when it is done.
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), *NAMES],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    models = [create(name, CHEXPERT) for name in NAMES]
    counts = [sum(record.supports(model) is None for record in METHODS.values()) for model in models]
    lines = [f"{name} {IMAGES * count} jobs bit-equal" for name, count in zip(NAMES, counts, strict=True)]
    assert done.stdout.splitlines() == lines
