"""Speed of the phantom, and its distance from real radiographs: `python benchmarks/phantom.py [--json FILE]`.

`--sheet FILE` writes 24 phantoms beside 24 real films; `--phantoms FILE` writes the phantoms only, which may
be published: this is how assets/screenshots/phantoms.jpg was made.

Phantoms are compared with the real radiographs in ../shared/real/nih, if that folder exists: the statistics
of phantoms should be within the spread of those of real films.
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
    """Log₁₀ power (BANDS,) of an image (H, H) in [0, 1] in rings of equal width in log frequency."""
    side = image.shape[0]
    window = np.hanning(side)[:, None] * np.hanning(side)[None, :]
    power = np.abs(np.fft.fft2((image - image.mean()) * window)) ** 2
    ring = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None, :]) * side
    bounds = np.geomspace(2, side / 2, BANDS + 1)
    return np.array([np.log10(power[(ring >= a) & (ring < b)].mean()) for a, b in pairwise(bounds)])


def histogram(image: np.ndarray) -> np.ndarray:
    """Cumulative histogram of grey levels in 32 bins (32,)."""
    return np.cumsum(np.histogram(image, 32, (0, 1))[0]) / image.size


def contrast(image: np.ndarray) -> np.ndarray:
    """Mean grey level (4,) at the usual positions of right lung, left lung, mediastinum and base."""
    s = image.shape[0]
    boxes = ((0.3, 0.5, 0.2, 0.35), (0.3, 0.5, 0.65, 0.8), (0.3, 0.6, 0.46, 0.54), (0.85, 0.95, 0.3, 0.7))
    return np.array([image[int(a * s) : int(b * s), int(c * s) : int(d * s)].mean() for a, b, c, d in boxes])


def within(phantoms: np.ndarray, reals: np.ndarray) -> float:
    """Share of values in which the mean phantom is between the 5th and 95th percentile of real films."""
    low, high = np.percentile(reals, [5, 95], axis=0)
    middle = phantoms.mean(0)
    return float(((middle >= low) & (middle <= high)).mean())


def render_views(count: int) -> tuple[list[np.ndarray], float]:
    """Phantoms of a test set, and the median processor time per view in seconds."""
    cv2.setNumThreads(1)
    images, seconds = [], []
    for study in plan(count, seed=2, fractions=(0, 0, 1)):
        start = time.process_time()
        phantom = render(study.seed, study.findings, view=study.view, size=SIZE, exposure=study.number)
        seconds.append(time.process_time() - start)
        images.append(phantom.image)
    return images, float(np.median(seconds))


def label_distance(patients: int) -> float:
    """Largest difference between a label's share and the published one, over findings and 1, −1, 0."""
    studies = plan(patients, seed=1, fractions=(1, 0, 0))
    gaps = []
    for name, rates in PUBLISHED_RATES.items():
        labels = np.array([study.labels[name] for study in studies])
        gaps += [abs((labels == value).mean() - rate) for value, rate in zip((1, -1, 0), rates, strict=True)]
    return float(max(gaps))


def likeness(ours: list[np.ndarray], theirs: list[np.ndarray]) -> dict[str, float]:
    """Shares of spectrum, histogram and contrast within the spread of real films; also printed."""
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
    """Mean test AUROC of each shipped model and of the trio's ensemble; of the shortcut model both."""
    available, figures = hub.available(), {}
    for name, folder in available.items():
        evaluation = hub.evaluation(folder)
        if "shortcut" in evaluation:
            figures["shortcut_with_marker"] = evaluation["shortcut"]["with_marker"]
            figures["shortcut_marker_moved"] = evaluation["shortcut"]["marker_moved"]
        else:
            figures[f"auroc_{name}"] = evaluation["mean_auroc"]
    if set(TRIO) <= set(available):
        members = [read_predictions(available[name] / "predictions.csv").split("test") for name in TRIO]
        scores = mean(np.stack([predictions.scores for predictions in members]))
        figures["auroc_ctp"] = float(np.nanmean(ranking.auroc(members[0].targets, scores)))
    return {name: round(value, 4) for name, value in figures.items()}


def sheet(images: list[np.ndarray], side: int = 256) -> np.ndarray:
    """A contact sheet of 24 images, six per row."""
    tiles = [cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images[:24]]
    return np.vstack([np.hstack(tiles[row : row + 6]) for row in range(0, 24, 6)])


def main() -> None:
    """Measure, print, and write the results if requested."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument(
        "--sheet", type=Path, help="write 24 phantoms beside 24 real films to this file; not for publication"
    )
    parser.add_argument(
        "--phantoms", type=Path, help="write 24 phantoms of a test set to this file, .jpg or .png"
    )
    parser.add_argument("--views", type=int, default=48, help="number of phantoms, at least 24")
    options = parser.parse_args()
    ours, seconds = render_views(max(24, options.views))
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
