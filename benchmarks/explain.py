"""Speed of explanations, compared with captum and pytorch-grad-cam on the shipped models.

    python benchmarks/explain.py                          # every model, on all cores and on one
    python benchmarks/explain.py --points 8 --rounds 2    # quicker
    python benchmarks/explain.py --threads 1 --models efficientnet_b0 --json results.json

One phantom at each model's own size, the model's findings (14). The two jobs of a comparison run in turn, in
alternating order, so that other load on the machine hits both; the result is the median of the ratios of
such pairs. ``cam_vs_forward`` is the time of two class activation maps of all findings, divided by that of a
forward pass; the others say how many times faster than the other library it is here. Work is equal:

* captum: maps on their own grid; pytorch-grad-cam: rectified, enlarged and rescaled to [0, 1].
* The other libraries explain one finding per call and share nothing between calls, so for all findings the
  time of one call counts as many times as there are findings (except CAMs, where all calls are made).
* ``ig_auto_vs_captum50``: time to a completeness error of 1 %, against captum's default of 50 steps.
* captum has no RISE: the same masks, one finding after the other, stand in.

``cxrbench verify`` says how far the maps of the three libraries differ.
"""

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from captum.attr import IntegratedGradients, LayerGradCam, NoiseTunnel, Occlusion, Saliency
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor

from cxrbench.data.phantom import render
from cxrbench.explain import baseline_images, explain, heatmap, upsample
from cxrbench.explain.peer_maps import CHANNELS, PeerInput, score_cam
from cxrbench.explain.perturbation import RiseParameters, rise_masks
from cxrbench.models import Classifier, hub
from cxrbench.writing import write_text

MODELS: Final = ("densenet121", "efficientnet_b0", "inception_v3", "vit_tiny")
CHUNK: Final = 16  # changed images per forward pass, for all libraries
Job = Callable[[], object]


@dataclass(frozen=True)
class Setting:
    """What is explained: a model, a copy of it that the other libraries may change, an image, all findings.

    Args:
        model: shared, as in the app.
        copy: for the other libraries.
        image: preprocessed, (1, 1, H, W).
        points: path points, noisy copies, and masks.
    """

    model: Classifier
    copy: Classifier
    image: Tensor
    points: int

    @property
    def findings(self) -> Sequence[int]:
        """All findings of the model."""
        return self.model.spec.findings

    def ours(self, *methods: str, findings: Sequence[int] | None = None) -> Tensor:
        """The final maps of the last of the methods, (K, h, w); of all findings by default."""
        *_, last = explain(self.model, self.image, findings or self.findings, methods)
        return last.maps[0]

    @property
    def black(self) -> Tensor:
        """The baseline."""
        return baseline_images(self.model, self.image, "black")


@dataclass(frozen=True)
class Pair:
    """Two jobs of equal work.

    Args:
        ours: here.
        peer: by another library.
        times: how many times the time of the peer's job counts.
    """

    ours: Job
    peer: Job
    times: int = 1


def cam_vs_forward(setting: Setting) -> Pair:
    """A forward pass, and two CAMs of all findings."""

    def forward() -> None:
        with torch.no_grad():
            setting.model(setting.image)

    return Pair(forward, lambda: setting.ours("grad_cam", "grad_cam_plus_plus"))


def cam_vs_captum(setting: Setting) -> Pair | None:
    """Grad-CAM of all findings; captum makes no maps of tokens."""
    if setting.model.architecture.layout != "NCHW":
        return None
    layer = setting.copy.backbone.get_submodule(setting.model.stages[-1])

    def captum() -> None:
        method = LayerGradCam(setting.copy, layer)
        for finding in setting.findings:
            method.attribute(setting.image, target=finding)

    return Pair(lambda: setting.ours("grad_cam"), captum)


def cam_vs_pytorch_grad_cam(setting: Setting) -> Pair:
    """Grad-CAM of all findings, rectified, enlarged, and rescaled from the smallest value to the largest."""
    stage = setting.model.stages[-1]
    as_maps = setting.copy.trunk(setting.image, stage).as_maps
    layers = [setting.copy.backbone.get_submodule(stage)]

    def drawn() -> Tensor:
        large = upsample(heatmap(setting.ours("grad_cam"))[None], tuple(setting.image.shape[2:]))[0]
        return heatmap(large - large.amin((1, 2), keepdim=True))

    def pytorch_grad_cam() -> None:
        with GradCAM(setting.copy, layers, reshape_transform=as_maps) as cam:
            for finding in setting.findings:
                cam(setting.image.clone().requires_grad_(), [ClassifierOutputTarget(finding)])

    return Pair(drawn, pytorch_grad_cam)


def captum_path(setting: Setting, steps: int) -> Job:
    """Captum's integrated gradients of one finding."""
    method, start = IntegratedGradients(setting.copy), setting.black
    return lambda: method.attribute(setting.image, start, target=setting.findings[0], n_steps=steps)


def ig_vs_captum(setting: Setting) -> Pair:
    """Integrated gradients of one finding, at equal nodes."""
    key = f"integrated_gradients(steps={setting.points})"
    return Pair(
        lambda: setting.ours(key, findings=setting.findings[:1]), captum_path(setting, setting.points)
    )


def ig14_vs_captum(setting: Setting) -> Pair:
    """Integrated gradients of all findings, at equal nodes."""
    key = f"integrated_gradients(steps={setting.points})"
    return Pair(lambda: setting.ours(key), captum_path(setting, setting.points), len(setting.findings))


def ig_auto_vs_captum50(setting: Setting) -> Pair:
    """Integrated gradients of one finding: to 1 %, and with 50 steps."""
    key = "integrated_gradients(tolerance=0.01)"
    return Pair(lambda: setting.ours(key, findings=setting.findings[:1]), captum_path(setting, 50))


def rise14_vs_captum(setting: Setting) -> Pair:
    """RISE of all findings, and the same masks for one finding after the other."""
    parameters = RiseParameters(masks=max(2, setting.points))
    image, start, finding = setting.image, setting.black, setting.findings[0]

    def one() -> Tensor:
        random = torch.Generator().manual_seed(parameters.seed)
        total = torch.zeros(image.shape[2:])
        with torch.no_grad():
            for first in range(0, parameters.masks, CHUNK):
                count = min(CHUNK, parameters.masks - first)
                masks = rise_masks(count, (image.shape[2], image.shape[3]), parameters, random)
                scores = setting.copy(start + (image - start) * masks[:, None])[:, finding]
                total += torch.tensordot(scores, masks, dims=1)
        return total / (parameters.masks * parameters.visible)

    return Pair(lambda: setting.ours(f"rise(masks={parameters.masks})"), one, len(setting.findings))


def occlusion14_vs_captum(setting: Setting) -> Pair:
    """Occlusion of all findings by 9 squares."""
    side = setting.image.shape[2] // 2
    method, start = Occlusion(setting.copy), setting.black

    def captum() -> Tensor:
        maps: Tensor = method.attribute(
            setting.image,
            sliding_window_shapes=(1, side, side),
            strides=(1, side // 2, side // 2),
            baselines=start,
            target=setting.findings[0],
            perturbations_per_eval=CHUNK,
        )
        return maps

    key = f"occlusion(window={side},stride={side // 2})"
    return Pair(lambda: setting.ours(key), captum, len(setting.findings))


def scorecam_vs_pytorch_grad_cam(setting: Setting) -> Pair:
    """Score-CAM of all findings, with the channels that vary most."""
    stage = setting.model.stages[-1]
    case = PeerInput(setting.copy, setting.image, setting.findings[0], stage)
    key = f"score_cam(channels={CHANNELS})"
    return Pair(lambda: setting.ours(key), lambda: score_cam(case), len(setting.findings))


def smoothgrad14_vs_captum(setting: Setting) -> Pair:
    """SmoothGrad of all findings."""
    method = NoiseTunnel(Saliency(setting.copy))
    options: dict[str, Any] = {"nt_type": "smoothgrad", "nt_samples": setting.points, "stdevs": 0.1}
    options |= {"target": setting.findings[0], "abs": False}
    key = f"smooth_grad(samples={setting.points})"
    return Pair(
        lambda: setting.ours(key), lambda: method.attribute(setting.image, **options), len(setting.findings)
    )


# Comparison → (target, which of several models' results is the worst).
TARGETS: Final[Mapping[Callable[[Setting], Pair | None], tuple[str, Callable[[list[float]], float]]]] = {
    cam_vs_forward: ("≤ 1.15", max),
    cam_vs_captum: ("≥ 10", min),
    cam_vs_pytorch_grad_cam: ("≥ 25", min),
    ig_vs_captum: ("≥ 1.5", min),
    ig14_vs_captum: ("≥ 2.5", min),
    ig_auto_vs_captum50: ("≥ 3", min),
    rise14_vs_captum: ("≥ 12", min),
    occlusion14_vs_captum: ("≥ 12", min),
    scorecam_vs_pytorch_grad_cam: ("≥ 8", min),
    smoothgrad14_vs_captum: ("≥ 2", min),
}


def seconds(job: Job) -> float:
    """Time of a job."""
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def ratio(pair: Pair, rounds: int) -> tuple[float, float, float]:
    """The median ratio of paired times, and the median times in seconds (ours, peer's)."""
    pair.ours()
    times = []
    for turn in range(rounds):
        if turn % 2:
            peer = seconds(pair.peer)
            times.append((seconds(pair.ours), pair.times * peer))
        else:
            times.append((seconds(pair.ours), pair.times * seconds(pair.peer)))
    ours, peers = zip(*times, strict=True)
    ratios = [peer / our for our, peer in times]
    return statistics.median(ratios), statistics.median(ours), statistics.median(peers)


def measure(name: str, points: int, rounds: int, chosen: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Measure one model with the present number of threads; print each result."""
    model = hub.load(name)
    image = model.spec.preprocessing(render(0, {"Pleural Effusion": 0.6}, size=256).image)[None]
    setting = Setting(model, deepcopy(model), image, points)
    for comparison in TARGETS:
        if comparison.__name__ not in chosen or (pair := comparison(setting)) is None:
            continue
        # Short jobs need more rounds than long ones.
        value, ours, peers = ratio(pair, 5 * rounds if comparison is cam_vs_forward else rounds)
        threads = torch.get_num_threads()
        print(
            f"{name:16} {threads:2} threads  {comparison.__name__:30} {value:8.2f}"
            f"   ({ours:7.3f} s, {peers:8.3f} s)",
            flush=True,
        )
        yield comparison.__name__, value


def table(results: Mapping[str, Mapping[str, float]], worst: Mapping[str, float]) -> str:
    """A text table: one row per comparison, one column per model and number of threads."""
    head = f"{'comparison':30}" + "".join(f"{name:>20}" for name in results) + f"{'worst':>9}{'target':>9}"
    rows = [
        f"{each.__name__:30}"
        + "".join(f"{ratios.get(each.__name__, torch.nan):20.2f}" for ratios in results.values())
        + f"{worst[each.__name__]:9.2f}{target:>9}"
        for each, (target, _) in TARGETS.items()
        if each.__name__ in worst
    ]
    return "\n".join((head, *rows))


def main() -> None:
    """Measure, print, and write the results if requested."""
    names = [each.__name__ for each in TARGETS]
    parser = argparse.ArgumentParser(description="Speed of explanations beside captum and pytorch-grad-cam.")
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="M", help="names of saved models")
    parser.add_argument("--only", nargs="+", choices=names, default=names, help="some comparisons")
    parser.add_argument("--points", type=int, default=20, help="path points, noisy copies and masks")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of jobs; 5 times as many of short ones")
    parser.add_argument("--threads", nargs="+", type=int, help="default: all cores, then one")
    parser.add_argument("--json", type=Path, help="write all results and the worst ones to this file")
    options = parser.parse_args()
    # The libraries warn about inputs that they make differentiable themselves.
    warnings.filterwarnings("ignore", message=r"(?s).*required_grads.*", category=UserWarning)
    results: dict[str, dict[str, float]] = {}
    for threads in options.threads or sorted({torch.get_num_threads(), 1}, reverse=True):
        torch.set_num_threads(threads)
        for name in options.models:
            found = measure(name, options.points, options.rounds, options.only)
            results[f"{name}/{threads}"] = dict(found)
    worst = {
        each.__name__: pick([ratios[each.__name__] for ratios in results.values() if each.__name__ in ratios])
        for each, (_, pick) in TARGETS.items()
        if any(each.__name__ in ratios for ratios in results.values())
    }
    print(f"\n{table(results, worst)}\n\ntorch {torch.__version__}; model/threads")
    if options.json:
        write_text(options.json, json.dumps({"worst": worst, "all": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
