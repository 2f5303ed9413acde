"""What training starts from, by a recipe: the images of each split, and the model before its first step."""

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
from cxrbench.terminal import ProgressBar
from cxrbench.training import supervision
from cxrbench.training.config import TrainConfig
from cxrbench.training.dataset import Images, decode

__all__ = ["Source", "begin", "new_model", "source"]

# A split and a side in pixels → its images.
Source = Callable[[str, int], Images]


def source(
    config: TrainConfig,
    studies: Mapping[str, Studies],
    cache: Path,
    *,
    process: PartialState | None = None,
    say: Callable[[str], None] = print,
) -> Source:
    """Where a split's images of a size come from: decoded once, augmented if they are to be learnt from.

    Args:
        config: the recipe.
        studies: of each split.
        cache: folder of the decoded images.
        process: which of several processes this is; None where it is alone.
        say: told which images cannot be read.
    """
    known = {
        split: supervision.known_targets(config, split, part, cache, process=process)
        for split, part in studies.items()
    }

    def images(split: str, size: int) -> Images:
        recipe = replace(config.preprocessing, size=size)
        with ProgressBar(f"{split} images decoded", final_line=False) as progress:
            pixels = decode(studies[split].paths, recipe, cache, progress=progress, say=say)
        change = config.augmentation if split == "train" else None
        drawn = supervision.shown(config, known[split]) if split == "train" else None
        names = studies[split].table["path"].tolist()
        return Images(
            pixels,
            known[split],
            recipe,
            augmentation=change,
            seed=config.seed,
            shown=drawn,
            names=names,
        )

    return images


def new_model(config: TrainConfig) -> models.Classifier:
    """The model of a recipe before its first step: random, mimetic, of ImageNet, or a saved one's weights."""
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
    """Give a model the weights of a saved one: all of them, of the same architecture and labels.

    Raises:
        InputError: they are of another architecture or size, or answer other labels.
    """
    saved = hub.load(folder)
    if saved.spec.labels != model.spec.labels:
        raise InputError(
            f"init = {folder} answers other labels ({', '.join(saved.spec.labels)}); "
            f"the recipe's are {', '.join(model.spec.labels)}."
        )
    files.fit(saved.backbone.state_dict(), model.backbone, str(folder))
