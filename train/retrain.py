"""Train a saved model's last layer anew on frozen features, for its rare findings, and judge it again.

    python -m train.retrain train/configs/smoke.toml --model runs/smoke/model

Findings are drawn evenly (Kang et al. 2020, arXiv:1910.09217), or with --synthetic the rare ones are doubled
by MLSMOTE between features (Charte et al. 2015). The recipe says which studies and labels; what it says of
phases is left aside. Minutes where training took hours: each image goes through the network once.
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
    """Read the recipe and the model, train the last layer, judge, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path, help="the recipe the model was trained by, in TOML")
    parser.add_argument("--model", type=Path, required=True, help="its folder")
    parser.add_argument("--synthetic", action="store_true", help="MLSMOTE's examples instead of even draws")
    parser.add_argument("--out", type=Path, help="folder of the run; default runs/NAME-retrained")
    arguments = parser.parse_args()
    try:
        config = TrainConfig.read(arguments.config)
        again(config, arguments.model, arguments.out, synthetic=arguments.synthetic)
    except InputError as error:
        sys.exit(f"error: {error}")


def again(config: TrainConfig, folder: Path, out: Path | None = None, *, synthetic: bool = False) -> None:
    """The whole of it, from a model's folder to another's."""
    model = hub.load(folder)
    if model.spec.labels != config.labels:
        raise InputError(
            f"{folder} answers {', '.join(model.spec.labels)}; the recipe's labels are "
            f"{', '.join(config.labels)}. Give the recipe that it was trained by."
        )
    if LOSSES[config.loss].outputs != 1:
        raise InputError(
            f"Loss {config.loss!r} leaves uncertain labels a class; retrain with another recipe."
        )
    # Every image once: what the recipe says of sampling was for training the network.
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
    features, seen = features_of(model, images), images.targets.numpy()
    weights = None if synthetic else resampling.sampling_weights(seen)
    if synthetic:
        made, shown = ml_smote(features, seen, seed=config.seed)
        features, seen = np.concatenate((features, made)), np.concatenate((seen, shown))
    retrain(model, features, seen, weights=weights, seed=config.seed)


if __name__ == "__main__":
    main()
