"""CheXlocalize's saliency maps: pickles of tensors, read without running what they name."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from cxrbench.data.images import MAX_PIXELS
from cxrbench.data.truth.chexlocalize import localised_finding
from cxrbench.data.truth.tensor_pickles import RefusedError, load, numbers_of
from cxrbench.errors import InputError
from cxrbench.labels import finding_key

__all__ = ["Saliency", "read_saliency", "saliency_files"]

# The order of the model's 14 outputs, where ``prob`` holds all of them.
_OUTPUTS: Final = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Lesion",
    "Airspace Opacity",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
_SUFFIX: Final = "_map.pkl"
_LARGEST: Final = 1 << 30  # bytes of a file


@dataclass(frozen=True, eq=False)
class Saliency:
    """The map of one finding on one film, as CheXlocalize stores it.

    Args:
        film: name of the film, such as ``patient64541_study1_view1_frontal``.
        finding: in CheXlocalize's spelling.
        map: (h, w), in the precision of the file.
        size: (H, W) of the film.
        probability: of the finding, in the precision of the file, since it is compared with cutoffs; NaN if
            the file has none.
    """

    film: str
    finding: str
    map: np.ndarray
    size: tuple[int, int]
    probability: "float | np.floating[Any]"


def saliency_files(folder: Path) -> dict[tuple[str, str], Path]:
    """The files ``{film}_{finding}_map.pkl`` in a folder and below: (film, finding) → path, in their order.

    Findings that CheXlocalize does not localise are left out.

    Raises:
        InputError: no such folder or file, or two files of one film and finding.
    """
    files: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.rglob(f"*{_SUFFIX}")):
        film, _, word = path.name.removesuffix(_SUFFIX).rpartition("_")
        finding = localised_finding(word)
        if finding is None:
            continue
        if (film, finding) in files:
            raise InputError(f"{path.name} occurs twice below {folder}; keep one of the two.")
        files[film, finding] = path
    if not files:
        raise InputError(f"There is no file '…{_SUFFIX}' of a localised finding in {folder}; check the path.")
    return files


def read_saliency(path: Path, film: str, finding: str) -> Saliency:
    """Read a saliency map; nothing in the file is executed.

    Args:
        path: the pickle, a dictionary with ``map``, ``cxr_dims`` (width, height) and, perhaps, ``prob``.
        film: as from ``saliency_files``.
        finding: likewise.

    Raises:
        InputError: the file is damaged, names a function that tensors do not need, or holds something else.
    """
    content = _content(path)
    if not isinstance(content, dict) or not {"map", "cxr_dims"} <= set(content):
        raise InputError(
            f"{path.name}: expected a dictionary with 'map' and 'cxr_dims'; got {content!r:.60}."
        )
    relevance, dimensions = numbers_of(content["map"]), numbers_of(content["cxr_dims"])
    if relevance is None or relevance.ndim < 2 or set(relevance.shape[:-2]) - {1} or not relevance.size:
        raise InputError(f"{path.name}: expected a map of shape (1, 1, h, w); got {content['map']!r:.60}.")
    if dimensions is None or dimensions.shape != (2,) or not _is_size(dimensions):
        raise InputError(
            f"{path.name}: expected cxr_dims to be (width, height); got {content['cxr_dims']!r:.60}."
        )
    return Saliency(
        film=film,
        finding=finding,
        map=relevance.reshape(relevance.shape[-2:]),
        size=(int(dimensions[1]), int(dimensions[0])),
        probability=_probability(content, finding, path.name),
    )


def _probability(content: Mapping[str, Any], finding: str, name: str) -> "float | np.floating[Any]":
    if "prob" not in content:
        return float("nan")
    values = numbers_of(content["prob"])
    if values is not None and values.size == 1:
        index = 0
    elif values is not None and values.shape[:1] == (len(_OUTPUTS),) and values.size == len(_OUTPUTS):
        keys = [finding_key(output) for output in _OUTPUTS]
        index = keys.index(finding_key(finding))
    else:
        raise InputError(
            f"{name}: expected prob to be one number, or one for each of {len(_OUTPUTS)} findings; got "
            f"{content['prob']!r:.60}."
        )
    value = values.reshape(-1)[index]
    return value if isinstance(value, np.floating) else float(value)


def _is_size(dimensions: np.ndarray) -> bool:
    whole = bool((dimensions == np.floor(dimensions)).all() and (dimensions >= 1).all())
    return whole and float(dimensions.prod()) <= MAX_PIXELS


def _content(path: Path) -> object:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path.name}: a saliency map must be smaller than {_LARGEST >> 20} MiB.")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error}); check the path.") from error
    try:
        return load(data)
    except RefusedError as error:
        raise InputError(
            f"{path.name}: the pickle names {error}, which no saliency map needs and which could run any "
            "code; it was not opened."
        ) from error
    except Exception as error:  # a damaged pickle may raise anything
        raise InputError(f"{path.name}: the pickle is damaged ({error!s:.80}); fetch it again.") from error
