"""Data loading compared with torchxrayvision, and the cost of the cache.

    python benchmarks/data.py                     # some minutes
    python benchmarks/data.py --json results.json

**Image path**: JPEGs of 2828 × 2320 pixels, the size of CheXpert's originals, are converted to network inputs
of 224², one after the other in one thread. torchxrayvision's side is what its CheX_Dataset does: skimage's
imread, normalize, XRayCenterCrop and XRayResizer(224) with its default engine (and, printed as well, with its
OpenCV engine, which averages over areas as this library does). This library's side is what the cache is built
with: read_image for 224 pixels, and the Preprocessing with the same crop and scale.

**Index**: the table of CheXpert's 223,414 training images that ships in the torchxrayvision package, read
from disk into memory with all views and all images, on both sides.

**Epoch**: training steps (AlexNet, the fastest backbone, forward and backward) on images from the cache,
decoded to bytes on disk, compared with the same steps on normalised tensors in memory. The loaders without
steps are printed as well.

Each job runs once to warm up, then in rounds with rotating order; results are ratios of each job's fastest
round, which other work on the machine affects least. OpenCV and torch use one thread; the table is read with
Arrow's default number of threads.
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
    """Write noisy phantoms of the size of CheXpert's originals as JPEGs of quality 90 (about 1 MB)."""
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
    """The same by torchxrayvision, as in its CheX_Dataset."""
    image = xrv.datasets.normalize(imread(path), maxval=255, reshape=True)
    image = xrv.datasets.XRayCenterCrop()(image)
    resized: np.ndarray = xrv.datasets.XRayResizer(SIDE, engine=engine)(image)
    return resized


def image_jobs(paths: list[Path]) -> Jobs:
    """Jobs that read all files, one after the other."""
    return {
        "ours, image": lambda: [ours_image(path) for path in paths],
        "torchxrayvision, image": lambda: [theirs_image(path, "skimage") for path in paths],
        "torchxrayvision, image by OpenCV": lambda: [theirs_image(path, "cv2") for path in paths],
    }


def index_jobs() -> Jobs:
    """Jobs that read CheXpert's table of 223,414 rows."""
    return {
        "ours, index": partial(read_published, "chexpert"),
        "torchxrayvision, index": lambda: xrv.datasets.CheX_Dataset(
            "images", views=["*"], unique_patients=False
        ),
    }


def epoch_jobs(paths: list[Path], folder: Path, images: int) -> Jobs:
    """Jobs of one epoch on cached images and on the same as tensors, with and without training steps."""
    preprocessing = Preprocessing(size=SIDE)
    cache = build_cache((paths * images)[:images], preprocessing, folder / "cache")
    targets = torch.zeros(images, len(CHEXPERT))
    cached = Images(cache, targets, preprocessing)
    ready = TensorDataset(torch.stack([cached[i][0] for i in range(images)]), targets)
    model = create("alexnet", CHEXPERT, preprocessing=preprocessing)

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
    """One forward and one backward pass per batch; the optimizer step is omitted."""
    for images, targets, *_ in batches:
        model.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(images), targets)
        torch.autograd.backward(loss)


def fastest(jobs: Jobs, rounds: int) -> dict[str, float]:
    """Seconds per job: the minimum over rounds, each of which starts with another job."""
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
    """Mean and largest difference from torchxrayvision's OpenCV engine, in grey levels."""
    differences = [np.abs(ours_image(path) - theirs_image(path, "cv2")) * 255 / 2048 for path in paths]
    return float(np.mean(differences)), float(np.max(differences))


def print_times(spent: dict[str, float]) -> dict[str, float]:
    """Print times as soon as they are measured."""
    for name, seconds in spent.items():
        print(f"  {name:36}{1000 * seconds:10.1f} ms", flush=True)
    return spent


def measure(files: int, images: int, rounds: int) -> dict[str, float]:
    """Measure image path, index and epoch; print the times and return their ratios."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        paths = write_jpegs(folder, files)
        spent = {name: seconds / files for name, seconds in fastest(image_jobs(paths), rounds).items()}
        print_times(spent)
        mean, largest = disagreement(paths)
        print(
            f"  difference from its OpenCV engine: mean {mean:.2f}, largest {largest:.1f} grey levels",
            flush=True,
        )
        spent |= print_times(fastest(index_jobs(), rounds))
        spent |= print_times(fastest(epoch_jobs(paths, folder, images), rounds))
    return {
        "image_vs_torchxrayvision": spent["torchxrayvision, image"] / spent["ours, image"],
        "image_vs_torchxrayvision_opencv": spent["torchxrayvision, image by OpenCV"] / spent["ours, image"],
        "index_vs_torchxrayvision": spent["torchxrayvision, index"] / spent["ours, index"],
        "epoch_vs_ready": spent["epoch from the cache"] / spent["epoch on ready tensors"],
    }


# Metric → target.
TARGETS: Final = {
    "image_vs_torchxrayvision": "≥ 8",
    "image_vs_torchxrayvision_opencv": "",
    "index_vs_torchxrayvision": "≥ 5",
    "epoch_vs_ready": "≤ 1.1",
}


def main() -> None:
    """Measure, print, and write the results if requested."""
    parser = argparse.ArgumentParser(description="Data loading compared with torchxrayvision.")
    parser.add_argument("--files", type=int, default=6, help="JPEGs of 2828 × 2320")
    parser.add_argument("--images", type=int, default=128, help="images per epoch")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the results to this file")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    results = measure(options.files, options.images, options.rounds)
    for name, value in results.items():
        print(f"{name:34}{value:8.2f}   {TARGETS[name]}")
    if options.json:
        write_text(options.json, json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
