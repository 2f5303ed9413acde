"""Explanations compared with captum and pytorch-grad-cam: same image, findings, threads and results.

    python benchmarks/explain.py                       # all four backbones, some minutes
    python benchmarks/explain.py --steps 16 --rounds 2 # quicker
    python benchmarks/explain.py --json results.json

One 224² image, the 14 findings of CheXpert, random weights (time does not depend on them). Each job runs once
to warm up, then in rounds with rotating order; results are ratios of medians. The other libraries explain one
finding per call. Each comparison is of equal work: with captum, maps on their own grid; with
pytorch-grad-cam, maps rectified, resized to the image and rescaled to [0, 1]. The time of captum's fourteen
integrated gradients is fourteen times its median call, because it shares nothing between calls.

The differences of the maps are printed as well. For them, captum's integrated gradients use weights in the
same memory layout as here (channels last); otherwise single precision changes the sign of ReLU inputs near
zero.
"""

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Final

import torch
from captum.attr import IntegratedGradients, LayerGradCam
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor

from cxrbench.explain import baseline_images, explain, heatmap, upsample
from cxrbench.labels import CHEXPERT
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing
from cxrbench.writing import write_text

BACKBONES: Final = ("densenet121", "efficientnet_b0", "inception_v3", "swin_tiny")
FINDINGS: Final = tuple(range(len(CHEXPERT)))
Jobs = Mapping[str, Callable[[], Tensor]]


def ours(
    model: Classifier, image: Tensor, methods: list[str], findings: tuple[int, ...], steps: int
) -> Tensor:
    """The final maps of the last of the methods, (K, h, w)."""
    *_, last = explain(model, image, findings, methods, steps=steps)
    return last.maps[0]


def cam_jobs(model: Classifier, image: Tensor) -> Jobs:
    """Jobs of this library: a forward pass, and CAMs of all findings."""

    def forward() -> Tensor:
        with torch.no_grad():
            logits: Tensor = model(image)
        return logits

    def displayed() -> Tensor:
        maps = ours(model, image, ["grad_cam"], FINDINGS, 1)
        large = upsample(heatmap(maps)[None], (224, 224))[0]
        return heatmap(
            large - large.amin((1, 2), keepdim=True)
        )  # as pytorch-grad-cam: from the map's smallest value

    return {
        "forward": forward,
        "ours, Grad-CAM and Grad-CAM++": lambda: ours(
            model, image, ["grad_cam", "grad_cam_plus_plus"], FINDINGS, 1
        ),
        "ours, Grad-CAM": lambda: ours(model, image, ["grad_cam"], FINDINGS, 1),
        "ours, Grad-CAM drawn": displayed,
    }


def cam_peers(model: Classifier, image: Tensor) -> Jobs:
    """Jobs of captum (h, w) and pytorch-grad-cam (224, 224): Grad-CAM of all findings."""
    stage = model.stages[-1]
    layer = model.backbone.get_submodule(stage)
    as_maps = model.trunk(image, stage).as_maps

    def captum() -> Tensor:
        method = LayerGradCam(model, layer)
        return torch.cat([method.attribute(image, target=finding)[0].detach() for finding in FINDINGS])

    def pytorch_grad_cam() -> Tensor:
        with GradCAM(model, [layer], reshape_transform=as_maps) as cam:
            maps = [cam(image, [ClassifierOutputTarget(finding)])[0] for finding in FINDINGS]
        model.zero_grad()
        return torch.stack([torch.from_numpy(map_) for map_ in maps])

    return {"captum, LayerGradCam": captum, "pytorch-grad-cam, GradCAM": pytorch_grad_cam}


def path_jobs(model: Classifier, image: Tensor, steps: int) -> Jobs:
    """Jobs of integrated gradients from black: of one finding, and of fourteen."""
    start = baseline_images(model, image, "black")
    peer = IntegratedGradients(model)
    method = ["integrated_gradients"]
    return {
        "ours, one IG": lambda: ours(model, image, method, FINDINGS[:1], steps),
        "captum, one IG": lambda: peer.attribute(image, start, target=0, n_steps=steps)[0].detach(),
        "ours, 14 IGs": lambda: ours(model, image, method, FINDINGS, steps),
    }


def medians(jobs: Jobs, rounds: int) -> dict[str, float]:
    """Seconds per job: the median over rounds, each of which starts with another job."""
    names = list(jobs)
    for name in names:
        jobs[name]()
    spent: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            start = time.perf_counter()
            jobs[name]()
            spent[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in spent.items()}


def disagreement(model: Classifier, image: Tensor, steps: int) -> dict[str, float]:
    """Largest difference from each library, relative to its largest value; NaN where its map is wrong."""
    cams, peers, paths = cam_jobs(model, image), cam_peers(model, image), path_jobs(model, image, steps)
    channels_last = deepcopy(model).to(memory_format=torch.channels_last)
    supported = model.architecture.layout == "NCHW"  # elsewhere captum averages over the wrong axes

    def difference(mine: Tensor, theirs: Tensor) -> float:
        return float((mine - theirs).abs().max() / theirs.abs().max())

    return {
        "captum": difference(cams["ours, Grad-CAM"](), peers["captum, LayerGradCam"]())
        if supported
        else torch.nan,
        "captum IG": difference(
            paths["ours, one IG"](), path_jobs(channels_last, image, steps)["captum, one IG"]()
        ),
        "pytorch-grad-cam": difference(cams["ours, Grad-CAM drawn"](), peers["pytorch-grad-cam, GradCAM"]()),
    }


def measure(backbone: str, *, steps: int, rounds: int) -> dict[str, float]:
    """Measure one backbone; print the times and differences and return the ratios."""
    model = create(backbone, CHEXPERT, preprocessing=Preprocessing(size=224))
    image = torch.randn(1, 1, 224, 224, generator=torch.Generator().manual_seed(0))
    spent = medians(cam_jobs(model, image), 10 * rounds)
    spent |= medians({**cam_peers(model, image), **cam_jobs(model, image)}, rounds)
    spent |= medians(path_jobs(model, image, steps), rounds)
    print(f"\n{backbone}")
    for name, seconds in spent.items():
        print(f"  {name:32} {1000 * seconds:10.1f} ms")
    for name, value in disagreement(model, image, min(steps, 8)).items():
        print(f"  largest difference from {name:16} {value:9.1e} of the largest value")
    return {
        "cam_vs_forward": spent["ours, Grad-CAM and Grad-CAM++"] / spent["forward"],
        "cam_vs_captum": spent["captum, LayerGradCam"] / spent["ours, Grad-CAM"],
        "cam_vs_pytorch_grad_cam": spent["pytorch-grad-cam, GradCAM"] / spent["ours, Grad-CAM drawn"],
        "ig_vs_captum": spent["captum, one IG"] / spent["ours, one IG"],
        "ig14_vs_captum": len(FINDINGS) * spent["captum, one IG"] / spent["ours, 14 IGs"],
    }


# Metric → (target, function that picks the worst of several).
TARGETS: Final[dict[str, tuple[str, Callable[[list[float]], float]]]] = {
    "cam_vs_forward": ("≤ 1.15", max),
    "cam_vs_captum": ("≥ 10", min),
    "cam_vs_pytorch_grad_cam": ("≥ 25", min),
    "ig_vs_captum": ("≥ 1.2", min),
    "ig14_vs_captum": ("≥ 1.9", min),
}


def table(results: Mapping[str, Mapping[str, float]], worst: Mapping[str, float]) -> str:
    """A text table: one column per backbone, one row per metric."""
    head = f"{'metric':24}" + "".join(f"{name:>17}" for name in results) + f"{'worst':>9}{'target':>9}"
    rows = [
        f"{name:24}"
        + "".join(f"{ratios[name]:17.2f}" for ratios in results.values())
        + f"{worst[name]:9.2f}{TARGETS[name][0]:>9}"
        for name in TARGETS
    ]
    return "\n".join((head, *rows))


def main() -> None:
    """Measure, print, and write the results if requested."""
    parser = argparse.ArgumentParser(description="Explanations compared with captum and pytorch-grad-cam.")
    parser.add_argument("--backbones", nargs="+", choices=BACKBONES, default=BACKBONES)
    parser.add_argument("--steps", type=int, default=50, help="path points of integrated gradients")
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds of slow jobs; fast ones run ten times as many"
    )
    parser.add_argument(
        "--threads", type=int, help="threads of torch, for all libraries; default: its own choice"
    )
    parser.add_argument("--json", type=Path, help="write the worst results to this file")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    # The libraries warn about inputs that they make differentiable themselves.
    warnings.filterwarnings("ignore", message=r"(?s).*required_grads.*", category=UserWarning)
    results = {name: measure(name, steps=options.steps, rounds=options.rounds) for name in options.backbones}
    worst = {name: pick([ratios[name] for ratios in results.values()]) for name, (_, pick) in TARGETS.items()}
    print(f"\n{table(results, worst)}\n{torch.get_num_threads()} threads, torch {torch.__version__}")
    if options.json:
        write_text(options.json, json.dumps(worst, indent=2) + "\n")


if __name__ == "__main__":
    main()
