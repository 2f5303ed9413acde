"""Write what methods compare a film with: healthy films, and where findings lie on other films.

    python -m train.references

Both are of a phantom data set of their own, whose patients are in no other.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from cxrbench import assets
from cxrbench.compare.archive import write_arrays
from cxrbench.data.phantom import Phantom, Study, plan, render
from cxrbench.labels import CHEXPERT
from cxrbench.terminal import ProgressBar
from cxrbench.writing import write_bytes

SEED: Final = 19_1026
HEALTHY_FILMS: Final = 16
HEALTHY_SIZE: Final = 256  # pixels per side
PATIENTS: Final = 2400
CELLS: Final = 64  # of a prior, per side; films are rendered at twice that


def main() -> None:
    """Write ``assets/healthy`` and ``assets/locations``."""
    studies = plan(PATIENTS, seed=SEED, fractions=(0, 0, 1))
    write_healthy(studies, assets.healthy())
    write_locations(studies, assets.locations() / "phantom.npz")


def write_healthy(studies: Iterable[Study], folder: Path) -> None:
    """Render the first patients without any finding, PA and AP in turn, as grey PNG of 8 bits."""
    folder.mkdir(parents=True, exist_ok=True)
    healthy = [study for study in studies if not study.findings][:HEALTHY_FILMS]
    for number, study in enumerate(healthy):
        film = render(study.seed, view=("PA", "AP")[number % 2], size=HEALTHY_SIZE).image
        _, png = cv2.imencode(".png", np.rint(film * 255).astype(np.uint8))
        write_bytes(folder / f"{number:02d}.png", png.tobytes())


def write_locations(studies: list[Study], path: Path) -> None:
    """For each finding, the share of its masks that cover a cell: (64, 64), in 255ths."""
    totals: dict[str, np.ndarray] = {}
    counts = dict.fromkeys(CHEXPERT, 0)
    with ProgressBar("films rendered") as progress:
        for done, study in enumerate(studies, 1):
            for name, mask in _film(study).masks.items():
                if mask.any():
                    cover = cv2.resize(mask.astype(np.float32), (CELLS, CELLS), interpolation=cv2.INTER_AREA)
                    totals[name] = totals.get(name, np.zeros((CELLS, CELLS))) + cover
                    counts[name] += 1
            progress(done, len(studies))
    priors = {name: np.rint(255 * total / counts[name]).astype(np.uint8) for name, total in totals.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, write_arrays(priors))
    print(", ".join(f"{name}: {counts[name]}" for name in priors))


def _film(study: Study) -> Phantom:
    return render(study.seed, study.findings, view=study.view, size=2 * CELLS)


if __name__ == "__main__":
    main()
