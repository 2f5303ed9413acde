"""Threads that share one model get the bits of one thread, and leave the model as it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("shared_model.py")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["efficientnet_b0", "densenet121", "swin_tiny", "vit_tiny"])
def test_eight_threads_on_one_model_get_the_bits_of_one(architecture):
    # A process of its own: a crash of native code is then a failure of this test, not the end of the run.
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), architecture],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["48", "jobs", "bit-equal"]
