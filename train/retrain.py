"""Retrain the last layer of a saved model on frozen features, for its rare findings, and evaluate it again.

    python -m train.retrain train/configs/smoke.toml --model runs/smoke/model

Findings are sampled uniformly (Kang et al. 2020, arXiv:1910.09217), or with --synthetic the rare ones are
oversampled by MLSMOTE in feature space (Charte et al. 2015). The recipe defines studies and labels; its
phases are ignored. Takes minutes instead of hours: each image passes through the network once.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from cxrbench import models
from cxrbench.errors import InputError
from cxrbench.models import hub
from cxrbench.processes import this_process
from cxrbench.targets import ml_smote, resampling
from cxrbench.training import Images, TrainConfig, recipe, report, sources
from cxrbench.training.objective.losses import LOSSES
from cxrbench.training.transfer.decoupled import features_of, retrain
from cxrbench.workflows.train import evaluate_and_save


def main() -> None:
    """Read the recipe and the model, train the last layer, evaluate, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path, help="the TOML recipe that the model was trained with")
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--synthetic", action="store_true", help="MLSMOTE instead of uniform sampling")
    parser.add_argument("--out", type=Path, help="folder of the run; default runs/NAME-retrained")
    arguments = parser.parse_args()
    try:
        config = TrainConfig.read(arguments.config)
        again(config, arguments.model, arguments.out, synthetic=arguments.synthetic)
    except InputError as error:
        sys.exit(f"error: {error}")


def again(config: TrainConfig, folder: Path, out: Path | None = None, *, synthetic: bool = False) -> None:
    """Retrain the model in ``folder``, and save the new one in ``out``."""
    model = hub.load(folder)
    if model.spec.labels != config.labels:
        raise InputError(
            f"{folder} has the labels {', '.join(model.spec.labels)}; the recipe's are "
            f"{', '.join(config.labels)}. Give the recipe that it was trained by."
        )
    if LOSSES[config.loss].outputs != 1:
        raise InputError(f"Loss {config.loss!r} has three classes per finding; retrain with another recipe.")
    # Every image once: the recipe's sampling was for training the whole network.
    config = replace(config, name=f"{config.name}-retrained", sampling="each", label_smoothing=0.0)
    out = out or Path("runs") / config.name
    studies = sources.read_studies(config)
    images = recipe.source(config, studies, out / "pixels", process=this_process())
    model.spec = replace(model.spec, name=config.name)
    last(model, images("train", model.spec.preprocessing.size), config, synthetic=synthetic)
    print(report.table(evaluate_and_save(config, model, studies, images, out)))


def last(model: models.Classifier, images: Images, config: TrainConfig, *, synthetic: bool) -> None:
    """Train the last layer in place."""
    images.augmentation = None
    features, targets = features_of(model, images), images.targets.numpy()
    weights = None if synthetic else resampling.sampling_weights(targets)
    if synthetic:
        synthetic_features, synthetic_targets = ml_smote(features, targets, seed=config.seed)
        features = np.concatenate((features, synthetic_features))
        targets = np.concatenate((targets, synthetic_targets))
    retrain(model, features, targets, weights=weights, seed=config.seed)


if __name__ == "__main__":
    main()
