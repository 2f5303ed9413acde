"""A comparison as one file: settings as JSON, raw maps as NPZ, the radiograph as PNG; and back."""

import io
import json
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

import cxrbench
from cxrbench.compare import fields, records
from cxrbench.compare.archive import MAX_BYTES, read_arrays, read_members, write_arrays, write_members
from cxrbench.compare.captions import DISCLAIMER, notes
from cxrbench.compare.comparison import Comparison, HeatMaps
from cxrbench.compare.film_notices import comparison_notices
from cxrbench.compare.pictures import lossless_png, png
from cxrbench.data import read_image
from cxrbench.errors import InputError
from cxrbench.writing import write_bytes

__all__ = ["FORMAT", "load", "save", "versions"]

FORMAT: Final = 2  # format 1, which is still read, lacks the findings shown, the view and titles of models
_MEMBERS: Final = {"settings.json", "maps.npz", "image.png"}
_MAX_JSON: Final = 4 * 2**20


def save(comparison: Comparison, target: Path | str | BinaryIO) -> None:
    """Save a comparison as a ZIP of three files that other programs can read as well.

    ``settings.json`` holds settings, predictions and notes; ``maps.npz`` the raw maps (float32, signed, not
    normalised) and the masks; ``image.png`` the radiograph. If PNG cannot hold its pixels exactly, they are
    in ``maps.npz`` as well. Of the original file only the SHA-256 is kept.

    Args:
        comparison: the comparison to save.
        target: a path, or a file open for writing bytes.

    Raises:
        InputError: the file cannot be written; an existing one is then unchanged.
    """
    heats, arrays = list(comparison.heat_maps.values()), {}
    for index, heat in enumerate(heats):
        arrays[f"maps_{index}"] = np.asarray(heat.maps, np.float32)
    for index, mask in enumerate(comparison.masks.values()):
        arrays[f"mask_{index}"] = np.asarray(mask, bool)
    picture = lossless_png(comparison.image)
    if picture is None:
        arrays["image"] = np.asarray(comparison.image, np.float32)
    members = {
        "settings.json": json.dumps(_document(comparison, heats), indent=1, allow_nan=False).encode(),
        "image.png": picture or png(comparison.image),
        "maps.npz": write_arrays(arrays),
    }
    data = write_members(members)
    if isinstance(target, Path | str):
        write_bytes(target, data)
    else:
        target.write(data)


def load(source: Path | str | bytes | BinaryIO, *, name: str = "The bundle") -> Comparison:
    """Read a bundle that ``save`` wrote. Nothing in the file is trusted: every field is checked.

    Args:
        source: a path, the file's bytes, or a file open for reading them.
        name: name of the file in error messages.

    Returns:
        The comparison, bit-identical to the one saved.

    Raises:
        InputError: a part is missing, damaged, too large or invalid.
    """
    members = read_members(_open(source, name), name)
    if set(members) != _MEMBERS:
        raise InputError(
            f"{name} must hold {', '.join(sorted(_MEMBERS))} and nothing else; "
            f"got {', '.join(sorted(members))[:200] or 'nothing'}."
        )
    arrays = read_arrays(members["maps.npz"], name, cap=MAX_BYTES)
    try:
        document = _parse(members["settings.json"])
        return _comparison(document, arrays, members["image.png"])
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _document(comparison: Comparison, heats: list[HeatMaps]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "disclaimer": DISCLAIMER,
        "versions": versions(),
        "source": comparison.source,
        "settings": records.settings_record(comparison.settings),
        "predictions": [records.prediction_record(p) for p in comparison.predictions.values()],
        # The n-th entry's maps are the array maps_n of maps.npz, the n-th mask is mask_n.
        "heat_maps": [records.heat_maps_record(heat) for heat in heats],
        "masks": list(comparison.masks),
        "truth": dict(comparison.truth),
        "note": comparison.note,
        "findings": list(comparison.findings),
        "view": comparison.view,
        "said": _notes(comparison),
        "notices": [notice.text for notice in comparison_notices(comparison)],  # not read back
    }


def _notes(comparison: Comparison) -> list[dict[str, Any]]:
    """The notes of each map, for other programs; not read back."""
    return [
        {"model": model, "method": method, "finding": finding, "notes": list(texts)}
        for (model, method), heat in comparison.heat_maps.items()
        for finding in heat.labels
        if (texts := notes(comparison, model, method, finding))
    ]


def versions() -> dict[str, str]:
    """Versions of cxrbench, Python and the packages that compute."""
    packages = {package: metadata.version(package) for package in ("torch", "timm", "numpy")}
    return {"cxrbench": cxrbench.__version__, "python": platform.python_version(), **packages}


def _open(source: Path | str | bytes | BinaryIO, name: str) -> BinaryIO:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if not isinstance(source, Path | str):
        return source
    try:
        return io.BytesIO(Path(source).read_bytes())
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror}); check the path {source}.") from error


def _parse(data: bytes) -> object:
    if len(data) > _MAX_JSON:
        raise InputError(
            f"settings.json is larger than {_MAX_JSON // 2**20} MiB; it was not saved by cxrbench."
        )
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"settings.json is not JSON ({error}); save it again.") from error
    version = fields.take(document, "format", fields.whole)
    if not 1 <= version <= FORMAT:
        raise InputError(
            f"format {version} cannot be read by this version, which reads 1 to {FORMAT}; update cxrbench."
        )
    return document


def _comparison(document: object, arrays: dict[str, np.ndarray], picture: bytes) -> Comparison:
    predictions = [
        records.read_prediction(entry) for entry in fields.take(document, "predictions", fields.rows)
    ]
    heats = list(_heat_maps(document, arrays))
    image = _image(arrays, picture)
    comparison = Comparison(
        image=image,
        source=fields.take(document, "source", fields.text),
        settings=fields.take(document, "settings", records.settings),
        predictions={prediction.model: prediction for prediction in predictions},
        heat_maps={(heat.model, heat.method): heat for heat in heats},
        masks=_masks(document, arrays, image.shape),
        truth=fields.take(document, "truth", fields.truth),
        findings=fields.take(document, "findings", fields.texts, default=()),
        view=fields.take(document, "view", fields.view, default=""),
        note=fields.take(document, "note", fields.text, default=""),
    )
    if len(comparison.predictions) < len(predictions) or len(comparison.heat_maps) < len(heats):
        raise InputError("a model or method occurs twice; it was not saved by cxrbench.")
    for heat in heats:
        if heat.problem is None:
            heat.preprocessing.placement(image.shape, heat.box)  # refuses a box that is not on the film
    return comparison


def _heat_maps(document: object, arrays: dict[str, np.ndarray]) -> Iterator[HeatMaps]:
    for index, entry in enumerate(fields.take(document, "heat_maps", fields.rows)):
        yield records.read_heat_maps(entry, _array(arrays, f"maps_{index}", "float32"))


def _masks(document: object, arrays: dict[str, np.ndarray], shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    masks = {}
    for index, finding in enumerate(fields.take(document, "masks", fields.texts)):
        mask = _array(arrays, f"mask_{index}", "bool")
        if mask.shape != shape:
            raise InputError(
                f"the mask of {finding} has the shape {mask.shape}, its image {shape}; they must be equal."
            )
        masks[finding] = mask
    return masks


def _image(arrays: dict[str, np.ndarray], picture: bytes) -> np.ndarray:
    pixels = read_image(picture, name="image.png").pixels
    if "image" not in arrays:
        return pixels
    exact = _array(arrays, "image", "float32")
    # NaN fails both comparisons and is refused as well.
    if exact.shape != pixels.shape or not ((exact >= 0) & (exact <= 1)).all():
        raise InputError(f"the image must be a grid of numbers in [0, 1] like image.png; got {exact.shape}.")
    return exact


def _array(arrays: dict[str, np.ndarray], key: str, dtype: str) -> np.ndarray:
    if key not in arrays:
        raise InputError(f"maps.npz lacks {key!r}; save the bundle again.")
    if arrays[key].dtype.name != dtype:
        raise InputError(f"{key!r} in maps.npz must be {dtype}; got {arrays[key].dtype.name}.")
    return arrays[key]
