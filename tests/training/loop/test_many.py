"""Several processes compute what one process computes."""

import copy
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from timm.layers.norm_act import BatchNormAct2d
from torch import nn

from cxrbench.training.loop.sync_batchnorm import SharedBatchNorm2d, share_norms

# Weights after 15 steps of AdamW, which divides by the gradient's size and so lets rounding grow.
TOLERANCE = 1e-4
# Scores of the same weights on the same images in batches of other sizes, in single precision.
ROUNDING = 1e-6


@pytest.fixture(scope="module")
def script(root: Path) -> Path:
    return root / "tests" / "training" / "loop" / "two_processes.py"


@pytest.fixture(scope="module")
def alone(script: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    spec = importlib.util.spec_from_file_location("two_processes", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: dict[str, Any] = module.train(tmp_path_factory.mktemp("alone"), exact=True)
    return made


@pytest.fixture(scope="module")
def together(root: Path, script: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    out = tmp_path_factory.mktemp("together")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, script, out, "exact"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [torch.load(out / f"made{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.slow
def test_two_processes_train_the_same_weights_as_one(
    alone: dict[str, Any], together: list[dict[str, Any]]
) -> None:
    assert together[0]["processes"] == 2
    for name, value in alone["best"].items():
        assert torch.allclose(value, together[0]["best"][name], atol=TOLERANCE, rtol=0), name
    assert together[0]["losses"] == pytest.approx(alone["losses"], abs=1e-5)
    assert torch.allclose(alone["scores"], together[0]["scores"], atol=TOLERANCE)


@pytest.mark.slow
def test_scores_are_gathered_without_duplicates_in_the_order_of_the_images(
    together: list[dict[str, Any]],
) -> None:
    for made in together:
        assert made["scores"].shape == (23, 3)
        # Shared out, the batches are other ones, and so are the kernels' last bits.
        assert torch.allclose(made["scores"], made["alone"], atol=ROUNDING, rtol=0)
        # No two images have scores as alike as that, so a row that came twice or elsewhere would be seen.
        assert torch.pdist(made["scores"]).min() > 10 * ROUNDING
    assert torch.equal(together[0]["scores"], together[1]["scores"])  # what is gathered is copied


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(3), BatchNormAct2d(3)])
def test_alone_a_shared_norm_is_the_norm(norm: nn.BatchNorm2d) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), norm)
    ours = share_norms(copy.deepcopy(model))
    assert isinstance(ours, nn.Sequential)
    assert isinstance(ours[1], SharedBatchNorm2d)
    assert list(ours.state_dict()) == list(model.state_dict())
    x = torch.randn(4, 1, 7, 7)
    assert torch.equal(ours(x), model(x))
    for name, value in model.state_dict().items():  # the running statistics, too, have moved alike
        assert torch.equal(ours.state_dict()[name], value), name
    assert torch.equal(ours.eval()(x), model.eval()(x))


def test_shared_norms_hold_the_same_parameters_and_mode() -> None:
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3, affine=False).eval(), nn.BatchNorm2d(3))
    before = dict(model.named_parameters()) | dict(model.named_buffers())
    ours = share_norms(model)
    after = dict(ours.named_parameters()) | dict(ours.named_buffers())
    assert before.keys() == after.keys()
    assert all(after[name] is value for name, value in before.items())
    assert [module.training for module in ours.children()] == [True, False, True]


def test_the_shared_formula_is_pytorchs_on_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    from cxrbench.training.loop import sync_batchnorm

    monkeypatch.setattr(torch.distributed, "all_reduce", lambda value: None)
    torch.manual_seed(0)
    ours, theirs = share_norms(nn.BatchNorm2d(3).double()), nn.BatchNorm2d(3).double()
    assert isinstance(ours, nn.BatchNorm2d)
    x = torch.randn(4, 3, 5, 5, dtype=torch.float64)
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    weight = torch.randn_like(x)
    (sync_batchnorm._normalised(ours, a) * weight).sum().backward()
    (theirs(b) * weight).sum().backward()
    # The norm computes in single precision, whatever it is given.
    for one, other, tolerance in ((a, b, 1e-5), (ours.weight, theirs.weight, 1e-4)):
        assert one.grad is not None
        assert other.grad is not None
        assert torch.allclose(one.grad, other.grad, atol=tolerance)
    for name, value in theirs.state_dict().items():
        assert torch.allclose(ours.state_dict()[name].double(), value.double(), atol=1e-5), name
