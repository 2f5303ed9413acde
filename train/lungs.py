"""Train the lung segmentation network, on phantoms with strongly varied appearance.

    python -m train.lungs train/configs/lungs.toml

No radiograph of a person is used. The masks follow the convention of manual segmentations: from the apex to
the dome of the diaphragm, and medially to the spine, including the lung behind the heart.
"""

import argparse
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, IterableDataset

from cxrbench import assets
from cxrbench.data.phantom import Study, plan, render
from cxrbench.data.phantom.anatomy import Patient
from cxrbench.data.phantom.lungs import SIDES, lung
from cxrbench.data.phantom.solids import curve
from cxrbench.data.phantom.view import RayGeometry, draw_geometry
from cxrbench.preprocess.lungs.net import LungNet
from cxrbench.preprocess.lungs.window import prepare
from cxrbench.writing import draft
from train.films import Beam, film


@dataclass(frozen=True)
class Recipe:
    """Settings of the TOML file, which documents them."""

    seed: int
    patients: int
    films: int
    laterals: int
    held_out: int
    side: int
    steps: int
    batch: int
    rate: float
    weight_decay: float
    ema: float
    threads: int
    workers: int


def main() -> None:
    """Simulate the phantoms, train, evaluate on held-out phantoms, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path, help="a recipe in TOML")
    parser.add_argument("--out", type=Path, default=assets.lungs(), help="folder of the weights")
    parser.add_argument(
        "--run", type=Path, default=Path("runs/lungs"), help="folder of the simulated phantoms"
    )
    arguments = parser.parse_args()
    recipe = Recipe(**tomllib.loads(arguments.config.read_text()))
    torch.set_num_threads(recipe.threads)
    started = time.monotonic()
    beams = taken(recipe, arguments.run)
    say(f"{len(beams)} phantoms", started)
    net = fit(recipe, beams[recipe.held_out :], started)
    say(
        f"IoU on {recipe.held_out} held-out phantoms: {held_out(recipe, net, beams[: recipe.held_out])}",
        started,
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.half().contiguous()
        for name, value in net.state_dict().items()
        if value.is_floating_point()
    }
    with draft(arguments.out / "model.safetensors") as own:
        save_file(weights, own, {"recipe": arguments.config.name})


def say(line: str, started: float) -> None:
    """Print a line with the minutes since the start."""
    print(f"{(time.monotonic() - started) / 60:5.1f} min  {line}", flush=True)


def marked(patient: Patient, geometry: RayGeometry) -> np.ndarray:
    """Lung mask of a phantom, (H, W) bool.

    The phantom's own outline follows the air. Hands draw otherwise, so the mask is cut at the dome's outline
    (lung goes on behind it), and reaches inwards to about a tenth of the chest's half-width from the midline.
    """
    at = [0.0, 0.1, 0.2, 0.32, 0.5, 0.75, 1.2]
    inner = [0.36, 0.22, 0.16, 0.13, 0.115, 0.11, 0.11]
    mask = np.zeros((geometry.size, geometry.size), bool)
    for side in SIDES:
        part = lung(patient, geometry, side)
        root = np.sqrt(np.maximum(part.height, 0) / patient.lung_height)
        medial = part.x > patient.chest_width * curve(at, inner, root)
        across = (part.outward < 0.985) & ((part.outward > 0) | medial)
        mask |= across & (part.x > 0) & (part.height > 0) & (part.height < part.dome)
    return mask


def taken(recipe: Recipe, folder: Path) -> list[Beam]:
    """The phantoms, simulated once and cached in the folder: frontal films by patient, then lateral ones.

    On a lateral film nothing is to be marked: the lungs lie one over the other there.
    """
    path = folder / f"beams_{recipe.seed}_{recipe.films}_{recipe.laterals}_{recipe.side}.npz"
    if not path.is_file():
        studies = plan(recipe.patients, seed=recipe.seed)
        order = np.random.default_rng(recipe.seed).permutation(len(studies))[: recipe.films]
        # Patients, not films, are held out: sorted, only one patient's studies can stand on both sides.
        chosen = sorted((studies[i] for i in order), key=lambda study: study.patient)
        beams = [shot(study, study.view, recipe.side) for study in chosen]
        beams += [shot(study, "LATERAL", recipe.side) for study in chosen[::-1][: recipe.laterals]]
        folder.mkdir(parents=True, exist_ok=True)
        with draft(path) as own, own.open("wb") as file:  # np.savez adds an ending to a path
            np.savez(
                file,
                attenuation=np.stack([beam.attenuation for beam in beams]),
                image=np.stack([beam.image for beam in beams]),
                lungs=np.stack([beam.lungs for beam in beams]),
            )
    with np.load(path) as file:
        arrays = {name: file[name] for name in ("attenuation", "image", "lungs")}
    return [Beam(*of) for of in zip(arrays["attenuation"], arrays["image"], arrays["lungs"], strict=True)]


def shot(study: Study, view: str, side: int) -> Beam:
    """One study as a beam; half precision, since thousands are kept in memory."""
    of = render(study.seed, study.findings, view=view, size=side, exposure=study.number)
    lungs = np.zeros((side, side), bool)
    if view != "LATERAL":
        lungs = marked(of.patient, draw_geometry(of.patient, view, side, study.number))
    return Beam(of.attenuation.astype(np.float16), of.image.astype(np.float16), lungs)


class Films(IterableDataset[tuple[np.ndarray, np.ndarray]]):
    """An endless stream of images: any phantom with any appearance, a separate stream per worker."""

    def __init__(self, beams: list[Beam], seed: int) -> None:
        self.beams, self.seed = beams, seed

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Prepared image (2, S, S) and mask (1, S, S) float32."""
        cv2.setNumThreads(1)  # workers share the cores with the training
        worker = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([self.seed, worker.id if worker else 0])
        while True:
            yield example(self.beams[rng.integers(len(self.beams))], rng)


def example(beam: Beam, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One image as network input, (2, S, S), and its mask on the same grid, (1, S, S) in [0, 1]."""
    picture, lungs = film(beam, rng)
    prepared = prepare(picture)
    mask = cv2.resize(lungs.astype(np.float32), prepared.shape[:0:-1], interpolation=cv2.INTER_AREA)
    return prepared, mask[None]


def fit(recipe: Recipe, beams: list[Beam], started: float) -> nn.Module:
    """Train; return the network with averaged weights."""
    torch.manual_seed(recipe.seed)
    net = LungNet().to(memory_format=torch.channels_last)
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema), use_buffers=True)
    optimiser = torch.optim.AdamW(net.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, recipe.steps, pct_start=0.1)
    ahead = 8 if recipe.workers else None
    loader = DataLoader(
        Films(beams, recipe.seed), recipe.batch, num_workers=recipe.workers, prefetch_factor=ahead
    )
    total = 0.0
    for step, (films, masks) in enumerate(loader, 1):
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(films.to(memory_format=torch.channels_last))
        loss = loss_of(logits.float(), masks)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        average.update_parameters(net)
        total += loss.item()
        if step % 200 == 0:
            say(f"step {step}: loss {total / 200:.4f}", started)
            total = 0.0
        if step == recipe.steps:
            break
    return average.module.eval()


def loss_of(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy plus 1 − soft Dice, averaged over images."""
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, masks)
    score = logits.sigmoid()
    both, sizes = (score * masks).sum((1, 2, 3)), (score + masks).sum((1, 2, 3))
    return entropy + (1 - (2 * both + 1) / (sizes + 1)).mean()


def held_out(recipe: Recipe, net: nn.Module, beams: list[Beam]) -> dict[str, Any]:
    """Mean IoU on phantoms with the original and with varied appearance."""
    scores: dict[str, list[float]] = {"phantom": [], "film": []}
    rng = np.random.default_rng(recipe.seed + 1)
    plain = ((prepare(of.image.astype(np.float32)), of.lungs) for of in beams)
    for look, pairs in (("phantom", plain), ("film", (example(of, rng) for of in beams))):
        for prepared, lungs in pairs:
            with torch.inference_mode():
                said = net(torch.from_numpy(prepared)[None])
            truth = torch.from_numpy(np.asarray(lungs, np.float32)).reshape(1, 1, *lungs.shape[-2:])
            said = nn.functional.interpolate(said, truth.shape[-2:], mode="bilinear") > 0
            both, either = (said & (truth > 0.5)).sum(), (said | (truth > 0.5)).sum()
            scores[look].append(float(both / either) if either else float("nan"))
    return {look: round(float(np.nanmean(values)), 4) for look, values in scores.items()}


if __name__ == "__main__":
    main()
