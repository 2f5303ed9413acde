"""Add the maps of further cheap methods to the gallery's cases, whose films and other maps stay as they are.

    python -m train.further_maps

Run it again whenever a shipped model or a cheap method changes: tests compare what is stored and computed.
``train.gallery`` runs it for the cases that it selects.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from cxrbench import assets
from cxrbench.compare import HeatMaps, Settings, further_maps, gallery
from cxrbench.compare.run import collect, compare
from cxrbench.errors import InputError
from cxrbench.explain import METHODS, configured_method
from cxrbench.models import Classifier, hub
from cxrbench.writing import write_text

CHEAP: Final = 10  # forward passes that one finding takes, at most
DEAR: Final = 2.0  # methods are computed for the case's finding only if all cost more than so many times one
# Methods that are stored at other settings too: the layer explorer, and a preset of finer maps.
VARIANTS: Final = (
    *(f"grad_cam(stage={stage})" for stage in range(4)),
    "layer_cam(stage=1)",
    "refine_cam(base=grad_cam)",
)


def main() -> None:
    """Add the maps to every case of the gallery."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--case", action="append", help="only this case; may be repeated")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    try:
        models = {name: hub.load(assets.models() / name) for name in gallery.models()}
        for case in gallery.cases():
            if arguments.case is None or case.id in arguments.case:
                film = gallery.load(case.id, models=[], methods=[])
                add(film.image, case.finding, models, assets.gallery() / case.id)
                print(case.id, flush=True)
    except InputError as error:
        sys.exit(f"error: {error}")
    path = assets.gallery() / "index.json"
    index = json.loads(path.read_text(encoding="utf-8"))
    write_text(path, json.dumps(with_further(index), indent=1) + "\n")


def with_further(index: Mapping[str, Any]) -> dict[str, Any]:
    """The gallery's index with the titles of the further methods, before its cases."""
    first = {key: value for key, value in index.items() if key not in ("further", "variants", "cases")}
    further = {key: METHODS[key].title for key in cheap_methods()}
    variants = {key: configured_method(key).title for key in VARIANTS}
    return {**first, "further": further, "variants": variants, "cases": index["cases"]}


def cheap_methods() -> list[str]:
    """Methods that are cheap for one finding, and not among those that are stored for all."""
    return [
        name
        for name, record in METHODS.items()
        if name not in gallery.STORED_METHODS
        and record.needs is None
        and record.passes(1, record.parameters()) <= CHEAP
    ]


def rough_methods() -> list[str]:
    """Those of which values of neighbouring cells are unrelated."""
    return [key for key in cheap_methods() if METHODS[key].family == "gradient" or key == "edges"]


def add(image: np.ndarray, finding: str, models: Mapping[str, Classifier], folder: Path) -> None:
    """Explain one film with the further methods, and write their maps into its folder.

    Args:
        image: the film, (H, W).
        finding: the one that the case opens with.
        models: name → model.
        folder: of the case.
    """
    for name, model in models.items():
        heats = [further_maps.thinned(heat, finding) for heat in computed(image, finding, name, model)]
        further_maps.write(heats, folder, name, rough=rough_methods())


def computed(image: np.ndarray, finding: str, name: str, model: Classifier) -> Iterator[HeatMaps]:
    """The maps of one model: of all findings, or where that is dear of one finding."""
    keys = [*cheap_methods(), *VARIANTS]
    dear = [key for key in keys if is_dear(key)]
    maps: dict[tuple[str, str], HeatMaps] = {}
    for methods, findings in (([key for key in keys if key not in dear], None), (dear, [finding])):
        settings = Settings((name,), tuple(methods))
        events = compare(image, settings, models={name: model}, findings=findings, with_predictions=False)
        maps |= collect(events, image=image, settings=settings).heat_maps
    for key in keys:
        yield maps[name, key]


def is_dear(key: str) -> bool:
    """Whether all of 14 findings cost much more than one."""
    each = configured_method(key)
    together, alone = (each.record.passes(count, each.parameters) for count in (14, 1))
    return together > DEAR * alone


if __name__ == "__main__":
    main()
