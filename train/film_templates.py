"""Fit the templates by which films are checked, on phantoms in random looks, and measure the checks.

    python -m train.film_templates [--nih TABLE]

Prints the templates of ``cxrbench/inference/film_templates.py``, and how often each check holds on held-out
phantoms, on the real films of a table of NIH, on photographs and on noise: the table of docs/film-checks.md.
About 10 minutes on one idle core, most of it for rendering.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from cxrbench.inference import FILM_CHECKS, film_notices, measure_film
from cxrbench.inference.film_templates import CELLS, thumbnail
from train.unusual_films import CHANGES, look, noise, photographs, real_films, shipped_films

TRAINING: Final = 450  # films
HELD_OUT: Final = 200
LOOKS: Final = 2  # random looks per film
_INVERSE_PENALTY: Final = 10.0
_LARGEST: Final = 99  # weight of a template, so that it is read at a glance

Films = Sequence[np.ndarray]


def main() -> None:
    """Render, fit, print, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--nih", type=Path)
    options = parser.parse_args()
    films, views = shipped_films("train", TRAINING)
    rng = np.random.default_rng(0)
    thumbnails = np.stack([thumbnail(look(film, rng)) for film in films for _ in range(LOOKS)])
    for name, (cells, offset) in fitted(thumbnails, np.repeat(np.array(views) == "LATERAL", LOOKS)).items():
        scale = _LARGEST / np.abs(cells).max()
        print(f"{name} offset {offset * scale:.1f}")
        for row in np.rint(cells * scale).astype(int):
            print(" ".join(f"{value:3d}" for value in row))
    measure(options.nih)


def fitted(thumbnails: np.ndarray, lateral: np.ndarray) -> dict[str, tuple[np.ndarray, float]]:
    """Templates and offsets, from thumbnails (N, 8, 8) and whether each is of a lateral film (N,)."""
    both = np.concatenate([thumbnails, thumbnails[:, :, ::-1]])  # a mirrored film is upright, too
    sides = np.concatenate([lateral, lateral])
    return {
        "INVERTED": _separated(both, -both),
        "UPSIDE_DOWN": _separated(both, both[:, ::-1]),
        "LATERAL": _separated(both[~sides], both[sides]),
        "FRONTAL_MEAN": (both[~sides].mean(axis=0), 0.0),
        "LATERAL_MEAN": (thumbnails[lateral].mean(axis=0), 0.0),
    }


def _separated(usual: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights and offset of a logistic regression that is positive for the other thumbnails."""
    cells = np.concatenate([usual, other]).reshape(-1, CELLS * CELLS)
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=5000, class_weight="balanced")
    model.fit(cells, np.repeat([0, 1], [len(usual), len(other)]))
    return model.coef_.reshape(CELLS, CELLS), float(model.intercept_[0])


def measure(nih: Path | None) -> None:
    """Print how often each check holds, in percent, per kind of picture."""
    films, views = shipped_films("test", HELD_OUT)
    rng = np.random.default_rng(1)
    frontal = [film for film, view in zip(films, views, strict=True) if view != "LATERAL"]
    lateral = [film for film, view in zip(films, views, strict=True) if view == "LATERAL"]
    kinds: dict[str, Films] = {
        "phantoms, frontal": frontal,
        "phantoms, lateral": lateral,
        "phantoms in other looks, frontal": [look(film, rng) for film in frontal],
        "phantoms in other looks, lateral": [look(film, rng) for film in lateral],
    }
    real = real_films(nih) if nih else []
    sources = {"phantoms, frontal": frontal, "real films (NIH)": real}
    kinds |= {"real films (NIH)": real}
    kinds |= {
        f"{kind}, {name}": [change(film) for film in source]
        for kind, source in sources.items()
        for name, change in CHANGES.items()
    }
    kinds |= {"photographs, grey": photographs(HELD_OUT), "noise": noise(HELD_OUT)}
    names = [name for name in FILM_CHECKS if name not in ("colour", "unlike")]
    print("| pictures | number | " + " | ".join(FILM_CHECKS[name].title for name in names) + " |")
    for kind, pictures in kinds.items():
        found: Counter[str] = Counter()
        for picture in pictures:
            found.update(notice.check for notice in film_notices(measure_film(picture)))
        if pictures:
            shares = " | ".join(f"{found[name] / len(pictures):.1%}" for name in names)
            print(f"| {kind} | {len(pictures)} | {shares} |")


if __name__ == "__main__":
    main()
