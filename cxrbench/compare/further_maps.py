"""Further maps of a gallery case: two files per model that hold many methods in little space.

The first maps of a case (``gallery.STORED_METHODS``) are there for all findings. Those of further methods
are smaller: coarse maps in half precision; finer ones in 8 bits, and of one finding only, with which the case
opens.
"""

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from cxrbench.compare import records
from cxrbench.compare.archive import read_arrays, write_arrays
from cxrbench.compare.comparison import HeatMaps
from cxrbench.compare.stored_maps import from_codes, halved, quantise
from cxrbench.writing import write_bytes, write_text

__all__ = ["COARSE", "Coding", "decode", "encode", "read", "thinned", "write"]

COARSE: Final = 16  # grids up to this side are stored in half precision, and for all findings

# Largest error, where the scale is the largest magnitude of a map. Half precision: |map|/2048 + scale·2⁻²⁵;
# linear, in 127 levels per sign: scale/254; roots: as ``stored_maps.quantise``.
Coding = Literal["half", "linear", "roots"]

_LEVELS: Final = 127
_PER_FINDING: Final = ("completeness", "stable")  # lists that hold one value where all are the same


def encode(maps: np.ndarray, *, rough: bool) -> tuple[Coding, np.ndarray, np.ndarray]:
    """Encode maps (n, h, w) as codes (n, h', w') and scales (n,); very fine ones are halved.

    Args:
        maps: relevance.
        rough: whether values of neighbouring cells are unrelated, as relevance of single pixels is: then
            finer maps are stored in roots, which keep small values apart, and otherwise linearly.
    """
    kept = halved(maps)
    scale = np.abs(kept).max(axis=(1, 2), initial=0).astype(np.float32)
    if max(kept.shape[1:], default=0) > COARSE and rough:
        return "roots", *quantise(kept)
    relative = kept / np.where(scale > 0, scale, 1)[:, None, None]
    if max(kept.shape[1:], default=0) <= COARSE:
        return "half", relative.astype(np.float16), scale
    return "linear", np.rint(relative * _LEVELS).astype(np.int8), scale


def decode(coding: Coding, codes: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Decode what ``encode`` returns to maps (n, h', w') float32."""
    if coding == "roots":
        return from_codes(codes, scale)
    relative = codes.astype(np.float32)
    if coding == "linear":
        relative /= np.float32(_LEVELS)
    maps: np.ndarray = relative * scale[:, None, None]
    return maps


def thinned(heat: HeatMaps, finding: str) -> HeatMaps:
    """Heat maps without what is not stored: finer maps of other findings than this one, where they differ."""
    if heat.problem is not None or max(heat.maps.shape[1:]) <= COARSE or _all_same(heat.maps):
        return heat
    return heat.only([finding])


def write(heats: Sequence[HeatMaps], folder: Path, model: str, *, rough: Collection[str] = ()) -> None:
    """Write the further maps of one model.

    Args:
        heats: the maps, one entry per method; at least one.
        folder: of the case.
        model: name of the model.
        rough: keys of methods whose values of neighbouring cells are unrelated.
    """
    entries: list[dict[str, Any]] = []
    packed: dict[str, list[np.ndarray]] = {"float16": [], "int8": [], "float32": []}
    for heat in heats:
        # Methods that do not look at the finding have the same map for all.
        kept = heat.maps[:1] if _all_same(heat.maps) else heat.maps
        coding, codes, scale = encode(kept, rough=heat.method in rough)
        # Times depend on the machine that made the maps.
        record = records.heat_maps_record(replace(heat, seconds=float("nan")))
        record |= {key: _shortened(record[key]) for key in _PER_FINDING}
        entries.append({**record, "coding": coding, "shape": list(codes.shape)})
        packed[codes.dtype.name].append(codes.ravel())
        packed["float32"].append(scale)
    # A few long arrays: each member of an archive costs some hundred bytes.
    arrays = {name: np.concatenate([*parts, np.empty(0, name)]) for name, parts in packed.items()}
    usual = {key: _most_frequent([entry[key] for entry in entries]) for key in entries[0]}
    rest = [{key: value for key, value in entry.items() if value != usual[key]} for entry in entries]
    text = json.dumps({"usual": usual, "heat_maps": rest}, separators=(",", ":"), allow_nan=False)
    write_text(_path(folder, model, "json"), f"{text}\n")
    write_bytes(_path(folder, model, "npz"), write_arrays(arrays))


def read(folder: Path, model: str) -> dict[str, HeatMaps]:
    """Read the further maps of one model: key of the method → maps; empty where there are none.

    Raises:
        InputError: a file is damaged.
    """
    path = _path(folder, model, "json")
    if not path.is_file():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    arrays = read_arrays(_path(folder, model, "npz").read_bytes(), f"{model}.further.npz")
    heats = {}
    for entry in document["heat_maps"]:
        record = {**document["usual"], **entry}
        count, height, width = record["shape"]
        kind = "float16" if record["coding"] == "half" else "int8"
        codes, arrays[kind] = np.split(arrays[kind], [count * height * width])
        scale, arrays["float32"] = np.split(arrays["float32"], [count])
        maps = decode(record["coding"], codes.reshape(count, height, width), scale)
        labels = record["labels"] if record["problem"] is None else ()
        record |= {key: record[key] * len(labels) for key in _PER_FINDING if len(record[key]) == 1}
        maps = np.broadcast_to(maps, (len(labels), height, width))
        heats[record["method"]] = records.read_heat_maps(record, maps)
    return heats


def _all_same(maps: np.ndarray) -> bool:
    return len(maps) > 1 and bool((maps == maps[:1]).all())


def _shortened(values: list[Any]) -> list[Any]:
    return values[:1] if all(value == values[0] for value in values) else values


def _path(folder: Path, model: str, suffix: str) -> Path:
    return folder / f"{model}.further.{suffix}"


def _most_frequent(values: Sequence[Any]) -> Any:
    """Of JSON values."""
    (text, _), *_ = Counter(json.dumps(value) for value in values).most_common(1)
    return json.loads(text)
