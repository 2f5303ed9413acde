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

    A repository's owner may replace its files. So the revision is pinned or the file's SHA-256, where they
    are known; of a pickle, which can run any code, always the SHA-256. Where neither is known, the newest
    commit is taken and stated as the model's source.

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
        revision: commit hash; "" where the newest is taken.
        sha256: of the file, 64 hex digits; "" where the Hub's own is taken.
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


def _chest_xray_bench(run: str, path: Path) -> "Classifier":
    from cxrbench.models import chest_xray_bench

    return chest_xray_bench.from_file(path, run)


def _run(run: str, title: str, size: int) -> OfferedModel:
    """A network of chest-xray-bench."""
    return OfferedModel(
        name=f"chest-xray-bench-{run}",
        title=f"{title} (chest-xray-bench)",
        repository="mamounyosef/chest-xray-bench",
        file=f"{run}/model.safetensors",
        licence="CC BY-NC 4.0: not for commercial use",
        learned_from="CheXpert",
        findings=5,
        size=size,
        load=partial(_chest_xray_bench, run),
    )


def _eva_x_tiny(name: str, path: Path) -> "Classifier":
    from cxrbench.models import eva_x

    return eva_x.from_file(path, name)


def _eva_x(data: str, findings: int, file: str, size: int, sha256: str) -> OfferedModel:
    """EVA-X tiny, fine-tuned on a data set."""
    name = f"eva-x-tiny-{data.lower()}"
    return OfferedModel(
        name=name,
        title=f"EVA-X tiny ({data})",
        repository="MapleF/eva_x",
        file=file,
        licence="MIT",
        learned_from=data,
        findings=findings,
        size=size,
        load=partial(_eva_x_tiny, name),
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
    _run("resnet50_without_clahe", "ResNet-50", 94_300_000),
    _run("densenet121", "DenseNet-121", 28_200_000),
    _run("densenet201", "DenseNet-201", 73_200_000),
    _run("convnext_tiny", "ConvNeXt-Tiny", 111_300_000),
    _eva_x(
        "NIH",
        14,
        "eva_x_tiny_patch16_merged520k_mim_cxr14_ft.pth",
        66_600_000,
        "7209199ce0d8efbf711330b0ccec2e747b69afced0638dcabda754d2edf287ee",
    ),
    _eva_x(
        "CheXpert",
        5,
        "eva_x_tiny_patch16_mrerged520k_mim_chexpert_ft.pth",
        65_400_000,
        "a798b1287b73475aaa3945df0fba6f71fd754a00968cbb461f65f61c9695a85f",
    ),
)

# Name → model.
OFFERED: Final = MappingProxyType({model.name: model for model in _MODELS})
