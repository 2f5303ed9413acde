"""Models of others that can be added by name: where each is, what it learned from, and under which licence.

Reads and imports nothing: the functions import torch when they are called.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cxrbench.models.classifier import Classifier

__all__ = ["OFFERED", "OfferedModel"]


@dataclass(frozen=True)
class OfferedModel:
    """A model that is not shipped, and can be added by its name.

    A repository's owner may replace its files. So either the revision is pinned or the file's SHA-256 is; of
    a pickle, which can run any code, always the SHA-256.

    Args:
        name: as given to ``cxrbench models add``, and the model's name once it is added.
        title: for display.
        repository: on the Hugging Face Hub, ``owner/name``.
        file: the checkpoint's path inside it.
        licence: its name, and after a colon what matters most: "CC BY-NC 4.0: not for commercial use".
        learned_from: the data sets of its training films.
        findings: how many it scores.
        size: of the file in bytes, rounded; the exact size is the Hub's to say.
        load: file → classifier.
        revision: commit hash; "" where the SHA-256 is pinned instead, and the newest is taken.
        sha256: of the file, 64 hex digits; "" where the revision is pinned and the Hub's own is taken.
    """

    name: str
    title: str
    repository: str
    file: str
    licence: str
    learned_from: str
    findings: int
    size: int
    load: Callable[[Path], "Classifier"]
    revision: str = ""
    sha256: str = ""

    @property
    def source(self) -> str:
        """Where it comes from: repository, and revision where one is pinned."""
        return f"{self.repository}@{self.revision}" if self.revision else self.repository


def _torchxrayvision(weights: str, path: Path) -> "Classifier":
    from cxrbench.models import torchxrayvision

    return torchxrayvision.load(weights, file=path)


def _densenet(weights: str, title: str, learned_from: str, findings: int, sha256: str) -> OfferedModel:
    """A DenseNet-121 of torchxrayvision."""
    return OfferedModel(
        name=f"xrv-{weights}",
        title=title,
        repository=f"torchxrayvision/{weights}",
        file="model.pt",
        licence="Apache-2.0",
        learned_from=learned_from,
        findings=findings,
        size=28_000_000,
        load=partial(_torchxrayvision, weights),
        sha256=sha256,
    )


_MODELS: Final = (
    _densenet(
        "densenet121-res224-all",
        "DenseNet-121 (torchxrayvision, all data sets)",
        "NIH, PadChest, CheXpert, MIMIC-CXR, Google, OpenI and RSNA",
        18,
        "56524913dd16a906422e8d8b66a7a5c46be1d82eb7ac012d8103776f1aa68899",
    ),
    _densenet(
        "densenet121-res224-pc",
        "DenseNet-121 (torchxrayvision, PadChest)",
        "PadChest",
        15,
        "a9148ef62ae4e7a31a9bed8cef22811f39681cd61e4390398936efc6280af521",
    ),
    _densenet(
        "densenet121-res224-rsna",
        "DenseNet-121 (torchxrayvision, RSNA)",
        "RSNA Pneumonia Challenge",
        2,
        "906a59f48cf09638b745d66848a6c6f9d741368c66244717a81207329d140268",
    ),
)

# Name → model.
OFFERED: Final = MappingProxyType({model.name: model for model in _MODELS})
