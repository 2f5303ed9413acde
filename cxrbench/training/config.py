"""``TrainConfig``: a training recipe read from TOML, checked, and saved with the weights."""

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from cxrbench.augment import Augmentation, Mixup
from cxrbench.data import POOLINGS
from cxrbench.data.phantom import Shortcut
from cxrbench.errors import InputError, look_up
from cxrbench.labels import CHEXPERT
from cxrbench.preprocess import Preprocessing
from cxrbench.targets import POLICIES
from cxrbench.training.objective.sampling import SAMPLINGS
from cxrbench.training.records import changed, record

__all__ = ["DataConfig", "Phase", "TrainConfig"]


@dataclass(frozen=True)
class DataConfig:
    """Which studies a recipe learns from: three tables, or one that is shared out by patient.

    Args:
        root: the folder with the tables, relative to where the recipe is run; runs/… in the folder of runs.
        train: weights are fitted to this table's studies.
        valid: the best epoch and the thresholds are chosen on this one.
        test: the evaluation beside the model is of this one. A ``.txt`` file lists names of images in the
            train table (as NIH's ``test_list.txt`` does); every patient in it is kept out of training.
        format: a key of ``sources.FORMATS``: whose tables these are.
        fractions: where given, the train table is shared out by patient: to train, valid and test, or, where
            ``test`` is a list, what is not in it to train and valid.
        split_seed: of that.
        view: ``frontal``, ``lateral``, or empty for both.
        policy: a key of ``targets.POLICIES``: what training makes of uncertain and blank labels.
        teacher: folder of a model trained with the policy ``ignore``, for the policy ``self-trained``.
        close_hierarchy: a positive finding makes its ancestors positive in training.
        certain: learn from the phantom's certain truth (``truth.csv``) instead of what its labeller says.
        phantom_patients: where ``root`` is not there, write a phantom of so many patients; 0 for never.
        phantom_seed: of that phantom.
        phantom_size: side of its images in pixels.
        phantom_fractions: share of its patients in train, valid and test.
        phantom_shortcuts: what to plant on its films, as ``[[data.phantom_shortcuts]]`` tables.
    """

    root: str
    train: str = "train.csv"
    valid: str = "valid.csv"
    test: str = "test.csv"
    format: str = "chexpert"
    fractions: tuple[float, ...] = ()
    split_seed: int = 0
    view: str = "frontal"
    policy: str = "zeros"
    teacher: str = ""
    close_hierarchy: bool = False
    certain: bool = False
    phantom_patients: int = 0
    phantom_seed: int = 0
    phantom_size: int = 320
    phantom_fractions: tuple[float, ...] = (0.75, 0.05, 0.2)
    phantom_shortcuts: tuple[Shortcut, ...] = ()


@dataclass(frozen=True)
class Phase:
    """A stretch of training at one image size, with its own warm-up and cosine.

    Args:
        size: side of the square input in pixels.
        epochs: passes over the training studies.
        batch: images per step, over all processes.
        rate: AdamW's learning rate at the end of the warm-up.
        warmup: epochs over which the rate rises from 0; a fraction is allowed.
        bfloat16: run the forward pass in bfloat16; weights stay float32.
        floor: the last rate of the cosine, as a fraction of the peak; 1 for a constant rate.
        train: what learns: ``all``, ``head`` (the layers after the last feature map), or a stage of the
            architecture and all above it. What does not learn keeps its norms' statistics, too.
        slower: each stage further down learns at this fraction of the rate of the one above; 1 for all alike.
        patience: epochs without a better mean validation AUROC after which the phase ends; 0 for never.
        least: what counts as better.
    """

    size: int
    epochs: int
    batch: int
    rate: float
    warmup: float = 0.5
    bfloat16: bool = False
    floor: float = 0.01
    train: str = "all"
    slower: float = 1.0
    patience: int = 0
    least: float = 0.0

    def __post_init__(self) -> None:
        for name in ("size", "epochs", "batch", "rate"):
            if getattr(self, name) <= 0:
                raise InputError(f"A phase's {name} must be above 0; got {getattr(self, name)}.")
        if not 0 <= self.warmup < self.epochs:
            raise InputError(
                f"A phase's warmup must lie in [0, {self.epochs}), its epochs; got {self.warmup}."
            )
        if not 0 <= self.floor <= 1:
            raise InputError(f"A phase's floor must lie in [0, 1]; got {self.floor}.")
        if not 0 < self.slower <= 1:
            raise InputError(f"A phase's slower must lie in (0, 1]; got {self.slower}.")
        if self.patience < 0 or self.least < 0:
            raise InputError(
                f"A phase's patience and least must be at least 0; got {self.patience} and {self.least}."
            )


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides what weights come out, besides the machine.

    Args:
        name: of the model, and of its folder.
        architecture: a key of ``models.ARCHITECTURES``.
        data: the studies.
        phases: run one after the other on the same weights; the model's input size is the last one's.
        title: a line for people.
        labels: one per logit.
        pretrained: start from ImageNet weights rather than from random ones.
        init: folder of a saved model to start from, of the same architecture and labels; empty for none.
        mimetic: start a vision transformer from weights that look trained (``models/mimetic.py``).
        hidden: units of a ReLU layer before the logits (Liz et al. 2022: 512); 0 for none.
        dropout: before the last layer, in [0, 1).
        clinical: also measure a late fusion with age, sex and view (``fusion.py``), beside the model alone.
        studies: also measure by study: how the scores of its images become the study's, a key of
            ``data.POOLINGS``; empty for not.
        preprocessing: the model's; its size is overruled by each phase.
        augmentation: of training images only.
        mixup: alpha of ``augment.Mixup``, which lays training images over each other; 0 for none.
        positive_weights: weigh positives by n₋ / n₊ in the loss; the same as ``loss = "weighted"``.
        loss: a key of ``losses.LOSSES``.
        loss_options: of that loss, where not its paper's.
        label_smoothing: ε: a certain target y becomes y·(1 − ε) + ε/2 in training.
        sampling: a key of ``sampling.SAMPLINGS``: which images an epoch shows, and how often.
        weight_decay: AdamW's, on matrices and kernels; not on biases and norms.
        clip: longest gradient; longer ones are scaled down to it.
        ema: decay of the exponential moving average of the weights, which is what is validated and kept.
        seed: of weights, order and augmentation.
        checkpoint_steps: steps between checkpoints within an epoch.
        workers: processes that prepare batches; 0 prepares them in the training process.
        exact: several processes give what one would, up to rounding: batch norms see the whole batch, and a
            process counts by its known targets. Costs one message per norm and step.
        tensorboard: write event files for TensorBoard beside the run's state.
    """

    name: str
    architecture: str
    data: DataConfig
    phases: tuple[Phase, ...]
    title: str = ""
    labels: tuple[str, ...] = CHEXPERT
    pretrained: bool = False
    init: str = ""
    mimetic: bool = False
    hidden: int = 0
    dropout: float = 0.0
    clinical: bool = False
    studies: str = ""
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    augmentation: Augmentation = field(default_factory=Augmentation)
    mixup: float = 0.0
    positive_weights: bool = False
    loss: str = "bce"
    loss_options: dict[str, float] = field(default_factory=dict)
    label_smoothing: float = 0.0
    sampling: str = "each"
    weight_decay: float = 0.02
    clip: float = 1.0
    ema: float = 0.99
    seed: int = 0
    checkpoint_steps: int = 50
    workers: int = 0
    exact: bool = False
    tensorboard: bool = False

    def __post_init__(self) -> None:
        if not self.phases:
            raise InputError("A recipe needs at least one [[phases]] table; got none.")
        if not 0 <= self.ema < 1:
            raise InputError(f"ema must lie in [0, 1); got {self.ema}.")
        if self.pretrained + bool(self.init) + self.mimetic > 1:
            raise InputError("A recipe starts from pretrained, mimetic or init weights; give one.")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout must lie in [0, 1); got {self.dropout}.")
        if self.studies:
            look_up("studies", self.studies, POOLINGS)
        self._check_supervision()

    def _check_supervision(self) -> None:
        """What is learnt, and by which loss, must be known and fit together."""
        from cxrbench.training.objective.losses import (
            LOSSES,  # not above: a recipe is read before torch is needed
        )

        loss = look_up("loss", self.loss, LOSSES)
        look_up("sampling", self.sampling, SAMPLINGS)
        if not 0 <= self.label_smoothing < 1:
            raise InputError(f"label_smoothing must lie in [0, 1); got {self.label_smoothing}.")
        Mixup(self.mixup)  # refuses what is no alpha
        if self.mixup and loss.outputs == 3:
            raise InputError("mixup needs targets from 0 to 1; with the loss 'three-class' some are −1.")
        if self.positive_weights and self.loss != "bce":
            raise InputError(f"positive_weights goes with the loss 'bce' alone; got {self.loss!r}.")
        policy = POLICIES.get(self.data.policy)
        if policy and (policy.needs == "three-class") != (loss.outputs == 3):
            raise InputError(
                "The policy 'multiclass' and the loss 'three-class' go together; "
                f"got {self.data.policy!r} with {self.loss!r}."
            )

    @classmethod
    def read(cls, path: Path) -> Self:
        """The recipe in a TOML file.

        Raises:
            InputError: no such file, no TOML, an unknown or missing key (the sentence names the known ones),
                or a value of the wrong type.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf8"))
        except OSError as error:
            raise InputError(f"Recipe {path} cannot be read ({error.strerror}); give a TOML file.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"Recipe {path} is not TOML: {error}.") from None
        config: Self = record(cls, values, path.name)
        return config

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        return asdict(self)

    @property
    def fingerprint(self) -> str:
        """Changes with any setting that decides the weights: a checkpoint belongs to one of them.

        Settings at their default say nothing, so that a run outlives a version that knows more settings.
        """
        deciding = {key: v for key, v in changed(self).items() if key not in _NOT_DECIDING}
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:16]


_NOT_DECIDING = ("title", "checkpoint_steps", "workers", "tensorboard", "clinical", "studies")
