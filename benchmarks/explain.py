"""Explanations beside captum and pytorch-grad-cam: the same image, findings, threads and answers, in one run.

    python benchmarks/explain.py                       # all four backbones, some minutes
    python benchmarks/explain.py --steps 16 --rounds 2 # quicker
    python benchmarks/explain.py --json figures.json

One 224² image, the 14 findings of CheXpert, random weights (time does not depend on them). Every job is run
once to warm up, then in rounds whose order rotates; a figure is a ratio of medians. Peers answer finding by
finding. Each comparison is of equal work: against captum, maps on their own grid; against pytorch-grad-cam,
maps rectified, resized to the image and rescaled to [0, 1]. Captum's fourteen integrated gradients are taken
as fourteen times its median call: it shares nothing between calls.

Printed beside the times: how far the answers lie apart. Captum's integrated gradients are asked once more
with the weights laid out as here (channels last); without that, single precision moves ReLUs near zero.
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
    """The finished maps of the last of some methods, (K, h, w)."""
    *_, last = explain(model, image, findings, methods, steps=steps)
    return last.maps[0]


def cam_jobs(model: Classifier, image: Tensor) -> Jobs:
    """What it takes to look at all findings once: the bare forward, and Grad-CAMs."""

    def forward() -> Tensor:
        with torch.no_grad():
            return model(image)

    def drawn() -> Tensor:
        maps = ours(model, image, ["grad_cam"], FINDINGS, 1)
        large = upsample(heatmap(maps)[None], (224, 224))[0]
        return heatmap(large - large.amin((1, 2), keepdim=True))  # as the peer: from its own smallest value

    return {
        "forward": forward,
        "ours, Grad-CAM and Grad-CAM++": lambda: ours(
            model, image, ["grad_cam", "grad_cam_plus_plus"], FINDINGS, 1
        ),
        "ours, Grad-CAM": lambda: ours(model, image, ["grad_cam"], FINDINGS, 1),
        "ours, Grad-CAM drawn": drawn,
    }


def cam_peers(model: Classifier, image: Tensor) -> Jobs:
    """All findings' Grad-CAMs from captum (h, w) and from pytorch-grad-cam (224, 224)."""
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
        return torch.stack([torch.from_numpy(each) for each in maps])

    return {"captum, LayerGradCam": captum, "pytorch-grad-cam, GradCAM": pytorch_grad_cam}


def path_jobs(model: Classifier, image: Tensor, steps: int) -> Jobs:
    """Integrated gradients from black: one finding, and fourteen."""
    start = baseline_images(model, image, "black")
    peer = IntegratedGradients(model)
    method = ["integrated_gradients"]
    return {
        "ours, one IG": lambda: ours(model, image, method, FINDINGS[:1], steps),
        "captum, one IG": lambda: peer.attribute(image, start, target=0, n_steps=steps)[0].detach(),
        "ours, 14 IGs": lambda: ours(model, image, method, FINDINGS, steps),
    }


def medians(jobs: Jobs, rounds: int) -> dict[str, float]:
    """Seconds of each job: the median over rounds, each of which begins with another job."""
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
    """The largest difference from each peer, relative to its largest value; NaN where it has no answer."""
    cams, peers, paths = cam_jobs(model, image), cam_peers(model, image), path_jobs(model, image, steps)
    alike = deepcopy(model).to(memory_format=torch.channels_last)
    plain = model.architecture.layout == "NCHW"  # elsewhere captum averages over the wrong axes

    def apart(mine: Tensor, theirs: Tensor) -> float:
        return float((mine - theirs).abs().max() / theirs.abs().max())

    return {
        "captum": apart(cams["ours, Grad-CAM"](), peers["captum, LayerGradCam"]()) if plain else torch.nan,
        "captum IG": apart(paths["ours, one IG"](), path_jobs(alike, image, steps)["captum, one IG"]()),
        "pytorch-grad-cam": apart(cams["ours, Grad-CAM drawn"](), peers["pytorch-grad-cam, GradCAM"]()),
    }


def measure(backbone: str, *, steps: int, rounds: int) -> dict[str, float]:
    """The figures of one backbone; prints what they are made of."""
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


# Figure → (what to aim for, the worst of several).
TARGETS: Final[dict[str, tuple[str, Callable[[list[float]], float]]]] = {
    "cam_vs_forward": ("≤ 1.15", max),
    "cam_vs_captum": ("≥ 10", min),
    "cam_vs_pytorch_grad_cam": ("≥ 25", min),
    "ig_vs_captum": ("≥ 1.2", min),
    "ig14_vs_captum": ("≥ 1.9", min),
}


def table(figures: Mapping[str, Mapping[str, float]], worst: Mapping[str, float]) -> str:
    """Backbones across, figures down."""
    head = f"{'figure':24}" + "".join(f"{name:>17}" for name in figures) + f"{'worst':>9}{'aim':>9}"
    rows = [
        f"{name:24}"
        + "".join(f"{each[name]:17.2f}" for each in figures.values())
        + f"{worst[name]:9.2f}{TARGETS[name][0]:>9}"
        for name in TARGETS
    ]
    return "\n".join((head, *rows))


def main() -> None:
    """Measure, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(description="Explanations beside captum and pytorch-grad-cam.")
    parser.add_argument("--backbones", nargs="+", choices=BACKBONES, default=BACKBONES)
    parser.add_argument("--steps", type=int, default=50, help="path points of integrated gradients")
    parser.add_argument(
        "--rounds", type=int, default=3, help="of slow jobs; quick ones run ten times as many"
    )
    parser.add_argument("--threads", type=int, help="of torch, for all alike; by default its own choice")
    parser.add_argument("--json", type=Path, help="where to write the worst figures")
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    # Peers warn about inputs that they make differentiable themselves.
    warnings.filterwarnings("ignore", message=r"(?s).*required_grads.*", category=UserWarning)
    figures = {name: measure(name, steps=asked.steps, rounds=asked.rounds) for name in asked.backbones}
    worst = {name: pick([each[name] for each in figures.values()]) for name, (_, pick) in TARGETS.items()}
    print(f"\n{table(figures, worst)}\n{torch.get_num_threads()} threads, torch {torch.__version__}")
    if asked.json:
        write_text(asked.json, json.dumps(worst, indent=2) + "\n")


if __name__ == "__main__":
    main()
