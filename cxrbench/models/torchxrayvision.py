"""The DenseNets of torchxrayvision (Cohen et al. 2022, arXiv:2111.00595), on the zoo's backbone."""

import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.models.build import assemble
from cxrbench.models.classifier import Classifier
from cxrbench.models.fetch import fetch
from cxrbench.models.folder import check_pinned, fit, read_weights, revision_of
from cxrbench.models.offered import OFFERED
from cxrbench.models.spec import ModelSpec
from cxrbench.preprocess import Preprocessing

__all__ = ["PINNED", "PREPROCESSING", "from_state_dict", "load"]

_OWNER: Final = "torchxrayvision/"

# The Hub's files are pickles of modules, which can run any code: only files with these SHA-256 are opened.
PINNED: Final[Mapping[str, str]] = MappingProxyType(
    {
        model.repository.removeprefix(_OWNER): model.sha256
        for model in OFFERED.values()
        if model.repository.startswith(_OWNER)
    }
)

# torchxrayvision computes (2x − 1)·1024 = (x − ½) ÷ (1/2048) on the central square. It resizes by area
# averaging (engine "cv2") or by a Gaussian blur and linear interpolation ("skimage", the default). Here
# images that shrink by more than half are averaged by area, as by "cv2"; others are interpolated linearly.
PREPROCESSING: Final = Preprocessing(size=224, mean=0.5, std=1 / 2048, interpolation="bilinear", fit="crop")


def load(name: str = "densenet121-res224-all", *, file: str | Path | None = None) -> Classifier:
    """Load a model of torchxrayvision, in eval mode, with frozen parameters.

    Its logits are those before torchxrayvision's calibration, which rescales each score so that ½ is the
    operating point. Here the operating points are the thresholds of the spec; ``inference.rescale`` computes
    the rescaled score for display.

    Args:
        name: torchxrayvision's name of the weights.
        file: path of the checkpoint: ``model.pt``, or its state dict as ``.safetensors``. By default it is
            taken from the Hub's cache or downloaded.

    Raises:
        InputError: an unknown name, a pickle whose SHA-256 is not pinned, or weights that do not match.
    """
    _labels_and_thresholds(name)
    if file is not None and Path(file).suffix == ".safetensors":
        return from_state_dict(read_weights(Path(file)), name, revision=revision_of(Path(file)))
    if name not in PINNED:
        raise InputError(
            f"The file of {name} is a pickle, which can run any code, and no SHA-256 is pinned for it; "
            f"choose from: {', '.join(PINNED)}, or give its state dict as file=….safetensors."
        )
    path = Path(file) if file is not None else fetch(f"torchxrayvision/{name}", "model.pt")
    return from_state_dict(_unpickle(path, PINNED[name]), name, revision=revision_of(path))


def from_state_dict(
    state: Mapping[str, Tensor], name: str = "densenet121-res224-all", *, revision: str = ""
) -> Classifier:
    """Build a model from a state dict of torchxrayvision, with the labels and thresholds of ``name``.

    Raises:
        InputError: an unknown name, or an incomplete state dict.
    """
    labels, thresholds = _labels_and_thresholds(name)
    spec = ModelSpec(
        name=f"xrv-{name}",
        architecture="densenet121",
        labels=labels,
        preprocessing=PREPROCESSING,
        thresholds=thresholds,
        title=f"torchxrayvision {name}",
    )
    model = assemble(spec, revision=revision)
    # The state dict holds the operating points once calibration is on; here they are in the spec.
    weights = {key: value.float() if value.is_floating_point() else value for key, value in state.items()}
    weights.pop("op_threshs", None)
    fit(weights, model.backbone, name)
    return model.requires_grad_(False)


def _labels_and_thresholds(name: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Labels ('' for untrained outputs) and operating points, from the package."""
    with warnings.catch_warnings():
        # The import switches all warnings off, for the whole process.
        from torchxrayvision.models import model_urls
    known = [key for key in model_urls if key.startswith("densenet121-")]
    if name not in known:
        raise InputError(f"torchxrayvision has no {name!r}; choose from: {', '.join(known)}.")
    record = model_urls[name]
    thresholds = tuple(0.5 if math.isnan(value) else float(value) for value in record["op_threshs"])
    return tuple(record["labels"]), thresholds


def _unpickle(path: Path, pinned: str) -> Mapping[str, Tensor]:
    check_pinned(path, pinned)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the source code has changed since the module was saved
        module: Any = torch.load(path, map_location="cpu", weights_only=False)
    return module.state_dict() if isinstance(module, torch.nn.Module) else module
