"""CheXlocalize's saliency maps: pickles of tensors, read without running what a pickle may name.

A pickle names functions that its reader calls. This reader knows those that rebuild tensors, arrays and
dictionaries, calls its own versions of them, and refuses every other name.
"""

import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from cxrbench.data.images import MAX_PIXELS
from cxrbench.data.truth.chexlocalize import localised_finding
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
    relevance, dimensions = _numbers(content["map"]), _numbers(content["cxr_dims"])
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
    values = _numbers(content["prob"])
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


def _numbers(value: object) -> np.ndarray | None:
    """A tensor, array, number or sequence of numbers as an array; None for anything else."""
    if isinstance(value, _Rebuilt):
        value = value.value
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy() if value.dtype != torch.bfloat16 else None
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        return None
    # Torch takes writable arrays in the byte order of this machine only; the file's bytes are neither.
    return array.astype(array.dtype.newbyteorder("=")) if array.dtype.kind in "fiu" else None


def _content(path: Path) -> object:
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path.name}: a saliency map must be smaller than {_LARGEST >> 20} MiB.")
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read ({error}); check the path.") from error
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except _RefusedError as error:
        raise InputError(
            f"{path.name}: the pickle names {error}, which no saliency map needs and which could run any "
            "code; it was not opened."
        ) from error
    except Exception as error:  # a damaged pickle may raise anything
        raise InputError(f"{path.name}: the pickle is damaged ({error!s:.80}); fetch it again.") from error


class _RefusedError(Exception):
    """A pickle names something that tensors do not need."""


class _Rebuilt:
    """An array or data type while it is rebuilt: ``__setstate__`` gives it its content."""

    def __init__(self, value: Any, set_state: Callable[[Any], Any] | None = None) -> None:
        self.value = value
        self._set_state = set_state

    def __setstate__(self, state: Any) -> None:
        if self._set_state is None:
            raise _RefusedError("a state for something that has none")
        self.value = self._set_state(state)


class _Known:
    """A function that a pickle may call; nothing can be set on it."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, _state: Any) -> None:
        raise _RefusedError("a state for a function")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        function = _KNOWN.get((module.replace("numpy._core", "numpy.core"), name))
        if function is None:
            raise _RefusedError(f"{module}.{name}")
        return _Known(function)


def _storage(data: bytes) -> torch.Tensor:
    """The numbers of a tensor's storage, flat."""
    # The bytes are a pickle of their own; torch's reader for weights executes nothing.
    storage = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return torch.empty(0, dtype=storage.dtype).set_(storage)


def _tensor(
    numbers: torch.Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: Any
) -> torch.Tensor:
    return numbers.as_strided(tuple(size), tuple(stride), offset)  # refuses what lies beyond the numbers


def _dtype(code: str, *_: Any) -> _Rebuilt:
    """A numeric data type: its code (f4), and its byte order, which the pickle sets as a state."""
    dtype = np.dtype(str(code))
    if dtype.kind not in "fiub":
        raise ValueError(f"an array of {code!r}")
    # The state is (version, byte order, …).
    return _Rebuilt(dtype, lambda state: dtype.newbyteorder(state[1]))


def _array(*_: Any) -> _Rebuilt:
    """An array; its state is (version, shape, data type, whether in Fortran's order, bytes)."""
    return _Rebuilt(
        np.zeros(0),
        lambda state: np.frombuffer(state[4], state[2].value).reshape(
            state[1], order="F" if state[3] else "C"
        ),
    )


def _array_of_buffer(data: bytes, dtype: _Rebuilt, shape: tuple[int, ...], order: str) -> _Rebuilt:
    return _Rebuilt(np.frombuffer(data, dtype.value).reshape(shape, order="F" if order == "F" else "C"))


def _scalar(dtype: _Rebuilt, data: bytes) -> Any:
    return np.frombuffer(data, dtype.value)[0]


def _bytes(text: str, encoding: str) -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise ValueError(f"bytes in {encoding}")
    return text.encode("latin1")


_KNOWN: Final[Mapping[tuple[str, str], Callable[..., Any]]] = {
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
    ("torch.storage", "_load_from_bytes"): _storage,
    ("torch", "Size"): tuple,
    ("collections", "OrderedDict"): dict,
    ("numpy", "dtype"): _dtype,
    ("numpy", "ndarray"): _array,
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _array_of_buffer,
    ("_codecs", "encode"): _bytes,
}
