"""The CheXpert classifiers of ``mamounyosef/chest-xray-bench``, on the zoo's backbones.

Ma'moun Yosef's "A Systematic Study of Design Choices for Multi-Label Chest X-ray Classification on CheXpert"
(University of Jordan, 2026) trained about fifty networks on the frontal films of CheXpert. The weights are on
the Hugging Face Hub, one folder per run, under CC BY-NC 4.0: not for commercial use.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import torch
from torch import Tensor

from cxrbench.errors import look_up
from cxrbench.models.build import assemble
from cxrbench.models.classifier import Classifier
from cxrbench.models.colour import colour_state
from cxrbench.models.folder import fit, read_weights, revision_of
from cxrbench.models.spec import ModelSpec
from cxrbench.preprocess import Preprocessing

__all__ = ["LABELS", "PREPROCESSING", "RUNS", "Run", "from_file", "from_state_dict"]

LABELS: Final = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")

# They resize the film to lie inside 384 × 320 (width × height), add black around it, and then normalise each
# of three equal channels as ImageNet's. Their resized film has 8 bits, ours is not rounded.
PREPROCESSING: Final = Preprocessing(
    size=(320, 384), mean=0.0, std=1.0, interpolation="area", fit="letterbox"
)
_MEAN: Final = (0.485, 0.456, 0.406)
_STD: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Run:
    """A training run of theirs whose network is in the zoo.

    Args:
        name: of the run, and of its folder in the repository.
        architecture: a key of ``ARCHITECTURES``.
        thresholds: one per label: where F1 was largest on their 19,100 validation films.
        package: whose names the tensors of the file have.
        contrast: a key of ``CONTRASTS``.
        three_class: labels with three logits (absent, present, uncertain); the others have one.
    """

    name: str
    architecture: str
    thresholds: tuple[float, ...]
    package: Literal["timm", "torchvision"] = "torchvision"
    contrast: str = "none"
    three_class: tuple[str, ...] = ()

    @property
    def preprocessing(self) -> Preprocessing:
        """Of the run's films."""
        return replace(PREPROCESSING, contrast=self.contrast)


RUNS: Final[Mapping[str, Run]] = MappingProxyType(
    {
        run.name: run
        for run in (
            Run("resnet50_without_clahe", "resnet50", (0.246278, 0.238644, 0.214831, 0.322302, 0.35797)),
            Run(
                "resnet50_with_clahe",
                "resnet50",
                (0.261329, 0.208941, 0.214037, 0.278778, 0.467352),
                contrast="clahe",
            ),
            Run("resnet50_u_zeros", "resnet50", (0.183783, 0.219873, 0.123813, 0.338304, 0.314965)),
            Run("densenet121", "densenet121", (0.240136, 0.313316, 0.212017, 0.322934, 0.360111)),
            Run("densenet121_seed7", "densenet121", (0.267824, 0.252828, 0.174164, 0.22256, 0.324252)),
            Run("densenet121_seed123", "densenet121", (0.314648, 0.223862, 0.209073, 0.335022, 0.335816)),
            Run("densenet121_cons_zeros", "densenet121", (0.231287, 0.315742, 0.129737, 0.28545, 0.32931)),
            Run(
                "densenet121_u_mixed",
                "densenet121",
                (0.226379, 0.299379, 0.140869, 0.29447, 0.388395),
                three_class=("Cardiomegaly", "Pleural Effusion"),
            ),
            Run("densenet201", "densenet201", (0.270977, 0.312841, 0.223335, 0.364993, 0.365879)),
            Run("convnext_tiny", "convnext_tiny", (0.227775, 0.219952, 0.192648, 0.293657, 0.404599)),
            Run(
                "convnext_tiny_22k",
                "convnext_tiny",
                (0.221844, 0.300214, 0.198734, 0.318721, 0.413634),
                package="timm",
            ),
        )
    }
)

# Names of torchvision's ConvNeXt → timm's: beginnings, and parts of blocks.
_CONVNEXT_PARTS: Final = {
    "features.0.": "stem.",
    **{f"features.{2 * stage + 1}.": f"stages.{stage}.blocks." for stage in range(4)},
    **{f"features.{2 * stage}.": f"stages.{stage}.downsample." for stage in range(1, 4)},
    "classifier.0.": "head.norm.",
    "classifier.2.": "head.fc.",
}
_CONVNEXT_BLOCK: Final = {
    ".block.0.": ".conv_dw.",
    ".block.2.": ".norm.",
    ".block.3.": ".mlp.fc1.",
    ".block.5.": ".mlp.fc2.",
    ".layer_scale": ".gamma",
}


def from_file(file: str | Path, name: str) -> Classifier:
    """Build a model from the file of a run, in eval mode, with frozen parameters.

    Args:
        file: ``model.safetensors`` from the run's folder in the repository.
        name: a key of ``RUNS``.

    Raises:
        InputError: an unknown run, or a file that does not hold its weights.
    """
    path = Path(file)
    return from_state_dict(read_weights(path), name, revision=revision_of(path))


def from_state_dict(state: Mapping[str, Tensor], name: str, *, revision: str = "") -> Classifier:
    """Build a model from the state dict of a run, with its labels, thresholds and preprocessing.

    Args:
        state: as in the run's file.
        name: a key of ``RUNS``.
        revision: of the file.

    Raises:
        InputError: an unknown run, or a state dict that is not its.
    """
    run = look_up("run of chest-xray-bench", name, RUNS)
    spec = ModelSpec(
        name=f"chest-xray-bench-{name}",
        architecture=run.architecture,
        labels=LABELS,
        preprocessing=run.preprocessing,
        thresholds=run.thresholds,
        title=f"chest-xray-bench {name}",
        channels=3,
    )
    model = assemble(spec, revision=revision)
    weights = dict(_converted(key, value, run) for key, value in state.items())
    fit(colour_state(model.backbone, weights, _MEAN, _STD), model.backbone, name)
    return model.requires_grad_(False)


def _converted(name: str, value: Tensor, run: Run) -> tuple[str, Tensor]:
    """A tensor of a run's file by the name and in the form that it has in the zoo."""
    if name.endswith(".num_batches_tracked"):
        return name, value.long()  # their files hold all tensors as floats
    if name in ("classifier.weight", "classifier.bias") and run.three_class:
        return name, _one_logit_per_label(value, run.three_class)
    if run.architecture == "convnext_tiny" and run.package == "torchvision":
        name = _convnext_name(name)
        return name, value.flatten() if name.endswith(".gamma") else value
    return name, value


def _convnext_name(name: str) -> str:
    start = next((start for start in _CONVNEXT_PARTS if name.startswith(start)), "")
    name = _CONVNEXT_PARTS.get(start, "") + name.removeprefix(start)
    for theirs, ours in _CONVNEXT_BLOCK.items():
        name = name.replace(theirs, ours)
    return name


def _one_logit_per_label(rows: Tensor, three_class: tuple[str, ...]) -> Tensor:
    """Rows of a last layer, one per logit, as one per label: of three classes, present less absent.

    Its sigmoid is the softmax over absent and present, which is how they score.
    """
    widths = [3 if label in three_class else 1 for label in LABELS]
    if len(rows) != sum(widths):
        return rows  # of another layer, which the caller refuses
    return torch.stack([part[1] - part[0] if len(part) == 3 else part[0] for part in rows.split(widths)])
