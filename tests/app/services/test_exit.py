"""The process ends in good order while threads of its services still compute."""

import subprocess
import sys

import pytest

COMPUTE = """
import time
import torch
from cxrbench.app.services import background_tasks, map_jobs

def products():
    values = torch.ones(400, 400)
    while True:
        values = values @ values / 400
        yield "values", values

def work(task):
    for _ in products():
        task.progress("products", 1, 2)
"""
STARTS = {
    "queue": "map_jobs.QUEUE.submit('key', products)",
    "tasks": "background_tasks.tasks().start('key', work)",
}


@pytest.mark.parametrize("service", STARTS)
def test_a_process_ends_in_good_order_while_a_thread_computes(service: str) -> None:
    code = f"{COMPUTE}\n{STARTS[service]}\ntime.sleep(1)"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr[-2000:]
