"""How fast the phantom is, and how far from life: `python benchmarks/phantom.py [--json FILE]`.

`--sheet FILE` puts 24 phantoms beside 24 real films; `--phantoms FILE` writes the phantom half only, which
may be shown anywhere: assets/screenshots/phantoms.jpg is made so.

Compares with the real radiographs in ../shared/real/nih where they are: a phantom is as real as they are to
each other when its figures lie within their spread.
"""

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from cxrbench.data.images import read_image
from cxrbench.data.phantom import plan, render
from cxrbench.data.phantom.labeller import PUBLISHED_RATES
from cxrbench.evaluation import read_predictions
from cxrbench.inference.ensemble import mean
from cxrbench.metrics import ranking
from cxrbench.models import hub
from cxrbench.writing import write_text

REAL = Path(__file__).resolve().parents[2] / "shared" / "real" / "nih" / "images"
SIZE, BANDS = 512, 24
TRIO = ("efficientnet_b0", "densenet121", "inception_v3")


def radial_spectrum(image: np.ndarray) -> np.ndarray:
    """Log₁₀ power of an image (H, H) in [0, 1] in rings of equal width in log frequency (BANDS,)."""
    side = image.shape[0]
    window = np.hanning(side)[:, None] * np.hanning(side)[None, :]
    power = np.abs(np.fft.fft2((image - image.mean()) * window)) ** 2
    ring = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :]) * side
    bounds = np.geomspace(2, side / 2, BANDS + 1)
    return np.array([np.log10(power[(ring >= a) & (ring < b)].mean()) for a, b in pairwise(bounds)])


def histogram(image: np.ndarray) -> np.ndarray:
    """Cumulative shares of brightness in 32 steps (32,)."""
    return np.cumsum(np.histogram(image, 32, (0, 1))[0]) / image.size


def contrast(image: np.ndarray) -> np.ndarray:
    """Mean brightness of right lung, left lung, mediastinum and base, where they mostly lie (4,)."""
    s = image.shape[0]
    boxes = ((0.3, 0.5, 0.2, 0.35), (0.3, 0.5, 0.65, 0.8), (0.3, 0.6, 0.46, 0.54), (0.85, 0.95, 0.3, 0.7))
    return np.array([image[int(a * s) : int(b * s), int(c * s) : int(d * s)].mean() for a, b, c, d in boxes])


def within(phantoms: np.ndarray, reals: np.ndarray) -> float:
    """Share of coordinates where the mean phantom lies between the real ones' 5th and 95th percentile."""
    low, high = np.percentile(reals, [5, 95], axis=0)
    middle = phantoms.mean(0)
    return float(((middle >= low) & (middle <= high)).mean())


def shoot(count: int) -> tuple[list[np.ndarray], float]:
    """Phantoms as they come in a test set, and the median processor seconds a view."""
    cv2.setNumThreads(1)
    images, seconds = [], []
    for study in plan(count, seed=2, fractions=(0, 0, 1)):
        start = time.process_time()
        shot = render(study.seed, study.findings, view=study.view, size=SIZE, exposure=study.number)
        seconds.append(time.process_time() - start)
        images.append(shot.image)
    return images, float(np.median(seconds))


def label_distance(patients: int) -> float:
    """Largest difference between a label's share and the published one, over findings and 1, −1, 0."""
    studies = plan(patients, seed=1, fractions=(1, 0, 0))
    gaps = []
    for name, rates in PUBLISHED_RATES.items():
        said = np.array([study.labels[name] for study in studies])
        gaps += [abs((said == value).mean() - rate) for value, rate in zip((1, -1, 0), rates, strict=True)]
    return float(max(gaps))


def likeness(ours: list[np.ndarray], theirs: list[np.ndarray]) -> dict[str, float]:
    """Shares of spectrum, histogram and contrast within the spread of real films; prints them all."""
    figures = {}
    for name, measure in (("spectrum", radial_spectrum), ("histogram", histogram), ("contrast", contrast)):
        a = np.stack([measure(image) for image in ours])
        b = np.stack([measure(image) for image in theirs])
        figures[f"{name}_ok"] = round(within(a, b), 3)
        rows = zip(a.mean(0), *np.percentile(b, [5, 50, 95], axis=0), strict=True)
        print(f"{name}: mean [real 5 %, 50 %, 95 %]")
        print("  " + "  ".join(f"{x:.2f} [{low:.2f} {mid:.2f} {high:.2f}]" for x, low, mid, high in rows))
    return figures


def models() -> dict[str, float]:
    """Mean test AUROC of each shipped model and of the trio together; the shortcut model's two."""
    found, figures = hub.available(), {}
    for name, folder in found.items():
        evaluation = hub.evaluation(folder)
        if "shortcut" in evaluation:
            figures["shortcut_with_marker"] = evaluation["shortcut"]["with_marker"]
            figures["shortcut_marker_moved"] = evaluation["shortcut"]["marker_moved"]
        else:
            figures[f"auroc_{name}"] = evaluation["mean_auroc"]
    if set(TRIO) <= set(found):
        said = [read_predictions(found[name] / "predictions.csv").split("test") for name in TRIO]
        together = mean(np.stack([one.scores for one in said]))
        figures["auroc_ctp"] = float(np.nanmean(ranking.auroc(said[0].targets, together)))
    return {name: round(value, 4) for name, value in figures.items()}


def sheet(images: list[np.ndarray], side: int = 256) -> np.ndarray:
    """24 images, six in a row."""
    tiles = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images[:24]]
    return np.vstack([np.hstack(tiles[row : row + 6]) for row in range(0, 24, 6)])


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--sheet", type=Path, help="24 phantoms beside 24 real films; not for the repository")
    parser.add_argument("--phantoms", type=Path, help="24 phantoms as they come in a test set, .jpg or .png")
    parser.add_argument("--views", type=int, default=48, help="phantoms to take, at least 24")
    options = parser.parse_args()
    ours, seconds = shoot(max(24, options.views))
    figures = {"seconds_per_view": round(seconds, 3), "label_distance": round(label_distance(4000), 4)}
    theirs = [cv2.resize(read_image(file).pixels, (SIZE, SIZE)) for file in sorted(REAL.glob("*"))]
    if theirs:
        figures |= likeness(ours, theirs)
    if options.phantoms:
        quality = [cv2.IMWRITE_JPEG_QUALITY, 88]
        cv2.imwrite(str(options.phantoms), np.rint(sheet(ours) * 255).astype(np.uint8), quality)
    if theirs and options.sheet:
        picked = np.random.default_rng(0).choice(len(theirs), 24, replace=False)
        both = np.hstack([sheet(ours), np.ones((4 * 256, 24)), sheet([theirs[i] for i in picked])])
        cv2.imwrite(str(options.sheet), np.rint(both * 255).astype(np.uint8))
    figures |= models()
    for name, value in figures.items():
        print(f"{name:20s} {value}")
    if options.json:
        write_text(options.json, json.dumps(figures))


if __name__ == "__main__":
    main()
