"""The files of a saved model: specification, weights, card, evaluation, statistics of its features."""

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from safetensors import SafetensorError

from cxrbench.errors import InputError
from cxrbench.models.spec import ModelSpec
from cxrbench.writing import file_sha256, write_bytes, write_text

if TYPE_CHECKING:  # reading a specification does not import torch
    import torch
    from torch import Tensor

__all__ = [
    "CONFIG",
    "EVALUATION",
    "FILES",
    "PREDICTIONS",
    "README",
    "STATISTICS",
    "WEIGHTS",
    "check_pinned",
    "fit",
    "read_spec",
    "read_weights",
    "revision_of",
]

CONFIG: Final = "config.json"
WEIGHTS: Final = "model.safetensors"
README: Final = "README.md"
EVALUATION: Final = "evaluation.json"
STATISTICS: Final = (
    "features.safetensors"  # optional: without it, no film is said to be unlike training films
)
PREDICTIONS: Final = "predictions.csv"  # optional: written by recipes, not needed to load the model
FILES: Final = (CONFIG, WEIGHTS, README, EVALUATION, STATISTICS)

_FORMAT: Final = 1
_MAX_JSON: Final = 1 << 20  # bytes
_PICKLES: Final = (".pt", ".pth", ".bin", ".pkl", ".ckpt")


def write_spec(path: Path, spec: ModelSpec) -> None:
    """Write the spec as JSON, with the versions of the format and of the libraries."""
    versions = {name: version(name) for name in ("cxrbench", "torch", "timm", "torchvision")}
    document = {"library": "cxrbench", "format": _FORMAT, **spec.as_dict(), "versions": versions}
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def read_spec(folder: Path) -> ModelSpec:
    """Read the specification of a saved model; its weights are not read.

    Raises:
        InputError: ``config.json`` is missing, damaged, or of a format that this version does not read.
    """
    document = read_json(folder / CONFIG)
    if not isinstance(document, dict) or document.get("library") != "cxrbench":
        raise InputError(f"{folder / CONFIG} does not describe a cxrbench model.")
    if document.get("format") != _FORMAT:
        raise InputError(
            f"{folder / CONFIG} is of format {document.get('format')!r:.20}, this version reads {_FORMAT}; "
            "update cxrbench to read it."
        )
    try:
        return ModelSpec.from_dict(document)
    except (InputError, TypeError) as error:
        raise InputError(f"{folder / CONFIG} is damaged: {error}") from error


def other_files(folder: Path) -> list[str]:
    """Names of what a folder holds besides the files of a saved model, sorted."""
    return sorted({path.name for path in folder.iterdir()} - {*FILES, PREDICTIONS})


def is_model(folder: Path) -> bool:
    """Whether a folder's ``config.json`` names cxrbench as its writer, whatever its format or state."""
    try:
        document = read_json(folder / CONFIG)
    except InputError:
        return False
    return isinstance(document, dict) and document.get("library") == "cxrbench"


def read_json(path: Path) -> Any:
    """Read a small JSON file.

    Raises:
        InputError: it is missing, too large, or not JSON.
    """
    try:
        if path.stat().st_size > _MAX_JSON:
            raise InputError(
                f"{path} is larger than {_MAX_JSON >> 20} MiB, as no file of a saved model is; save it again."
            )
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.{pickle_hint(path)}") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not JSON ({type(error).__name__}).") from None


def pickle_hint(path: Path) -> str:
    """A sentence for an error message that names a pickle beside ``path``; "" if there is none."""
    folder = path.parent
    pickles = sorted(p.name for p in folder.glob("*") if p.suffix in _PICKLES) if folder.is_dir() else []
    if not pickles:
        return ""
    return (
        f" {pickles[0]} beside it is a pickle, which can run any code and is never opened; "
        "save the model with cxrbench (safetensors) instead."
    )


def check_pinned(path: Path, pinned: str) -> None:
    """Check that a pickle is the one whose SHA-256 is known, before it is opened.

    Raises:
        InputError: there is no such file, or its bytes are others.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}.")
    digest = file_sha256(path)
    if digest != pinned:
        raise InputError(
            f"{path} is a pickle, which can run any code, and its SHA-256 {digest[:12]}… is not the pinned "
            f"{pinned[:12]}…; fetch it again, or give its state dict as .safetensors."
        )


def write_weights(path: Path, state: Mapping[str, "Tensor"], *, half: bool) -> None:
    """Write a state dict as safetensors.

    Half precision halves the file; it is applied to matrices and filters. Vectors (biases, means, variances)
    keep single precision: they are small, and a variance may exceed the range of 16 bits. So does a matrix
    that exceeds it.
    """
    from safetensors.torch import save as serialise

    tensors = {}
    for name, tensor in state.items():
        kept = tensor.detach().cpu().contiguous()
        if half and kept.is_floating_point() and kept.ndim > 1:
            rounded = kept.half()
            kept = rounded if bool(rounded.isfinite().all()) else kept
        tensors[name] = kept
    # Not save_file, which makes a file that only its owner can read.
    write_bytes(path, serialise(tensors, metadata={"format": "pt"}))


def read_weights(path: Path) -> dict[str, "Tensor"]:
    """Read a safetensors file; floats are converted to single precision.

    Raises:
        InputError: the file is missing, damaged, or not safetensors.
    """
    from safetensors.torch import load_file

    try:
        state = load_file(path)
    except FileNotFoundError:
        raise InputError(f"{path} is missing.{pickle_hint(path)}") from None
    except (SafetensorError, OSError, ValueError) as error:
        if _is_lfs_pointer(path):
            raise InputError(f"{path} is only a git-lfs pointer; run 'git lfs pull' beside it.") from None
        raise InputError(f"{path} is damaged or not a safetensors file ({error}); fetch it again.") from None
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def _is_lfs_pointer(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(19) == b"version https://git"


def fit(state: Mapping[str, "Tensor"], module: "torch.nn.Module", source: str) -> None:
    """Load a state dict into a module; its keys, shapes and dtypes must match exactly.

    Raises:
        InputError: tensors are missing, unknown, not finite, or of another shape or dtype; the message names
            the first ones.
    """
    expected = module.state_dict()
    problems = {
        "missing": [name for name in expected if name not in state],
        "unknown": [name for name in state if name not in expected],
        "of another shape": [
            f"{name} {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
            for name, tensor in expected.items()
            if name in state and state[name].shape != tensor.shape
        ],
        "not finite": [name for name, tensor in state.items() if not bool(tensor.isfinite().all())],
        "of another type": [
            f"{name} {state[name].dtype} instead of {tensor.dtype}"
            for name, tensor in expected.items()
            if name in state and state[name].dtype != tensor.dtype
        ],
    }
    mismatches = [f"{len(names)} {what} ({_first(names)})" for what, names in problems.items() if names]
    if mismatches:
        raise InputError(
            f"The weights in {source} are not those of this architecture and these labels: "
            f"{'; '.join(mismatches)}. A partial load is refused."
        )
    module.load_state_dict(state)


def _first(names: Iterable[str], count: int = 3) -> str:
    names = list(names)
    return ", ".join(names[:count]) + (", …" if len(names) > count else "")


def revision_of(path: Path) -> str:
    """The first 12 hex digits of a file's SHA-256, which identify the weights."""
    return file_sha256(path)[:12]
