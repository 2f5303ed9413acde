"""``TrainConfig``: a training recipe, read from TOML, validated, and saved with the weights."""

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
    """The data of a recipe: three tables, or one that is split by patient.

    Args:
        root: folder of the tables, relative to the working directory; runs/… is below the folder of runs.
        train: table of the training studies.
        valid: table of the validation studies, for the best epoch and the thresholds.
        test: table of the test studies, for the evaluation that is saved with the model. Or a ``.txt`` file
            with names of images of the train table (such as NIH's ``test_list.txt``); all patients in it
            are excluded from training.
        format: format of the tables, a key of ``sources.FORMATS``.
        fractions: if given, the train table is split by patient into train, valid and test; if ``test`` is a
            list, the images not in it are split into train and valid.
        split_seed: seed of this split.
        view: ``frontal``, ``lateral``, or empty for both.
        policy: treatment of uncertain and blank labels in training, a key of ``targets.POLICIES``.
        teacher: folder of a model trained with the policy ``ignore``, for the policy ``self-trained``.
        close_hierarchy: a positive finding makes its ancestors positive in training.
        certain: train on the phantom's true labels (``truth.csv``) instead of those of its report labeller.
        phantom_patients: number of patients of a phantom that is written if ``root`` does not exist; 0 for
            none.
        phantom_seed: seed of that phantom.
        phantom_size: side of its images in pixels.
        phantom_fractions: share of its patients in train, valid and test.
        phantom_shortcuts: markers to plant on its images, as ``[[data.phantom_shortcuts]]`` tables.
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
    """A part of training with one image size and its own learning rate schedule.

    Args:
        size: side of the square input in pixels.
        epochs: passes over the training studies.
        batch: images per step, over all processes.
        rate: learning rate of AdamW at the end of the warm-up.
        warmup: epochs of linear warm-up from 0; may be a fraction.
        bfloat16: run the forward pass in bfloat16; weights stay float32.
        floor: final learning rate of the cosine, as a fraction of the peak; 1 for a constant rate.
        train: trainable layers: ``all``, ``head`` (the layers after the last feature map), or the name of a
            stage, which is trained with all layers after it. Frozen norms keep their running statistics.
        slower: factor on the learning rate per stage further from the head; 1 for one rate.
        patience: epochs without improvement of the mean validation AUROC after which the phase ends; 0 for
            no early stopping.
        least: smallest increase that counts as an improvement.
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
                raise InputError(f"A phase's {name} must be greater than 0; got {getattr(self, name)}.")
        if not 0 <= self.warmup < self.epochs:
            raise InputError(
                f"A phase's warmup must lie in [0, {self.epochs}), the number of its epochs; got "
                f"{self.warmup}."
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
    """All settings of a training run.

    Args:
        name: name of the model and its folder.
        architecture: a key of ``models.ARCHITECTURES``.
        data: the studies.
        phases: trained in order on the same weights; the last one determines the model's input size.
        title: title of the model.
        labels: one per logit.
        pretrained: start from ImageNet weights instead of random ones.
        init: folder of a saved model to start from, of the same architecture and labels; empty for none.
        mimetic: mimetic initialisation of a vision transformer (``models/mimetic.py``).
        hidden: units of a ReLU layer before the logits (Liz et al. 2022: 512); 0 for none.
        dropout: dropout before the last layer, in [0, 1).
        clinical: also evaluate a late fusion with age, sex and view (``transfer/late_fusion.py``).
        studies: also evaluate by study; how scores of its images are pooled, a key of ``data.POOLINGS``;
            empty for no.
        preprocessing: the model's; each phase overrides its size.
        augmentation: of training images only.
        mixup: alpha of ``augment.Mixup``; 0 for none.
        positive_weights: weight positives by n₋ / n₊ in the loss; the same as ``loss = "weighted"``.
        loss: a key of ``losses.LOSSES``.
        loss_options: options of that loss that differ from its paper's.
        label_smoothing: ε; a certain target y becomes y·(1 − ε) + ε/2 in training.
        sampling: how training images are sampled, a key of ``sampling.SAMPLINGS``.
        weight_decay: of AdamW, for matrices and kernels; not for biases and norms.
        clip: maximum norm of the gradient.
        ema: decay of the exponential moving average of the weights, which is validated and saved.
        seed: of weights, order and augmentation.
        checkpoint_steps: steps between checkpoints within an epoch.
        workers: processes that prepare batches; 0 prepares them in the training process.
        exact: make several processes equivalent to one, up to rounding: batch norms use the statistics of the
            whole batch, and processes are weighted by their known targets. Costs one message per norm and
            step.
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
            raise InputError("pretrained, mimetic and init exclude each other; set one of them.")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout must lie in [0, 1); got {self.dropout}.")
        if self.studies:
            look_up("studies", self.studies, POOLINGS)
        self._check_supervision()

    def _check_supervision(self) -> None:
        """Validate loss, sampling, mixup and policy, and that they are compatible."""
        from cxrbench.training.objective.losses import (
            LOSSES,  # imported here: it needs torch
        )

        loss = look_up("loss", self.loss, LOSSES)
        look_up("sampling", self.sampling, SAMPLINGS)
        if not 0 <= self.label_smoothing < 1:
            raise InputError(f"label_smoothing must lie in [0, 1); got {self.label_smoothing}.")
        Mixup(self.mixup)  # validates alpha
        if self.mixup and loss.outputs == 3:
            raise InputError(
                "mixup needs targets in [0, 1], but the loss 'three-class' has targets of −1; set mixup to 0."
            )
        if self.positive_weights and self.loss != "bce":
            raise InputError(f"positive_weights needs the loss 'bce'; got {self.loss!r}.")
        policy = POLICIES.get(self.data.policy)
        if policy and (policy.needs == "three-class") != (loss.outputs == 3):
            raise InputError(
                "The policy 'multiclass' and the loss 'three-class' require each other; "
                f"got {self.data.policy!r} with {self.loss!r}."
            )

    @classmethod
    def read(cls, path: Path) -> Self:
        """The recipe in a TOML file.

        Raises:
            InputError: the file is missing or not TOML, a key is unknown or missing, or a value has the wrong
                type.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf8"))
        except OSError as error:
            raise InputError(f"Recipe {path} cannot be read ({error.strerror}); give a TOML file.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"Recipe {path} is not valid TOML: {error}.") from None
        config: Self = record(cls, values, path.name)
        return config

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return asdict(self)

    @property
    def fingerprint(self) -> str:
        """Hash of all settings that determine the weights; a checkpoint is resumed only if it matches.

        Settings at their default do not enter it, so that new settings in later versions do not change it.
        """
        settings = {key: v for key, v in changed(self).items() if key not in _NOT_IN_FINGERPRINT}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


_NOT_IN_FINGERPRINT = ("title", "checkpoint_steps", "workers", "tensorboard", "clinical", "studies")
