"""The training targets of a recipe: policy, soft labels, hierarchy, smoothing, sampling, loss."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState

from cxrbench import data, models, targets
from cxrbench.errors import InputError, look_up
from cxrbench.labels import finding_indices
from cxrbench.models import hub
from cxrbench.training.config import TrainConfig
from cxrbench.training.dataset import Images, decode
from cxrbench.training.objective.losses import LOSSES, Criterion, smoothed
from cxrbench.training.objective.sampling import SAMPLINGS, Shown
from cxrbench.training.transfer.heads import fold, widen
from cxrbench.training.validation import scores_of

__all__ = ["criterion", "known_targets", "narrow", "prepare", "shown"]


def known_targets(
    config: TrainConfig,
    split: str,
    studies: data.Studies,
    cache: Path,
    *,
    process: PartialState | None = None,
) -> torch.Tensor:
    """Targets (N, L): the recipe's policy in training, elsewhere uncertain is left out; blank is absent.

    Args:
        config: the recipe.
        split: "train", "valid" or "test".
        studies: the split's.
        cache: folder of the decoded images, the teacher's too.
        process: which of several processes this is: the main one decodes for all. None where it is alone.

    Raises:
        InputError: the policy is not known, or its teacher cannot be had.
    """
    policy = look_up("policy", config.data.policy, targets.POLICIES)
    given = studies.targets[:, finding_indices(config.labels, studies.labels)].astype(float)
    if split != "train":
        return torch.from_numpy(targets.ground_truth(given, config.labels))
    if config.data.close_hierarchy:
        given = targets.hierarchy.close(given, config.labels)
    guesses = guessed(config, studies, cache, process) if policy.needs == "guesses" else None
    seen = policy(given, config.labels, blank="zero", seed=config.seed, guesses=guesses)
    found = torch.from_numpy(seen)
    return smoothed(found, config.label_smoothing) if config.label_smoothing else found


def guessed(
    config: TrainConfig, studies: data.Studies, cache: Path, process: PartialState | None = None
) -> np.ndarray:
    """What the recipe's teacher says of the training images: (N, L) in [0, 1].

    Raises:
        InputError: no teacher is named, or it does not know the recipe's labels.
    """
    if not config.data.teacher:
        raise InputError(
            f"Policy {config.data.policy!r} needs data.teacher, the folder of a model trained with 'ignore'."
        )
    teacher = hub.load(Path(config.data.teacher))
    columns = finding_indices(config.labels, teacher.spec.labels)
    nothing = torch.full((len(studies), len(teacher.spec.labels)), torch.nan)
    recipe = teacher.spec.preprocessing
    with process.main_process_first() if process else nullcontext():
        images = Images(decode(studies.paths, recipe, cache), nothing, recipe)
    return scores_of(teacher, images)[:, columns]


def shown(config: TrainConfig, seen: torch.Tensor) -> Shown:
    """Which training images an epoch draws from, by the recipe's sampling."""
    return SAMPLINGS[config.sampling].choose(seen.numpy(), config.seed)


def criterion(config: TrainConfig, seen: torch.Tensor) -> Criterion:
    """The recipe's loss, fitted to what training sees of the labels (N, L)."""
    name = "weighted" if config.positive_weights else config.loss
    return LOSSES[name](seen, **config.loss_options)


def prepare(config: TrainConfig, model: models.Classifier) -> None:
    """Give the model as many logits a finding as the recipe's loss wants."""
    if LOSSES[config.loss].outputs == 3:
        widen(model)


def narrow(config: TrainConfig, model: models.Classifier) -> None:
    """Undo ``prepare`` after training: one logit per finding, the same scores."""
    if LOSSES[config.loss].outputs == 3:
        fold(model)
