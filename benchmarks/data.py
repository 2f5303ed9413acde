"""The data path beside torchxrayvision: the same JPEGs, the same table, in one run; and what the cache costs.

    python benchmarks/data.py                     # some minutes
    python benchmarks/data.py --json figures.json

**Image path**: JPEGs of 2828 × 2320, as CheXpert's originals are, become the network's input of 224², one
after the other in one thread. The peer is what its CheX_Dataset does to an image: skimage's imread, its
normalize, XRayCenterCrop and XRayResizer(224) with the engine it takes by itself (and, printed beside, with
its OpenCV engine, which averages over areas as we do). Ours is what the cache is built with: read_image for
224 pixels, and the Preprocessing of the same crop and scale.

**Index**: the table of CheXpert's 223,414 training images that ships in the torchxrayvision package, from the
file on disk to a table in memory: all views, all images, which its loader is asked for too.

**Epoch**: a pass of training steps (AlexNet, the quickest backbone, forward and backward) over images from
the cache, decoded to bytes on disk, against the same steps on tensors that lie ready in memory, mean and
deviation applied. Printed beside: the loaders alone, without any step.

Each job runs once to warm up, then in rounds whose order rotates; figures are ratios of each job's quickest
round, which other work on the machine disturbs least. OpenCV and torch have one thread; the table is read
with as many as Arrow takes.
"""

import argparse
import io
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
import torchxrayvision as xrv
from PIL import Image
from skimage.io import imread
from torch.utils.data import DataLoader, TensorDataset

from cxrbench.data import build_cache, phantom, read_image, read_published
from cxrbench.labels import CHEXPERT
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing
from cxrbench.training import Batches, Images
from cxrbench.writing import write_text

SHAPE: Final = (2828, 2320)
SIDE: Final = 224
XRV: Final = Preprocessing(size=SIDE, fit="crop", mean=0.5, std=1 / 2048)
Jobs = Mapping[str, Callable[[], Any]]


def write_jpegs(folder: Path, count: int) -> list[Path]:
    """Phantoms at the size of CheXpert's originals, with grain, as JPEGs of quality 90 (about 1 MB)."""
    paths = []
    for seed in range(count):
        film = phantom.render(seed, size=512).image
        large = cv2.resize(film, SHAPE[::-1], interpolation=cv2.INTER_CUBIC)
        grain = np.random.default_rng(seed).normal(0, 3 / 255, SHAPE)
        file = io.BytesIO()
        Image.fromarray(np.round(np.clip(large + grain, 0, 1) * 255).astype(np.uint8)).save(
            file, "JPEG", quality=90
        )
        paths.append(folder / f"{seed}.jpg")
        paths[-1].write_bytes(file.getvalue())
    return paths


def ours_image(path: Path) -> np.ndarray:
    """One file → (1, 224, 224), in torchxrayvision's scale."""
    return XRV(read_image(path, for_side=SIDE).pixels).numpy()


def theirs_image(path: Path, engine: str) -> np.ndarray:
    """The same by torchxrayvision, as its CheX_Dataset goes about it."""
    image = xrv.datasets.normalize(imread(path), maxval=255, reshape=True)
    image = xrv.datasets.XRayCenterCrop()(image)
    return xrv.datasets.XRayResizer(SIDE, engine=engine)(image)


def image_jobs(paths: list[Path]) -> Jobs:
    """All files, one after the other."""
    return {
        "ours, image": lambda: [ours_image(path) for path in paths],
        "torchxrayvision, image": lambda: [theirs_image(path, "skimage") for path in paths],
        "torchxrayvision, image by OpenCV": lambda: [theirs_image(path, "cv2") for path in paths],
    }


def index_jobs() -> Jobs:
    """CheXpert's table of 223,414 rows."""
    return {
        "ours, index": partial(read_published, "chexpert"),
        "torchxrayvision, index": lambda: xrv.datasets.CheX_Dataset(
            "images", views=["*"], unique_patients=False
        ),
    }


def epoch_jobs(paths: list[Path], folder: Path, images: int) -> Jobs:
    """A pass over images from the cache and over the same as tensors, with training steps and without."""
    recipe = Preprocessing(size=SIDE)
    cache = build_cache((paths * images)[:images], recipe, folder / "cache")
    targets = torch.zeros(images, len(CHEXPERT))
    cached = Images(cache, targets, recipe)
    ready = TensorDataset(torch.stack([cached[i][0] for i in range(images)]), targets)
    model = create("alexnet", CHEXPERT, preprocessing=recipe)

    def from_cache() -> Iterator[list[torch.Tensor]]:
        yield from DataLoader(cached, batch_sampler=Batches(images, 16, seed=0, draw=0))

    def from_tensors() -> Iterator[list[torch.Tensor]]:
        yield from DataLoader(ready, batch_size=16, shuffle=True)

    return {
        "epoch from the cache": lambda: train(model, from_cache()),
        "epoch on ready tensors": lambda: train(model, from_tensors()),
        "loader of the cache alone": lambda: list(from_cache()),
        "loader of ready tensors alone": lambda: list(from_tensors()),
    }


def train(model: Classifier, batches: Iterator[list[torch.Tensor]]) -> None:
    """A step a batch; what the step does to the weights does not matter here, so it is left out."""
    for images, targets, *_ in batches:
        model.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(model(images), targets).backward()


def quickest(jobs: Jobs, rounds: int) -> dict[str, float]:
    """Seconds of each job: the quickest of its rounds, each of which begins with another job."""
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
    return {name: min(times) for name, times in spent.items()}


def disagreement(paths: list[Path]) -> tuple[float, float]:
    """How far the answers lie apart from the peer's OpenCV engine, in grey levels: mean and largest."""
    apart = [np.abs(ours_image(path) - theirs_image(path, "cv2")) * 255 / 2048 for path in paths]
    return float(np.mean(apart)), float(np.max(apart))


def tell(spent: dict[str, float]) -> dict[str, float]:
    """Print times as soon as they are known."""
    for name, seconds in spent.items():
        print(f"  {name:36}{1000 * seconds:10.1f} ms", flush=True)
    return spent


def measure(files: int, images: int, rounds: int) -> dict[str, float]:
    """The three figures; prints what they are made of."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        paths = write_jpegs(folder, files)
        spent = {name: seconds / files for name, seconds in quickest(image_jobs(paths), rounds).items()}
        tell(spent)
        mean, largest = disagreement(paths)
        print(
            f"  apart from its OpenCV engine: mean {mean:.2f}, largest {largest:.1f} grey levels", flush=True
        )
        spent |= tell(quickest(index_jobs(), rounds))
        spent |= tell(quickest(epoch_jobs(paths, folder, images), rounds))
    return {
        "image_vs_torchxrayvision": spent["torchxrayvision, image"] / spent["ours, image"],
        "image_vs_torchxrayvision_opencv": spent["torchxrayvision, image by OpenCV"] / spent["ours, image"],
        "index_vs_torchxrayvision": spent["torchxrayvision, index"] / spent["ours, index"],
        "epoch_vs_ready": spent["epoch from the cache"] / spent["epoch on ready tensors"],
    }


# Figure → what to aim for.
TARGETS: Final = {
    "image_vs_torchxrayvision": "≥ 8",
    "image_vs_torchxrayvision_opencv": "",
    "index_vs_torchxrayvision": "≥ 5",
    "epoch_vs_ready": "≤ 1.1",
}


def main() -> None:
    """Measure, print, and write the figures where asked."""
    parser = argparse.ArgumentParser(description="The data path beside torchxrayvision.")
    parser.add_argument("--files", type=int, default=6, help="JPEGs of 2828 × 2320")
    parser.add_argument("--images", type=int, default=128, help="of an epoch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    figures = measure(asked.files, asked.images, asked.rounds)
    for name, value in figures.items():
        print(f"{name:34}{value:8.2f}   {TARGETS[name]}")
    if asked.json:
        write_text(asked.json, json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
