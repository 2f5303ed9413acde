"""Gallery cases with stored heat maps, opened without running a network."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from cxrbench import assets
from cxrbench.compare import fields, further_maps, records
from cxrbench.compare.archive import read_arrays, write_arrays
from cxrbench.compare.comparison import FILM_VIEWS, Comparison, HeatMaps, Prediction, Settings
from cxrbench.compare.pictures import png
from cxrbench.compare.stored_maps import read_maps, write_maps
from cxrbench.compare.stored_twins import read_effects, read_twins
from cxrbench.data import read_image
from cxrbench.data.phantom import FilmsWithout, draw_scenario
from cxrbench.errors import InputError
from cxrbench.writing import write_bytes, write_text

__all__ = [
    "STORED_METHODS",
    "Case",
    "case",
    "cases",
    "effects",
    "load",
    "methods",
    "models",
    "read_case",
    "rendered_twins",
    "store",
    "twins",
    "variants",
]

# The methods whose maps are stored for all findings of every model. Those of further cheap methods are stored
# in less space (``further_maps``); the index lists them.
STORED_METHODS: Final = (
    "grad_cam",
    "grad_cam_plus_plus",
    "hires_cam",
    "xgrad_cam",
    "layer_cam",
    "integrated_gradients",
)

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


@dataclass(frozen=True)
class Case:
    """A gallery case: a radiograph with stored maps.

    Args:
        id: identifier in links, and name of the folder.
        title: title for display.
        why: why it was selected, and by which rule.
        view: ``PA``, ``AP`` or ``Lateral``.
        findings: findings that are present.
        study: path of its image below the data set's root; "" if not known.
        finding: the finding that the case illustrates, present or not; shown when the case opens.
        models: names of the models shown when the case opens; empty for any.
        methods: keys of the methods shown when the case opens; empty for any.
        phantom: arguments of ``data.phantom.render`` that render it again; empty for other films.
        planted: kind of shortcut that was planted on the finished film; "" for none.
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
    phantom: Mapping[str, Any] = field(default_factory=dict, hash=False)
    planted: str = ""


def cases() -> tuple[Case, ...]:
    """The gallery's cases in display order; empty if no gallery was built."""
    index = assets.gallery() / "index.json"
    if not index.is_file():
        return ()
    return tuple(map(read_case, json.loads(index.read_text(encoding="utf-8"))["cases"]))


def case(case_id: str) -> Case:
    """The case with an id.

    Raises:
        InputError: an unknown id; the message lists the known ones.
    """
    known = {entry.id: entry for entry in cases()}
    # The form is checked too, because an id from a link becomes part of a path.
    if case_id not in known or not _ID.fullmatch(case_id):
        raise InputError(
            f"There is no gallery case {case_id[:80]!r}; choose from: {', '.join(known) or 'none'}."
        )
    return known[case_id]


def models() -> dict[str, str]:
    """Models whose maps are stored: name → title."""
    return dict(_index().get("models", {}))


def methods() -> dict[str, str]:
    """Methods whose maps are stored, at the settings of the gallery: key → title."""
    index = _index()
    return {**index.get("methods", {}), **index.get("further", {})}


def variants() -> dict[str, str]:
    """Methods at other settings whose maps are stored too, such as ``grad_cam(stage=1)``: key → title."""
    return dict(_index().get("variants", {}))


def load(
    case_id: str, *, models: Sequence[str] | None = None, methods: Sequence[str] | None = None
) -> Comparison:
    """Load a case as a comparison, as ``compare`` computes it with the settings in the index.

    Args:
        case_id: id of the case.
        models: names among ``gallery.models()``, in display order; default: all.
        methods: keys among ``gallery.methods()`` and ``variants()``, in display order; default: all.

    Returns:
        The comparison; maps on fine grids are stored at half the resolution (``stored_maps.halved``) and
        quantised (``stored_maps.quantise``). Those of further methods are quantised as ``further_maps`` says,
        and the finer ones are of the case's finding only.

    Raises:
        InputError: an unknown case, model or method; the message lists the known ones.
    """
    record, index = case(case_id), _index()
    folder = assets.gallery() / record.id
    known = {**index["methods"], **index.get("further", {}), **index.get("variants", {})}
    settings = Settings(
        models=_select("model", models, index["models"]),
        methods=_select("method", methods, known),
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
        findings=(record.finding,) if record.finding else (),
        view=record.view if record.view in FILM_VIEWS else "",
    )


def twins(comparison: Comparison) -> FilmsWithout | None:
    """The films of a loaded case without each of its findings, as stored; after other edits, as rendered.

    Returns:
        None if the case is no phantom.
    """
    record = case(comparison.source)
    if not record.phantom:
        return None
    stored = read_twins(assets.gallery() / record.id, comparison.image)
    return FilmsWithout(draw_scenario(**record.phantom), comparison.truth, comparison.image, stored=stored)


def rendered_twins(record: Case, comparison: Comparison) -> FilmsWithout:
    """The same with nothing stored: what ``train.gallery_twins`` stores.

    Raises:
        InputError: the case is no phantom.
    """
    if not record.phantom:
        raise InputError(f"The case {record.id!r} is no phantom, so it has no twins; choose another.")
    return FilmsWithout(draw_scenario(**record.phantom), comparison.truth, comparison.image)


def effects(case_id: str) -> dict[str, dict[str, float]]:
    """Model → finding that is present → its true effect: the logit minus that of the film without it.

    Raises:
        InputError: there is no case of that id.
    """
    return read_effects(assets.gallery() / case(case_id).id)


def store(comparison: Comparison, folder: Path) -> None:
    """Write the image, truth, masks and maps of a case, which ``load`` reads.

    Raises:
        InputError: the image does not have 8 bits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    samples = np.rint(comparison.image * 255).astype(np.uint8)
    if not np.array_equal(samples.astype(np.float32) / np.float32(255), comparison.image):
        raise InputError("The image of a gallery case must have 8 bits; round it before it is explained.")
    write_bytes(folder / "image.png", png(comparison.image))
    write_text(folder / "truth.json", json.dumps(dict(comparison.truth), indent=1) + "\n")
    write_bytes(folder / "masks.npz", write_arrays(comparison.masks))
    for name, prediction in comparison.predictions.items():
        heats = [heat for heat in comparison.heat_maps.values() if heat.model == name]
        _store_model(folder, prediction, heats)


def read_case(entry: Mapping[str, Any]) -> Case:
    """A case as its entry in the index states it."""
    findings = tuple(entry["findings"])
    return Case(
        id=entry["id"],
        title=entry["title"],
        why=entry["why"],
        view=entry["view"],
        findings=findings,
        study=entry.get("study", ""),
        # The index of earlier versions does not state the finding that a case illustrates.
        finding=entry.get("finding") or next(iter(findings), ""),
        models=tuple(entry.get("models", ())),
        methods=tuple(entry.get("methods", ())),
        phantom=entry.get("phantom", {}),
        planted=entry.get("planted", ""),
    )


def _index() -> dict[str, Any]:
    path = assets.gallery() / "index.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _select(what: str, names: Sequence[str] | None, known: Mapping[str, str]) -> tuple[str, ...]:
    for name in names or ():
        if name not in known:
            raise InputError(f"The gallery holds no {what} {name[:80]!r}; choose from: {', '.join(known)}.")
    return tuple(known if names is None else names)


def _store_model(folder: Path, prediction: Prediction, heats: Sequence[HeatMaps]) -> None:
    document: dict[str, Any] = {
        "prediction": records.prediction_record(prediction),
        "heat_maps": [records.heat_maps_record(heat) for heat in heats],
    }
    arrays = {f"{heat.method}.{key}": array for heat in heats for key, array in write_maps(heat.maps).items()}
    # Times depend on the machine that built the gallery and would change with every build.
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
        own_arrays = {
            path.removeprefix(f"{key}."): array
            for path, array in arrays.items()
            if path.startswith(f"{key}.")
        }
        heats[key] = records.read_heat_maps(record, read_maps(own_arrays))
    return records.read_prediction(document["prediction"]), heats | further_maps.read(folder, name)
