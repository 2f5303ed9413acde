"""A training recipe as a value: read from TOML, checked, and kept beside the weights it made."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, Self, get_args, get_origin, get_type_hints

from cxrbench.augment import Augmentation
from cxrbench.data.phantom import Shortcut
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT
from cxrbench.preprocess import Preprocessing
from cxrbench.targets import POLICIES
from cxrbench.training.losses import LOSSES
from cxrbench.training.sampling import SAMPLINGS

__all__ = ["DataConfig", "Phase", "TrainConfig"]


@dataclass(frozen=True)
class DataConfig:
    """Which studies a recipe learns from: a CheXpert tree with three tables.

    Args:
        root: the folder with the tables, relative to where the recipe is run.
        train: weights are fitted to this table's studies.
        valid: the best epoch and the thresholds are chosen on this one.
        test: the evaluation beside the model is of this one.
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
        batch: images a step, over all processes.
        rate: AdamW's learning rate at the end of the warm-up.
        warmup: epochs over which the rate rises from 0; a fraction is allowed.
        bfloat16: run the forward pass in bfloat16; weights stay float32.
    """

    size: int
    epochs: int
    batch: int
    rate: float
    warmup: float = 0.5
    bfloat16: bool = False

    def __post_init__(self) -> None:
        for name in ("size", "epochs", "batch", "rate"):
            if getattr(self, name) <= 0:
                raise InputError(f"A phase's {name} must be above 0; got {getattr(self, name)}.")
        if not 0 <= self.warmup < self.epochs:
            raise InputError(
                f"A phase's warmup must lie in [0, {self.epochs}), its epochs; got {self.warmup}."
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
        labels: one a logit.
        pretrained: start from ImageNet weights rather than from random ones.
        init: folder of a saved model to start from, of the same architecture and labels; empty for none.
        preprocessing: the model's; its size is overruled by each phase.
        augmentation: of training images only.
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
    """

    name: str
    architecture: str
    data: DataConfig
    phases: tuple[Phase, ...]
    title: str = ""
    labels: tuple[str, ...] = CHEXPERT
    pretrained: bool = False
    init: str = ""
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    augmentation: Augmentation = field(default_factory=Augmentation)
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

    def __post_init__(self) -> None:
        if not self.phases:
            raise InputError("A recipe needs at least one [[phases]] table; got none.")
        if not 0 <= self.ema < 1:
            raise InputError(f"ema must lie in [0, 1); got {self.ema}.")
        if self.init and self.pretrained:
            raise InputError(f"A recipe starts from pretrained weights or from init ({self.init}); give one.")
        self._check_supervision()

    def _check_supervision(self) -> None:
        """What is learnt, and by which loss, must be known and fit together."""
        known = {"loss": (self.loss, LOSSES), "sampling": (self.sampling, SAMPLINGS)}
        for name, (value, table) in known.items():
            if value not in table:
                raise InputError(f"Unknown {name} {value!r}; choose from: {', '.join(table)}.")
        if not 0 <= self.label_smoothing < 1:
            raise InputError(f"label_smoothing must lie in [0, 1); got {self.label_smoothing}.")
        if self.positive_weights and self.loss != "bce":
            raise InputError(f"positive_weights goes with the loss 'bce' alone; got {self.loss!r}.")
        policy = POLICIES.get(self.data.policy)
        if policy and (policy.needs == "three-class") != (LOSSES[self.loss].outputs == 3):
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
        return _record(cls, values, path.name)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        return asdict(self)

    @property
    def fingerprint(self) -> str:
        """Changes with any setting that decides the weights: a checkpoint belongs to one of them.

        Settings at their default say nothing, so that a run outlives a version that knows more settings.
        """
        deciding = {key: v for key, v in _changed(self).items() if key not in _NOT_DECIDING}
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:16]


_NOT_DECIDING = ("title", "checkpoint_steps", "workers")


def _changed(record: Any) -> dict[str, Any]:
    """The fields of a record that differ from their default, nested records likewise."""
    changed = {}
    for entry in fields(record):
        value = getattr(record, entry.name)
        default = entry.default if entry.default_factory is MISSING else entry.default_factory()
        if value != default:
            changed[entry.name] = _plain(value)
    return changed


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return _changed(value) if is_dataclass(value) else value


def _record(cls: Any, values: Mapping[str, Any], where: str) -> Any:
    """A frozen record from a TOML table; nested tables become nested records."""
    hints = get_type_hints(cls)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise InputError(f"{where} holds unknown {', '.join(unknown)}; known are: {', '.join(hints)}.")
    required = [f.name for f in fields(cls) if f.default is f.default_factory]  # both are MISSING
    missing = [name for name in required if name not in values]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}; known are: {', '.join(hints)}.")
    return cls(**{name: _value(hints[name], value, f"{where}: {name}") for name, value in values.items()})


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint):
        if not isinstance(value, dict):
            raise InputError(f"{where} must be a table; got {value!r}.")
        return _record(hint, value, where)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise InputError(f"{where} must be a list; got {value!r}.")
        return tuple(_value(get_args(hint)[0], entry, where) for entry in value)
    if get_origin(hint) is dict:
        if not isinstance(value, dict):
            raise InputError(f"{where} must be a table; got {value!r}.")
        return {key: _value(get_args(hint)[1], entry, f"{where}: {key}") for key, entry in value.items()}
    kinds = {float: (int, float), int: (int,), str: (str,), bool: (bool,)}.get(hint)
    if kinds and (not isinstance(value, kinds) or (isinstance(value, bool) and hint is not bool)):
        raise InputError(f"{where} must be of type {hint.__name__}; got {value!r}.")
    return float(value) if hint is float else value
