"""Threads that share one model get the bits of one thread, and leave the model as it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("shared_model.py")


ARCHITECTURES = ("efficientnet_b0", "densenet121", "swin_tiny", "vit_tiny")


@pytest.mark.slow
def test_eight_threads_on_one_model_get_the_bits_of_one():
    # A process of its own: a crash of native code is then a failure of this test, not the end of the run. It
    # names every architecture that it has done with.
    done = subprocess.run(
        [sys.executable, "-W", "error", str(SCRIPT), *ARCHITECTURES],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [f"{name} 48 jobs bit-equal" for name in ARCHITECTURES]
