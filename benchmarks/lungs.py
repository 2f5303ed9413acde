"""Quality and speed of the lung segmentation: `python -m benchmarks.lungs [--films DIR] [--sheet FILE]`.

Measured on phantoms that are not in its training set, and on the films of a folder: if there is a
NAME_lungs.png beside NAME.png, it is the true mask. The default folder is ../shared/real/lungs, if it exists.
"""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from cxrbench.data import read_image
from cxrbench.data.phantom import plan, render
from cxrbench.data.phantom.view import draw_geometry
from cxrbench.figures import outline_polygons
from cxrbench.preprocess.lungs import Lungs, segment
from cxrbench.writing import write_text
from train.lungs import marked

REAL = Path(__file__).resolve().parents[2] / "shared" / "real" / "lungs"
SEED = 99  # of the phantoms; not the seed of the recipe
# Name, pixels (H, W), mask (H, W) or None.
Film = tuple[str, np.ndarray, np.ndarray | None]


def phantoms(count: int) -> Iterator[Film]:
    """Frontal phantoms with the findings of CheXpert's patients."""
    for study in plan(count, seed=SEED, fractions=(0, 0, 1)):
        phantom = render(study.seed, study.findings, view=study.view, size=320, exposure=study.number)
        truth = marked(phantom.patient, draw_geometry(phantom.patient, study.view, 320, study.number))
        yield f"phantom {study.patient}", phantom.image, truth


def films(folder: Path) -> Iterator[Film]:
    """The films of a folder, with their true masks where there are any."""
    for path in sorted(folder.glob("*.*")):
        if path.suffix.lower() in (".png", ".jpg", ".jpeg", ".dcm") and not path.stem.endswith("_lungs"):
            mask = path.with_name(f"{path.stem}_lungs.png")
            truth = read_image(mask).pixels > 0.5 if mask.is_file() else None
            yield path.name, read_image(path).pixels, truth


def iou(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union; NaN where both are empty."""
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else float("nan")


def measure(named_films: Iterator[Film], sheet: list[np.ndarray] | None = None) -> dict[str, float]:
    """Mean and least IoU, share of films the bench is sure of, seconds per film; a line for every doubt."""
    scores, sure, seconds = [], [], []
    for name, pixels, truth in named_films:
        started = time.perf_counter()
        lungs = segment(pixels)
        seconds.append(time.perf_counter() - started)
        sure.append(lungs.sure)
        scores.append(float("nan") if truth is None else iou(lungs.mask, truth))
        if lungs.reason or (truth is not None and len(scores) < 20):
            print(f"  {name}: IoU {scores[-1]:.3f}. {lungs.reason}")
        if sheet is not None:
            sheet.append(tile(pixels, lungs, truth))
    known = [score for score in scores if score == score]
    return {
        "films": len(scores),
        "iou": float(np.mean(known)) if known else float("nan"),
        "least_iou": min(known, default=float("nan")),
        "sure": float(np.mean(sure)) if sure else float("nan"),
        "seconds": float(np.median(seconds)) if seconds else float("nan"),
    }


def tile(pixels: np.ndarray, lungs: Lungs, truth: np.ndarray | None, side: int = 240) -> np.ndarray:
    """A thumbnail (side, side, 3): the mask in green, orange if unreliable, and the true mask in red."""
    scale = side / max(pixels.shape)
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    grey = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    picture = np.zeros((side, side, 3), np.uint8)
    picture[: size[1], : size[0]] = (grey * 255).astype(np.uint8)[..., None]
    colour = (80, 220, 60) if lungs.sure else (0, 140, 255)
    for mask, ink in ((truth, (60, 60, 255)), (lungs.mask, colour)):
        if mask is not None:
            borders = [np.rint(polygon * scale - 0.5).astype(np.int32) for polygon in outline_polygons(mask)]
            cv2.polylines(picture, borders, True, ink, 1)
    return picture


def main() -> None:
    """Measure, print, and write the results if requested."""
    parser = argparse.ArgumentParser(description="Lung masks compared with masks drawn by hand.")
    parser.add_argument(
        "--films", type=Path, default=REAL, help="folder of films, NAME_lungs.png beside NAME.png"
    )
    parser.add_argument("--phantoms", type=int, default=100, help="number of phantoms")
    parser.add_argument("--sheet", type=Path, help="write a contact sheet of the films to this file")
    parser.add_argument("--json", type=Path, help="write the results to this file")
    options = parser.parse_args()
    tiles: list[np.ndarray] = []
    results = {"phantoms": measure(phantoms(options.phantoms)), "films": measure(films(options.films), tiles)}
    for name, values in results.items():
        print(name, ", ".join(f"{key} {value:.3g}" for key, value in values.items()))
    if options.sheet and tiles:
        tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 10)
        rows = [np.hstack(tiles[start : start + 10]) for start in range(0, len(tiles), 10)]
        cv2.imwrite(str(options.sheet), np.vstack(rows))
    if options.json:
        write_text(options.json, json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
