"""Judging maps compared with Quantus; memory over many films; what a second process gains.

    python -m benchmarks.judge [--json FILE] [--maps 16] [--films 500] [--only quantus memory processes]

Quantus is no dependency. To compare with it, install it beside the project's environment, without its
dependencies, which the project has:

    python -m venv quantus-env
    echo "$PWD/.venv/lib/python3.11/site-packages" > quantus-env/lib/python3.11/site-packages/project.pth
    quantus-env/bin/pip install --no-deps quantus==0.6.0
    PYTHONPATH=$PWD quantus-env/bin/python -m benchmarks.judge

Both judge the same maps, at the size of the image, of the shipped EfficientNet-B0: class activation maps,
whose grid is coarse, and gradients. Times are those of the processor, one thread, the median of rounds in
turn. ``judge_vs_quantus`` is the geometric mean of the ratios; deletion is bound by the network's passes, of
which both need the same number.
``deletion`` and ``road`` change the same pixels by both; only the order of equal pixels differs.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from cxrbench.data.phantom.shipped import SIZE, held_out_studies
from cxrbench.explain import explain
from cxrbench.judge import (
    complexity,
    hit,
    noisy_linear,
    pixel_order,
    positive_part,
    rank_accuracy,
    relevance_mass,
    replacement_curve,
    sparseness,
)
from cxrbench.judge.films import JudgedFilm
from cxrbench.judge.judged_phantom import JudgedPhantom
from cxrbench.labels import CHEXPERT
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing
from cxrbench.workflows import judge as workflow
from cxrbench.workflows.judge import JudgeSettings, judge
from cxrbench.writing import write_text

ROUNDS: Final = 3
STEPS: Final = 8  # of deletion; Quantus takes divisors of the number of pixels
ROAD_SHARE: Final = 0.3  # of the pixels
SMALL: Final = JudgeSettings(
    findings=2, methods=("grad_cam", "random", "edges"), criteria=("hit", "relevance_mass", "rank_accuracy")
)


class Maps:
    """Maps of phantoms with their masks, as both libraries take them."""

    def __init__(self, count: int) -> None:
        self.model = hub.load(hub.available()["efficientnet_b0"]).requires_grad_(False)
        images, maps, masks, findings = [], [], [], []
        for study in held_out_studies():
            judged = JudgedPhantom(self.model, JudgedFilm(study.render(study.films[0], SIZE)))
            visible = [name for name in judged.findings if judged.own_masks[name].any()]
            if not visible:
                continue
            indices = [judged.findings[name] for name in visible]
            for explanation in explain(self.model, judged.image, indices, ["grad_cam", "saliency"]):
                images += [judged.image[0]] * len(visible)
                maps += list(explanation.relevance[0].numpy())
                masks += [judged.own_masks[name] for name in visible]
                findings += indices
            if len(maps) >= count:
                break
        self.images = torch.stack(images[:count])
        self.maps = np.stack(maps[:count]).astype(np.float64)
        self.masks = np.stack(masks[:count])
        self.findings = findings[:count]
        self.black = float(judged.baselines["black"].min())

    def logits(self, finding: int) -> Callable[[torch.Tensor], torch.Tensor]:
        """Images → logits of a finding."""
        return lambda images: self.model(images)[:, finding]


def ours(data: Maps) -> dict[str, Callable[[], np.ndarray]]:
    """Criterion → values of all maps by this library."""
    positive = positive_part(data.maps)
    size = int(np.prod(data.maps.shape[1:]))
    counts = [min(size, step * -(-size // STEPS)) for step in range(1, STEPS + 1)]
    removed = round(ROAD_SHARE * size)

    def deleted() -> np.ndarray:
        black = torch.full_like(data.images[0], data.black)
        curves = [
            replacement_curve(image, black, relevance, data.logits(finding), counts, seeds=1)
            for image, relevance, finding in zip(data.images, data.maps, data.findings, strict=True)
        ]
        return np.stack([curve.values for curve in curves])

    def imputed() -> np.ndarray:
        found = []
        for image, relevance in zip(data.images, data.maps, strict=True):
            gone = np.zeros(size, bool)
            gone[pixel_order(relevance)[:removed]] = True
            found.append(noisy_linear(image, gone.reshape(relevance.shape), noise=0.0).numpy())
        return np.array([image.mean() for image in found])

    def each(criterion: Callable[..., float], maps: np.ndarray) -> Callable[[], np.ndarray]:
        return lambda: np.array([criterion(one, mask) for one, mask in zip(maps, data.masks, strict=True)])

    return {
        "hit": each(hit, data.maps),
        "relevance_mass": each(relevance_mass, data.maps),
        "rank_accuracy": each(rank_accuracy, data.maps),
        "sparseness": lambda: np.array([sparseness(one) for one in positive]),
        "complexity": lambda: np.array([complexity(one) for one in positive]),
        "deletion": deleted,
        "road": imputed,
    }


def theirs(data: Maps) -> dict[str, Callable[[], np.ndarray]]:
    """Criterion → values of all maps by Quantus, at the settings that mean the same."""
    import quantus
    from quantus.functions.perturb_func import noisy_linear_imputation

    images, maps = data.images.numpy(), data.maps[:, None]
    positive, masks = positive_part(maps), data.masks[:, None]
    size = int(np.prod(data.maps.shape[1:]))
    removed = round(ROAD_SHARE * size)
    plain = {"abs": False, "normalise": False, "disable_warnings": True, "display_progressbar": False}

    def judged(metric: Any, values: np.ndarray, **more: Any) -> Callable[[], np.ndarray]:
        def run() -> np.ndarray:
            found = metric(
                model=data.model,
                x_batch=images,
                y_batch=np.array(data.findings),
                a_batch=values.copy(),
                s_batch=masks,
                softmax=False,
                device="cpu",
                batch_size=len(images),
                **more,
            )
            return np.array(found, float)

        return run

    def imputed() -> np.ndarray:
        orders = np.argsort(-maps.reshape(len(maps), -1), axis=1)[:, :removed]
        found = [
            noisy_linear_imputation(image.astype(float), order, noise=0.0)
            for image, order in zip(images, orders, strict=True)
        ]
        return np.array([image.mean() for image in found])

    flipping = quantus.PixelFlipping(features_in_step=-(-size // STEPS), perturb_baseline=data.black, **plain)
    return {
        "hit": judged(quantus.PointingGame(**plain), maps),
        "relevance_mass": judged(quantus.RelevanceMassAccuracy(**plain), positive),
        "rank_accuracy": judged(quantus.RelevanceRankAccuracy(**plain), maps),
        "sparseness": judged(quantus.Sparseness(**plain), positive),
        "complexity": judged(quantus.Complexity(**plain), positive),
        "deletion": judged(flipping, maps),
        "road": imputed,
    }


def against_quantus(count: int) -> dict[str, Any]:
    """Seconds of both by criterion, their ratio, and the largest difference of the values."""
    data = Maps(count)
    mine, other = ours(data), theirs(data)
    table = {}
    for name in mine:
        seconds: dict[str, list[float]] = {"cxrbench": [], "quantus": []}
        for _ in range(ROUNDS):
            for library, run in (("cxrbench", mine[name]), ("quantus", other[name])):
                start = time.process_time()
                values = run()
                seconds[library].append(time.process_time() - start)
                (first := values) if library == "cxrbench" else (second := values)
        fast, slow = (statistics.median(seconds[library]) for library in ("cxrbench", "quantus"))
        table[name] = {
            "cxrbench_seconds": fast,
            "quantus_seconds": slow,
            "ratio": slow / fast,
            "median_difference": float(np.nanmedian(np.abs(first - second))),
            "largest_difference": float(np.nanmax(np.abs(first - second))),
        }
        print(name, {key: float(f"{value:.3g}") for key, value in table[name].items()}, flush=True)
    total = sum(row["quantus_seconds"] for row in table.values())
    return {
        "maps": len(data.maps),
        "criteria": table,
        "judge_vs_quantus": statistics.geometric_mean(row["ratio"] for row in table.values()),
        "judge_vs_quantus_all_criteria": total / sum(row["cxrbench_seconds"] for row in table.values()),
    }


def small_run(films: int, out: Path) -> None:
    """Judge small films by a small model, under torchrun or alone; print the peak memory in MB."""
    setattr(workflow, "SIZE", 64)  # noqa: B010, a constant
    model = create("efficientnet_b0", CHEXPERT, preprocessing=Preprocessing(size=64), seed=0)
    folder = judge(out, {"small": model.requires_grad_(False)}, replace_films(films))
    if folder is not None:
        folder.rows("small")
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def replace_films(films: int) -> JudgeSettings:
    """The settings of a small run with that many films."""
    return JudgeSettings(**{**vars(SMALL), "films": films})


def measured_run(films: int, processes: int = 1) -> tuple[float, float]:
    """(Peak memory in MB, seconds) of a small run in processes of its own."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, *launcher, "-m", "benchmarks.judge", "--small", str(films), out]
        start = time.perf_counter()
        done = subprocess.run(
            command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=True
        )
        return float(done.stdout.split()[-1]), time.perf_counter() - start


def memory(films: int) -> dict[str, Any]:
    """Peak memory of a tenth of the films and of all."""
    few, many = measured_run(films // 10)[0], measured_run(films)[0]
    return {
        "films": [films // 10, films],
        "peak_mb": [round(few, 1), round(many, 1)],
        "memory_growth": many / few,
    }


def processes(films: int) -> dict[str, Any]:
    """Seconds per film of one process and of two; what starting takes is subtracted."""
    times = {}
    for count in (1, 2):
        short, long = measured_run(2, count)[1], measured_run(films, count)[1]
        times[count] = (long - short) / (films - 2)
    return {
        "load": os.getloadavg()[0],
        "cores": os.cpu_count(),
        "seconds_per_film": times,
        "two_processes_speedup": times[1] / times[2],
    }


def main() -> None:
    """Measure, print, and write the results if requested."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--maps", type=int, default=16, help="maps that both libraries judge")
    parser.add_argument("--films", type=int, default=500, help="films of the measurement of memory")
    parser.add_argument("--only", nargs="+", choices=("quantus", "memory", "processes"))
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument("--small", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.small:
        return small_run(int(options.small[0]), Path(options.small[1]))
    warnings.simplefilter("ignore")
    chosen = options.only or ("quantus", "memory", "processes")
    results: dict[str, Any] = {}
    if "quantus" in chosen:
        try:
            results |= against_quantus(options.maps)
        except ImportError:
            print(f"Quantus is not installed here.\n{__doc__}", file=sys.stderr)
    if "memory" in chosen:
        results |= memory(options.films)
    if "processes" in chosen:
        results |= processes(options.films // 5)
    print(json.dumps(results, indent=1))
    if options.json:
        write_text(options.json, json.dumps(results, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()
