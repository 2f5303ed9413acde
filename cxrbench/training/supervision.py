"""Training targets, sampling and loss of a recipe."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState

from cxrbench import data, targets
from cxrbench.errors import InputError, look_up
from cxrbench.labels import finding_indices
from cxrbench.models import hub
from cxrbench.training.config import TrainConfig
from cxrbench.training.dataset import Images, decode
from cxrbench.training.objective.losses import LOSSES, Criterion, smoothed
from cxrbench.training.objective.sampling import SAMPLINGS, Selection
from cxrbench.training.validation import scores_of

__all__ = ["criterion", "known_targets", "selection"]


def known_targets(
    config: TrainConfig,
    split: str,
    studies: data.Studies,
    cache: Path,
    *,
    process: PartialState | None = None,
) -> torch.Tensor:
    """Targets (N, L): in training by the recipe's policy, else with uncertain labels as NaN; blank is absent.

    Args:
        config: the recipe.
        split: "train", "valid" or "test".
        studies: of the split.
        cache: folder of the decoded images, also of the teacher's.
        process: this process; the main one decodes for all. None for a single process.

    Raises:
        InputError: the policy is unknown, or its teacher cannot be loaded.
    """
    policy = look_up("policy", config.data.policy, targets.POLICIES)
    labels = studies.targets[:, finding_indices(config.labels, studies.labels)].astype(float)
    if split != "train":
        return torch.from_numpy(targets.ground_truth(labels, config.labels))
    if config.data.close_hierarchy:
        labels = targets.hierarchy.close(labels, config.labels)
    guesses = teacher_scores(config, studies, cache, process) if policy.needs == "guesses" else None
    values = policy(labels, config.labels, blank="zero", seed=config.seed, guesses=guesses)
    known = torch.from_numpy(values)
    return smoothed(known, config.label_smoothing) if config.label_smoothing else known


def teacher_scores(
    config: TrainConfig, studies: data.Studies, cache: Path, process: PartialState | None = None
) -> np.ndarray:
    """Scores of the recipe's teacher model for the training images: (N, L) in [0, 1].

    Raises:
        InputError: the recipe names no teacher, or the teacher lacks labels of the recipe.
    """
    if not config.data.teacher:
        raise InputError(
            f"Policy {config.data.policy!r} needs data.teacher, the folder of a model trained with 'ignore'."
        )
    teacher = hub.load(Path(config.data.teacher))
    columns = finding_indices(config.labels, teacher.spec.labels)
    unused = torch.full((len(studies), len(teacher.spec.labels)), torch.nan)
    preprocessing = teacher.spec.preprocessing
    with process.main_process_first() if process else nullcontext():
        images = Images(decode(studies.paths, preprocessing, cache), unused, preprocessing)
    return scores_of(teacher, images)[:, columns]


def selection(config: TrainConfig, targets: torch.Tensor) -> Selection:
    """The rows and sampling weights of an epoch, by the recipe's sampling."""
    return SAMPLINGS[config.sampling].choose(targets.numpy(), config.seed)


def criterion(config: TrainConfig, targets: torch.Tensor) -> Criterion:
    """The recipe's loss, with class weights from the training targets (N, L)."""
    name = "weighted" if config.positive_weights else config.loss
    return LOSSES[name](targets, **config.loss_options)
