"""Gallery cases with stored heat maps, opened without running a network."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from cxrbench import assets
from cxrbench.compare import fields, records
from cxrbench.compare.archive import read_arrays, write_arrays
from cxrbench.compare.comparison import FILM_VIEWS, Comparison, HeatMaps, Prediction, Settings
from cxrbench.compare.pictures import png
from cxrbench.data import read_image
from cxrbench.errors import InputError
from cxrbench.writing import write_bytes, write_text

__all__ = [
    "Case",
    "case",
    "cases",
    "halved",
    "load",
    "methods",
    "models",
    "quantise",
    "read_maps",
    "store",
    "write_maps",
]

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_COARSE: Final = 64  # grids up to this side are stored as they are, finer ones in 8 bits
_FINEST: Final = 128  # grids beyond this side are stored at half of it
_STEPS: Final = 31  # of 8 bits few are used, so that a case stays small


@dataclass(frozen=True)
class Case:
    """A radiograph worth looking at.

    Args:
        id: in links and as the folder's name.
        title: a line for people.
        why: why it was chosen, by which rule.
        view: ``PA``, ``AP`` or ``Lateral``.
        findings: those present in truth.
        study: path of its picture below the data set's root; "" where that is not told.
        finding: the one the case is about, present or not; a case opens on it.
        models: names of the models to open it with; empty where any will do.
        methods: keys of the methods to open it with; empty where any will do.
    """

    id: str
    title: str
    why: str
    view: str
    findings: tuple[str, ...]
    study: str = ""
    finding: str = ""
    models: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()


def cases() -> tuple[Case, ...]:
    """The gallery, in the order to show it; empty where none was built."""
    index = assets.gallery() / "index.json"
    if not index.is_file():
        return ()
    return tuple(map(_case, json.loads(index.read_text(encoding="utf-8"))["cases"]))


def case(case_id: str) -> Case:
    """The case of that id.

    Raises:
        InputError: there is none; the sentence lists those there are.
    """
    known = {entry.id: entry for entry in cases()}
    # Checked by its form too: an id from a link becomes a path.
    if case_id not in known or not _ID.fullmatch(case_id):
        raise InputError(
            f"There is no gallery case {case_id[:80]!r}; choose from: {', '.join(known) or 'none'}."
        )
    return known[case_id]


def models() -> dict[str, str]:
    """Name → title of the models whose maps the gallery holds."""
    return dict(_index().get("models", {}))


def methods() -> dict[str, str]:
    """Key → title of the methods whose maps the gallery holds."""
    return dict(_index().get("methods", {}))


def load(
    case_id: str, *, models: Sequence[str] | None = None, methods: Sequence[str] | None = None
) -> Comparison:
    """A case with its maps, as ``compare`` would have made it with the settings that the index names.

    Args:
        case_id: of a case.
        models: some of ``gallery.models()``, in the order wanted; default: all.
        methods: some of ``gallery.methods()``, in the order wanted; default: all.

    Returns:
        The comparison; maps of fine grids are halved (``halved``) and rounded to 31 steps of each
        map's root scale.

    Raises:
        InputError: an unknown case, model or method; the sentence lists those there are.
    """
    known, index = case(case_id), _index()
    folder = assets.gallery() / known.id
    settings = Settings(
        models=_chosen("model", models, index["models"]),
        methods=_chosen("method", methods, index["methods"]),
        stage=index["stage"],
        baseline=index["baseline"],
        steps=index["steps"],
    )
    predictions: dict[str, Prediction] = {}
    heat_maps: dict[tuple[str, str], HeatMaps] = {}
    for name in settings.models:
        prediction, heats = _load_model(folder, name)
        predictions[name] = replace(prediction, title=index["models"][name])
        heat_maps |= {(name, key): heats[key] for key in settings.methods if key in heats}
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    return Comparison(
        image=read_image(folder / "image.png").pixels,
        source=case_id,
        settings=settings,
        predictions=predictions,
        heat_maps=heat_maps,
        masks=read_arrays((folder / "masks.npz").read_bytes(), "masks.npz"),
        truth=fields.truth(truth),
        findings=(known.finding,) if known.finding else (),
        view=known.view if known.view in FILM_VIEWS else "",
    )


def store(comparison: Comparison, folder: Path) -> None:
    """Write a case's picture, truth, masks and each model's maps; ``load`` reads them back.

    Raises:
        InputError: the picture is not one of 8 bits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    samples = np.rint(comparison.image * 255).astype(np.uint8)
    if not np.array_equal(samples.astype(np.float32) / np.float32(255), comparison.image):
        raise InputError("A gallery case must be a picture of 8 bits; round it before it is explained.")
    write_bytes(folder / "image.png", png(comparison.image))
    write_text(folder / "truth.json", json.dumps(dict(comparison.truth), indent=1) + "\n")
    write_bytes(folder / "masks.npz", write_arrays(comparison.masks))
    for name, prediction in comparison.predictions.items():
        heats = [heat for heat in comparison.heat_maps.values() if heat.model == name]
        _store_model(folder, prediction, heats)


def write_maps(maps: np.ndarray) -> dict[str, np.ndarray]:
    """Maps (L, h, w) as the arrays that hold them: floats on coarse grids, else 8-bit codes and scales."""
    if max(maps.shape[1:], default=0) <= _COARSE:
        return {"maps": np.asarray(maps, np.float32)}
    codes, scale = quantise(halved(maps))
    return {"codes": codes, "scale": scale}


def read_maps(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """``write_maps`` undone, (L, h, w) float32."""
    if "maps" in arrays:
        return arrays["maps"]
    root = arrays["codes"].astype(np.float32) / np.float32(_STEPS)
    return np.sign(root) * root**2 * arrays["scale"][:, None, None]


def halved(maps: np.ndarray) -> np.ndarray:
    """Maps (L, h, w) as the mean of two by two cells where a side is beyond 128; others as they are.

    Relevance of single pixels is noise to the eye; four times as many of it would make the gallery four
    times as large.
    """
    if max(maps.shape[1:], default=0) <= _FINEST:
        return maps
    height, width = ((side + 1) // 2 for side in maps.shape[1:])
    small = [cv2.resize(m, (width, height), interpolation=cv2.INTER_AREA) for m in maps.astype(np.float32)]
    return np.stack(small)


def quantise(maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maps (L, h, w) → codes int8 (L, h, w) and scales float32 (L,): map ≈ sign(c)·(c/31)²·scale.

    Square roots are rounded, not values: pixel-wise relevance has few large values and many small ones that a
    linear scale would round to nothing. |error| ≤ √(|map|·scale)/31 + scale/(4·31²).
    """
    scale = np.abs(maps).max(axis=(1, 2)).astype(np.float32)
    safe = np.where(scale > 0, scale, 1)[:, None, None]
    codes = np.rint(np.sign(maps) * np.sqrt(np.abs(maps) / safe) * _STEPS)
    return codes.astype(np.int8), scale


def _case(entry: Mapping[str, Any]) -> Case:
    findings = tuple(entry["findings"])
    return Case(
        id=entry["id"],
        title=entry["title"],
        why=entry["why"],
        view=entry["view"],
        findings=findings,
        study=entry.get("study", ""),
        # Indices of earlier versions do not say what a case is about.
        finding=entry.get("finding") or next(iter(findings), ""),
        models=tuple(entry.get("models", ())),
        methods=tuple(entry.get("methods", ())),
    )


def _index() -> dict[str, Any]:
    path = assets.gallery() / "index.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _chosen(what: str, asked: Sequence[str] | None, known: Mapping[str, str]) -> tuple[str, ...]:
    for name in asked or ():
        if name not in known:
            raise InputError(f"The gallery holds no {what} {name[:80]!r}; choose from: {', '.join(known)}.")
    return tuple(known if asked is None else asked)


def _store_model(folder: Path, prediction: Prediction, heats: Sequence[HeatMaps]) -> None:
    document: dict[str, Any] = {
        "prediction": records.prediction_record(prediction),
        "heat_maps": [records.heat_maps_record(heat) for heat in heats],
    }
    arrays = {f"{heat.method}.{key}": array for heat in heats for key, array in write_maps(heat.maps).items()}
    # How long the maker's machine took says nothing to the reader of a case, and would change at every build.
    document["prediction"]["seconds"] = None
    for record in document["heat_maps"]:
        record["seconds"] = None
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    write_text(folder / f"{prediction.model}.json", text)
    write_bytes(folder / f"{prediction.model}.npz", write_arrays(arrays))


def _load_model(folder: Path, name: str) -> tuple[Prediction, dict[str, HeatMaps]]:
    document = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    arrays = read_arrays((folder / f"{name}.npz").read_bytes(), f"{name}.npz")
    heats = {}
    for record in document["heat_maps"]:
        key = record["method"]
        own = {
            path.removeprefix(f"{key}."): array
            for path, array in arrays.items()
            if path.startswith(f"{key}.")
        }
        heats[key] = records.read_heat_maps(record, read_maps(own))
    return records.read_prediction(document["prediction"]), heats
