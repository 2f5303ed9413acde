"""The arms of the experiments: policies for uncertain labels, and methods against imbalance."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import torch
from torch import nn

from cxrbench import data
from cxrbench.labels import CHEXPERT
from cxrbench.metrics import ranking
from cxrbench.preprocess import Preprocessing
from cxrbench.targets import POLICIES, hierarchy, ml_smote, resampling
from cxrbench.training import DataConfig, Engine, Images, Phase, TrainConfig, decode, scores_of
from cxrbench.training.objective.losses import LOSSES
from cxrbench.training.objective.sampling import SAMPLINGS
from cxrbench.training.transfer.decoupled import features_of, retrain
from cxrbench.training.transfer.heads import fold, widen
from cxrbench.writing import draft

SIZE: Final = 64
EPOCHS: Final = 4


@dataclass(frozen=True)
class ExperimentData:
    """The data that every arm is trained and evaluated on.

    Args:
        root: folder of a phantom.
        out: folder of decoded images, weights and scores.
    """

    root: Path
    out: Path

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Split → its frontal images with labels; "truth" has the true labels of the train split."""
        tables = {
            name: data.read_chexpert(self.root / f"{name}.csv").table for name in ("train", "valid", "test")
        }
        tables = {name: table[table["view"] == "frontal"] for name, table in tables.items()}
        truth = data.read_chexpert(self.root / "truth.csv").table.set_index("path")
        return {**tables, "truth": truth.loc[tables["train"]["path"]]}

    def targets(self, split: str) -> np.ndarray:
        """(N, L) of 1, 0, −1, NaN."""
        return self.tables[split][list(CHEXPERT)].to_numpy(float)

    def images(self, split: str, targets: np.ndarray, **options: object) -> Images:
        """Images of a split with the targets for the loss."""
        recipe = Preprocessing(size=SIZE)
        paths = [Path(path) for path in self.tables[split]["path"]]
        pixels = np.asarray(decode(paths, recipe, self.out / "pixels"))
        return Images(pixels, torch.from_numpy(targets.astype(np.float32)), recipe, **options)  # type: ignore[arg-type]


def small(seed: int) -> nn.Module:
    """A plain network of seven convolutions, 170,000 weights: (B, 1, 64, 64) → (B, 14)."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        widths = ((1, 12, 2), (12, 24, 2), (24, 24, 1), (24, 48, 2), (48, 48, 1), (48, 96, 2), (96, 96, 1))
        layers: list[nn.Module] = []
        for before, after, stride in widths:
            layers += [
                nn.Conv2d(before, after, 3, stride, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(True),
            ]
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, len(CHEXPERT)))


def fit(
    bench: ExperimentData, model: nn.Module, name: str, images: Images, *, loss: str, seed: int, epochs: int
) -> None:
    """Train a model in place; the epoch with the best validation AUROC is kept."""
    phase = Phase(size=SIZE, epochs=epochs, batch=64, rate=3e-3, warmup=0.5, bfloat16=True)
    config = TrainConfig(
        name=name,
        architecture="small",
        data=DataConfig(str(bench.root)),
        phases=(phase,),
        seed=seed,
        checkpoint_steps=10**6,
    )
    valid = bench.images("valid", bench.targets("valid"))
    criterion = LOSSES[loss](images.targets)
    engine = Engine(model, config, bench.out / "state" / name, loss=criterion, say=lambda line: None)
    engine.fit(lambda size: (images, valid))
    model.load_state_dict(engine.best())


@dataclass(frozen=True)
class Arm:
    """One arm of an experiment.

    Args:
        name: stem of its files.
        title: in the table of results.
        experiment: "policies" or "imbalance".
        train: data, seed → scores of the test images (N, L).
    """

    name: str
    title: str
    experiment: str
    train: Callable[[ExperimentData, int], np.ndarray] = field(repr=False)


def policy(name: str, loss: str = "bce") -> Callable[[ExperimentData, int], np.ndarray]:
    """Train on the labeller's labels with a policy; blank counts as absent."""

    def train(bench: ExperimentData, seed: int) -> np.ndarray:
        guesses = None
        if POLICIES[name].needs == "guesses":
            teacher = known(bench, "ignore", seed)
            guesses = scores_of(teacher, bench.images("train", bench.targets("train")))
        seen = POLICIES[name](bench.targets("train"), CHEXPERT, blank="zero", seed=seed, guesses=guesses)
        return learn(bench, f"{name}", seed, bench.images("train", seen, seed=seed), loss=loss)

    return train


def certain(
    name: str, loss: str = "bce", sampling: str = "each"
) -> Callable[[ExperimentData, int], np.ndarray]:
    """Train on the true labels with a loss and a sampling."""

    def train(bench: ExperimentData, seed: int) -> np.ndarray:
        truth = bench.targets("truth")
        selection = SAMPLINGS[sampling].choose(truth, seed)
        return learn(
            bench, name, seed, bench.images("train", truth, seed=seed, selection=selection), loss=loss
        )

    return train


def learn(bench: ExperimentData, name: str, seed: int, images: Images, *, loss: str) -> np.ndarray:
    """Train the small network from random weights; return its scores of the test images."""
    model = small(seed)
    if LOSSES[loss].outputs == 3:
        widen(model)
    fit(bench, model, f"{name}-{seed}", images, loss=loss, seed=seed, epochs=EPOCHS)
    if LOSSES[loss].outputs == 3:
        fold(model)
    return scores_of(model, bench.images("test", bench.targets("test")))


def known(bench: ExperimentData, name: str, seed: int) -> nn.Module:
    """The model of another arm, which is trained first if needed."""
    best = bench.out / "state" / f"{name}-{seed}" / "best.pt"
    if not scores_file(bench, name, seed).exists():
        run(bench, ARMS[name], seed)
    model = small(seed)
    model.load_state_dict(torch.load(best, weights_only=True))
    return model.eval()


def conditional(bench: ExperimentData, seed: int) -> np.ndarray:
    """Conditional training: first on images with a positive parent, then on all images."""
    whole = hierarchy.close(bench.targets("train"), CHEXPERT)
    seen = POLICIES["ignore"](whole, CHEXPERT, blank="zero", seed=seed)
    given = hierarchy.given_parent(seen, CHEXPERT)
    parents = [CHEXPERT.index(parent) for parent in ("Enlarged Cardiomediastinum", "Lung Opacity")]
    some = replace(SAMPLINGS["each"].choose(given, seed), rows=np.flatnonzero((seen[:, parents] == 1).any(1)))
    model = small(seed)
    for stage, selection in (("a", some), ("b", None)):
        images = bench.images("train", given, seed=seed, selection=selection)
        fit(bench, model, f"conditional-{stage}-{seed}", images, loss="bce", seed=seed, epochs=EPOCHS // 2)
    scores = scores_of(model, bench.images("test", bench.targets("test")))
    return hierarchy.unconditional(scores, CHEXPERT)


def decoupled(*, synthetic: bool) -> Callable[[ExperimentData, int], np.ndarray]:
    """Retrain the last layer of the baseline on frozen features, with uniform sampling or MLSMOTE."""

    def train(bench: ExperimentData, seed: int) -> np.ndarray:
        model, truth = known(bench, "truth", seed), bench.targets("truth")
        features, weights = (
            features_of(model, bench.images("train", truth)),
            resampling.sampling_weights(truth),
        )
        if synthetic:
            more, labels = ml_smote(features, truth, seed=seed)
            features, truth = np.concatenate((features, more)), np.concatenate((truth, labels))
            weights = np.full(len(truth), 1 / len(truth))
        retrain(model, features, truth, weights=weights, seed=seed)
        return scores_of(model, bench.images("test", bench.targets("test")))

    return train


ARMS: Final = {
    arm.name: arm
    for arm in (
        Arm("truth", "the certain truth", "policies", certain("truth")),
        Arm("ignore", "U-Ignore", "policies", policy("ignore")),
        Arm("zeros", "U-Zeros", "policies", policy("zeros")),
        Arm("ones", "U-Ones", "policies", policy("ones")),
        Arm("smoothed-ones", "U-Ones, smoothed", "policies", policy("smoothed-ones")),
        Arm("smoothed-zeros", "U-Zeros, smoothed", "policies", policy("smoothed-zeros")),
        Arm("self-trained", "U-SelfTrained", "policies", policy("self-trained")),
        Arm("multiclass", "U-MultiClass", "policies", policy("multiclass", "three-class")),
        Arm("conditional", "conditional training, U-Ignore", "policies", conditional),
        Arm("weighted", "class-weighted BCE", "imbalance", certain("weighted", "weighted")),
        Arm("focal", "focal loss", "imbalance", certain("focal", "focal")),
        Arm(
            "class-balanced", "class-balanced loss", "imbalance", certain("class-balanced", "class-balanced")
        ),
        Arm("asymmetric", "asymmetric loss", "imbalance", certain("asymmetric", "asymmetric")),
        Arm("ml-ros", "ML-ROS, 25 %", "imbalance", certain("ml-ros", sampling="ml-ros")),
        Arm("ml-rus", "ML-RUS, 25 %", "imbalance", certain("ml-rus", sampling="ml-rus")),
        Arm("balanced", "balanced sampling", "imbalance", certain("balanced", sampling="balanced")),
        Arm(
            "square-root", "square-root sampling", "imbalance", certain("square-root", sampling="square-root")
        ),
        Arm("decoupled", "last layer retrained, balanced sampling", "imbalance", decoupled(synthetic=False)),
        Arm("ml-smote", "last layer retrained, MLSMOTE features", "imbalance", decoupled(synthetic=True)),
    )
}


def run(bench: ExperimentData, arm: Arm, seed: int) -> None:
    """Train one arm with one seed, unless done before; store its scores and a line of metrics."""
    file = scores_file(bench, arm.name, seed)
    if file.exists():
        return
    started = time.process_time()
    scores = arm.train(bench, seed)
    file.parent.mkdir(parents=True, exist_ok=True)
    values = ranking.auroc(bench.targets("test"), scores)
    line = {"arm": arm.name, "seed": seed, "mean_auroc": round(float(np.nanmean(values)), 4)}
    line["core_seconds"] = round(time.process_time() - started, 1)
    with (bench.out / "runs.jsonl").open("a", encoding="utf8") as lines:
        lines.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)
    with draft(file) as own, own.open("wb") as stream:  # with a path, np.save would append a suffix
        np.save(stream, scores.astype(np.float32))


def scores_file(bench: ExperimentData, name: str, seed: int) -> Path:
    """File of an arm's test scores."""
    return bench.out / "scores" / f"{name}-{seed}.npy"
