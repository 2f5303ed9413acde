"""Pickles of tensors and arrays, read without running what they name.

A pickle names functions that its reader calls. This reader knows those that rebuild tensors, arrays and
dictionaries, calls its own versions of them, and refuses every other name.
"""

import io
import pickle
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import torch

__all__ = ["RefusedError", "load", "numbers_of"]


class RefusedError(Exception):
    """A pickle names something that tensors do not need."""


def load(data: bytes) -> object:
    """Read a pickle; its arrays are read by ``numbers_of``.

    Raises:
        RefusedError: it names something that tensors do not need; nothing was executed.
        Exception: it is damaged; any error may be raised.
    """
    return _Unpickler(io.BytesIO(data)).load()


def numbers_of(value: object) -> np.ndarray | None:
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


class _Rebuilt:
    """An array or data type while it is rebuilt: ``__setstate__`` gives it its content."""

    def __init__(self, value: Any, set_state: Callable[[Any], Any] | None = None) -> None:
        self.value = value
        self._set_state = set_state

    def __setstate__(self, state: Any) -> None:
        if self._set_state is None:
            raise RefusedError("a state for something that has none")
        self.value = self._set_state(state)


class _Known:
    """A function that a pickle may call; nothing can be set on it."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*arguments)

    def __setstate__(self, _state: Any) -> None:
        raise RefusedError("a state for a function")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        function = _KNOWN.get((module.replace("numpy._core", "numpy.core"), name))
        if function is None:
            raise RefusedError(f"{module}.{name}")
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
