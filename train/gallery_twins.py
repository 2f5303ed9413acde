"""Render the twins of every gallery case, and the true effect of each finding on the shipped models' logits.

    python -m train.gallery_twins

``train.gallery`` does this for the cases that it stores; this command does it again for the gallery as it is,
for example after a change of a shipped model.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from cxrbench import assets
from cxrbench.compare import Comparison, gallery
from cxrbench.compare.run import finding_names
from cxrbench.compare.stored_twins import rounded, write_effects, write_twins
from cxrbench.data.phantom import HEALTHY_PARTS, Edit, FilmsWithout
from cxrbench.inference import predict
from cxrbench.models import Classifier, hub

# A film in 8 bits, rendered again on another processor, differs by less.
_ROUNDING = 2.5 / 255


def main() -> None:
    """Write the twins of all cases."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    torch.set_num_threads(1)
    models = {name: hub.load(assets.models() / name) for name in gallery.models()}
    size = 0
    for case in gallery.cases():
        folder = assets.gallery() / case.id
        store_twins(folder, gallery.load(case.id, methods=()), case, models)
        written = [folder / "twins.npz", folder / "effects.json"]
        size += sum(path.stat().st_size for path in written)
        print(f"{case.id}: {', '.join(gallery.twins(gallery.load(case.id, models=(), methods=())) or ())}")
    print(f"{size / 2**20:.2f} MiB")


def store_twins(
    folder: Path, comparison: Comparison, case: gallery.Case, models: Mapping[str, Classifier]
) -> None:
    """Write the twins of a case and the true effects of its findings.

    Args:
        folder: of the case.
        comparison: its film, truth and predictions.
        case: states how its phantom is rendered.
        models: name → model, for each prediction.
    """
    films = gallery.rendered_twins(case, comparison)
    twins = {part: rounded(film) for part, film in removed_parts(films, comparison.image, case.planted)}
    write_twins(folder, comparison.image, twins)
    effects = {}
    for name, prediction in comparison.predictions.items():
        logits = dict(zip(prediction.labels, prediction.logits, strict=True))
        effects[name] = {
            finding: float(logits[finding] - _logits(models[name], film)[finding])
            for finding, film in twins.items()
            if finding in logits
        }
    write_effects(folder, effects)


def removed_parts(films: FilmsWithout, image: np.ndarray, planted: str) -> "list[tuple[str, np.ndarray]]":
    """Each part that can be taken away, but for healthy ones, with the film without it.

    Args:
        films: of the phantom.
        image: the film of the case, with what was planted on it.
        planted: kind of shortcut that was planted on the finished film; "" for none.
    """
    parts = [
        (part, films.edited([Edit(part)]).image) for part in films.removable if part not in HEALTHY_PARTS
    ]
    if planted:
        plain = rounded(films.original.image)
        parts.append((planted, np.where(np.abs(image - plain) > _ROUNDING, plain, image)))
    return parts


def _logits(model: Classifier, film: np.ndarray) -> dict[str, float]:
    values = predict(model, film).logits[0, list(model.spec.findings)]
    return dict(zip(finding_names(model), map(float, values), strict=True))


if __name__ == "__main__":
    main()
