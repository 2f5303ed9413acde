"""Images and initial model of a recipe."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from accelerate import PartialState

from cxrbench import models
from cxrbench.data import Studies
from cxrbench.errors import InputError
from cxrbench.models import folder as files
from cxrbench.models import hub
from cxrbench.models.mimetic import mimic
from cxrbench.preprocess.pipeline import Size
from cxrbench.terminal import ProgressBar
from cxrbench.training import supervision
from cxrbench.training.config import TrainConfig
from cxrbench.training.dataset import Images, decode

__all__ = ["ImageSource", "begin", "new_model", "source"]

# Split and size of the input in pixels → images.
ImageSource = Callable[[str, Size], Images]


def source(
    config: TrainConfig,
    studies: Mapping[str, Studies],
    cache: Path,
    *,
    process: PartialState | None = None,
    say: Callable[[str], None] = print,
) -> ImageSource:
    """A function that returns the images of a split at a size: decoded once, augmented in training.

    Args:
        config: the recipe.
        studies: split → its studies.
        cache: folder of the decoded images.
        process: this process; None for a single process.
        say: called with a message about unreadable images.
    """
    targets = {
        split: supervision.known_targets(config, split, part, cache, process=process)
        for split, part in studies.items()
    }

    def images(split: str, size: Size) -> Images:
        preprocessing = replace(config.preprocessing, size=size)
        with ProgressBar(f"{split} images decoded", final_line=False) as progress:
            pixels = decode(studies[split].paths, preprocessing, cache, progress=progress, say=say)
        augmentation = config.augmentation if split == "train" else None
        selection = supervision.selection(config, targets[split]) if split == "train" else None
        names = studies[split].table["path"].tolist()
        return Images(
            pixels,
            targets[split],
            preprocessing,
            augmentation=augmentation,
            seed=config.seed,
            selection=selection,
            names=names,
        )

    return images


def new_model(config: TrainConfig) -> models.Classifier:
    """Create the model of a recipe with its initial weights: random, mimetic, ImageNet or a saved model's."""
    model = models.create(
        config.architecture,
        config.labels,
        pretrained=config.pretrained,
        name=config.name,
        title=config.title,
        preprocessing=replace(config.preprocessing, size=config.phases[-1].size),
        hidden=config.hidden,
        drop_rate=config.dropout,
        seed=config.seed,
    )
    if config.mimetic:
        mimic(model.backbone, seed=config.seed)
    if config.init:
        begin(model, Path(config.init))
    return model


def begin(model: models.Classifier, folder: Path) -> None:
    """Load all weights of a saved model of the same architecture and labels.

    Raises:
        InputError: the saved model has another architecture, size or labels.
    """
    saved = hub.load(folder)
    if saved.spec.labels != model.spec.labels:
        raise InputError(
            f"init = {folder} has other labels ({', '.join(saved.spec.labels)}); "
            f"the recipe's are {', '.join(model.spec.labels)}."
        )
    files.fit(saved.backbone.state_dict(), model.backbone, str(folder))
