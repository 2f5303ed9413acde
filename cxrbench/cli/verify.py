"""``cxrbench verify``: the maps of each method compared with those of captum and pytorch-grad-cam."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Final

import torch

from cxrbench import assets
from cxrbench.cli.models import load
from cxrbench.cli.say import note
from cxrbench.data.phantom import render
from cxrbench.errors import InputError, look_up
from cxrbench.explain import METHODS
from cxrbench.explain.peers import (
    CAPTUM,
    NO_PEER,
    PEERS,
    PYTORCH_GRAD_CAM,
    Difference,
    differences,
    installed,
)
from cxrbench.models import Classifier, catalog
from cxrbench.writing import check_targets, write_text

__all__ = ["run"]

_LINE: Final = "{:<24} {:<46} {:<17} {:<35} {:>10} {:>9}  {}"
_FINDINGS: Final = {"Pleural Effusion": 0.6, "Cardiomegaly": 0.5}  # of the simulated radiograph


def run(options: argparse.Namespace) -> int:
    """Print a line per model, method and library as soon as it is known; return 1 if one differs too much."""
    # Below, Inception-v3's last feature map is one cell, where no channel varies.
    if options.size % 32 or not 128 <= options.size <= 512:
        raise InputError(f"--size must be a multiple of 32 between 128 and 512; got {options.size}.")
    methods = _methods(options.method)
    if options.json is not None:
        check_targets([options.json], inputs=[], force=options.force)
    libraries = [library for library in (CAPTUM, PYTORCH_GRAD_CAM) if installed(library)]
    if PYTORCH_GRAD_CAM not in libraries:
        note("pytorch-grad-cam is not installed, so nothing is compared with it: pip install grad-cam.")
    print(_LINE.format("model", "method", "library", "class", "difference", "tolerance", "").rstrip())
    found = []
    for model in map(load, options.model or _shipped()):
        for each in _differences(model, options.size, methods, libraries):
            print(_row(each), flush=True)
            found.append(each)
    if options.json is not None:
        rows = [{**asdict(each), "within": each.within} for each in found]
        write_text(options.json, json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    outside = sum(not each.within for each in found)
    print(f"{len(found)} comparisons, {outside} outside their tolerance")
    if options.method is None:
        for name, reason in NO_PEER.items():
            note(f"{METHODS[name].title} is not compared with another library: {reason}")
    return 1 if outside else 0


def _methods(names: Sequence[str] | None) -> list[str]:
    """The methods to compare, each once.

    Raises:
        InputError: an unknown method, or one that is not compared.
    """
    for name in names or ():
        look_up("method", name, METHODS)
        if name not in PEERS:
            raise InputError(
                f"{METHODS[name].title} is not compared with another library: {NO_PEER[name]}; choose from: "
                f"{', '.join(PEERS)}."
            )
    return list(dict.fromkeys(names)) if names else list(PEERS)


def _shipped() -> list[str]:
    """Names of the models that ship with the package.

    Raises:
        InputError: there is none.
    """
    names = [
        entry.spec.name for entry in catalog.scan() if entry.spec and entry.folder.parent == assets.models()
    ]
    if not names:
        raise InputError(f"No model is shipped here; name one with --model. {catalog.how_to_add()}")
    return names


def _differences(
    model: Classifier, size: int, methods: Sequence[str], libraries: Sequence[str]
) -> Iterator[Difference]:
    """Compare on a simulated radiograph, for the findings with the highest and the lowest logit."""
    preprocessing = replace(model.spec.preprocessing, size=size)
    image = preprocessing(render(0, _FINDINGS, size=256).image)[None]
    with torch.no_grad():
        logits = model(image)[0]
    known = sorted(model.spec.findings, key=lambda finding: float(logits[finding]))
    findings = list(dict.fromkeys([known[-1], known[0]]))
    yield from differences(model, image, findings, methods=methods, libraries=libraries)


def _row(each: Difference) -> str:
    verdict = "within" if each.within else "OUTSIDE"
    values = (f"{each.value:.1e}", f"{each.tolerance:.0e}")
    return _LINE.format(each.model, each.method, each.package, each.function, *values, verdict)
