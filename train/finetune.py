"""Train a classifier by a recipe, and save it with what it scores on the test studies.

    python -m train.finetune train/configs/smoke.toml
    OMP_NUM_THREADS=1 torchrun --nproc_per_node 4 -m train.finetune train/configs/phantom_efficientnet_b0.toml

A run that was stopped goes on where it was when the same command is given again.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState

from cxrbench import data, evaluation, models
from cxrbench.data import phantom
from cxrbench.errors import InputError
from cxrbench.inference import THRESHOLDS
from cxrbench.models import folder as files
from cxrbench.models import hub
from cxrbench.training import (
    Engine,
    Images,
    TrainConfig,
    decode,
    scores_of,
)
from cxrbench.training.losses import LOSSES
from cxrbench.training.sampling import SAMPLINGS
from train import supervision

Tables = dict[str, data.Studies]  # a split → its studies
# A split and a side in pixels → its images.
Source = Callable[[str, int], Images]


def main() -> None:
    """Read the recipe and the studies, train, judge, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path, help="a recipe in TOML")
    parser.add_argument("--out", type=Path, help="folder of the run; default runs/NAME")
    arguments = parser.parse_args()
    started = time.monotonic()
    # Without a GPU accelerate has to be told, or processes that torchrun starts do not find each other.
    PartialState(cpu=not torch.accelerator.is_available())
    try:
        config = TrainConfig.read(arguments.config)
        out = arguments.out or Path("runs") / config.name
        with PartialState().main_process_first():  # it writes what the others then find
            studies = {split: read_studies(config, split) for split in ("train", "valid", "test")}
        say(", ".join(f"{len(of)} {split} images" for split, of in studies.items()))
        images = source(config, studies, out)
        model = fit(config, images, out)
        if PartialState().is_main_process:
            torch.set_num_threads(os.cpu_count() or 1)  # the other processes are done
            judge(config, model, studies, images, out)
            say(f"{out / 'model'}: {(time.monotonic() - started) / 60:.1f} minutes")
    except InputError as error:
        sys.exit(f"error: {error}")


def say(line: str) -> None:
    """Print a line at once, once."""
    if PartialState().is_main_process:
        print(line, flush=True)


def source(config: TrainConfig, studies: Tables, out: Path) -> Source:
    """Where a split's images of a size come from: decoded once, augmented if they are to be learnt from."""
    known = {split: supervision.known_targets(config, split, studies[split], out) for split in studies}

    def images(split: str, size: int) -> Images:
        recipe = replace(config.preprocessing, size=size)
        pixels = decode(studies[split].paths, recipe, out / "pixels", say=say)
        change = config.augmentation if split == "train" else None
        seen = known[split]
        drawn = supervision.shown(config, seen) if split == "train" else None
        return Images(pixels, seen, recipe, augmentation=change, seed=config.seed, shown=drawn)

    return images


def fit(config: TrainConfig, images: Source, out: Path) -> models.Classifier:
    """The model of the recipe, with the best weights of its last phase."""

    def split(size: int) -> tuple[Images, Images]:
        with PartialState().main_process_first():
            return images("train", size), images("valid", size)

    size = config.phases[-1].size
    model = models.create(
        config.architecture,
        config.labels,
        pretrained=config.pretrained,
        name=config.name,
        title=config.title,
        preprocessing=replace(config.preprocessing, size=size),
        seed=config.seed,
    )
    if config.init:
        begin(model, Path(config.init))
    supervision.prepare(config, model)
    loss = supervision.criterion(config, split(size)[0].targets)
    engine = Engine(model, config, out / "state", loss=loss, say=say)
    engine.fit(split)
    model.load_state_dict(engine.best())
    supervision.narrow(config, model)
    return model


def begin(model: models.Classifier, folder: Path) -> None:
    """Give a model the weights of a saved one: all of them, of the same architecture and labels."""
    saved = hub.load(folder)
    if saved.spec.labels != model.spec.labels:
        raise InputError(
            f"init = {folder} answers other labels ({', '.join(saved.spec.labels)}); "
            f"the recipe's are {', '.join(model.spec.labels)}."
        )
    files.fit(saved.backbone.state_dict(), model.backbone, str(folder))


def judge(config: TrainConfig, model: models.Classifier, studies: Tables, images: Source, out: Path) -> None:
    """Choose thresholds on the validation studies, measure on the test studies, and save."""
    # Weights are stored in 16 bits: what is judged is what will be loaded.
    model = hub.load(hub.save(model, out / "model"))
    size = model.spec.preprocessing.size
    valid, test = images("valid", size), images("test", size)
    stored = out / files.PREDICTIONS
    parts = [
        predictions(config, "valid", studies["valid"], valid, scores_of(model, valid)),
        predictions(config, "test", studies["test"], test, scores_of(model, test)),
    ]
    evaluation.write_predictions(stored, evaluation.join(parts))
    # From the file: whoever has it can work out every figure again.
    judged = evaluation.read_predictions(stored)
    known = judged.split("valid")
    cuts = THRESHOLDS["youden"].fit(known.targets, known.scores)
    model.spec = replace(model.spec, thresholds=tuple(round(float(t), 6) for t in cuts))
    figures = evaluation.evaluate(judged.split("test"), model.spec.thresholds)
    about = {
        "dataset": "digital chest phantom" if config.data.phantom_patients else studies["test"].name,
        "thresholds": "largest sensitivity + specificity on the validation studies (Youden)",
        "recipe": config.as_dict(),
    }
    hub.save(model, out / "model", evaluation={**about, **figures}, card=card(config, studies))
    stored.replace(out / "model" / files.PREDICTIONS)
    say(table(figures, config))


def read_studies(config: TrainConfig, split: str) -> data.Studies:
    """The table of a split; the phantom is written first where the recipe asks for one that is not there."""
    of = config.data
    root = Path(of.root)
    if of.phantom_patients and not (root / "truth.csv").exists():
        phantom.write(
            root,
            patients=of.phantom_patients,
            seed=of.phantom_seed,
            size=of.phantom_size,
            fractions=(of.phantom_fractions[0], of.phantom_fractions[1], of.phantom_fractions[2]),
            shortcuts=of.phantom_shortcuts,
            progress=say_tenths,
        )
    studies = data.read_chexpert(root / getattr(of, split))
    if of.certain and split == "train":
        studies = certain(studies, data.read_chexpert(truth_table(root)))
    lacking = [label for label in config.labels if label not in studies.labels]
    if lacking:
        raise InputError(
            f"{root / getattr(of, split)} has no column {', '.join(lacking)}; "
            f"it has: {', '.join(studies.labels)}."
        )
    return studies.take((studies.table["view"] == of.view).to_numpy()) if of.view else studies


def truth_table(root: Path) -> Path:
    """Where a phantom's certain truth stands."""
    if not (root / "truth.csv").is_file():
        raise InputError(
            f"certain = true needs the truth.csv of a phantom, but {root} holds none; leave certain out."
        )
    return root / "truth.csv"


def certain(studies: data.Studies, truth: data.Studies) -> data.Studies:
    """The same images with the labels that another table gives them."""
    rows = truth.table.reset_index().set_index("path")["index"].reindex(studies.table["path"])
    if rows.isna().any():
        raise InputError(f"truth.csv has no row for {studies.table['path'][int(np.argmax(rows.isna()))]}.")
    return truth.take(rows.to_numpy(np.intp))


def say_tenths(done: int, total: int) -> None:
    """A line at each tenth of the way."""
    if done * 10 // total != (done - 1) * 10 // total:
        say(f"phantom: {done} of {total} images")


def predictions(
    config: TrainConfig, split: str, studies: data.Studies, images: Images, scores: np.ndarray
) -> evaluation.Predictions:
    """A row an image: where it is below the data's root, whose it is, the targets, and the scores."""
    root = Path(config.data.root).absolute()
    table = studies.table.assign(split=split)[list(evaluation.ABOUT)].reset_index(drop=True)
    table["path"] = [Path(p).relative_to(root).as_posix() for p in table["path"]]
    return evaluation.Predictions(table, config.labels, images.targets.numpy(), scores)


def card(config: TrainConfig, studies: Tables) -> str:
    """What the model card says beside the figures."""
    phases = ", then ".join(f"{phase.epochs} epochs at {phase.size}²" for phase in config.phases)
    counts = ", ".join(f"{len(of)} {split}" for split, of in studies.items())
    start = "ImageNet weights" if config.pretrained else "random weights"
    start = f"the weights of `{config.init}`" if config.init else start
    uncertain = (
        f"Uncertain training labels: policy `{config.data.policy}`; what is not mentioned counts as absent."
    )
    truth = "Training labels: the phantom's certain truth, not what its labeller says of it."
    lines = [
        f"Trained from {start} by `train/finetune.py`: {phases}; images: {counts}.",
        truth if config.data.certain else uncertain,
    ]
    if config.positive_weights:
        lines.append("Positives were weighed by n₋ / n₊, so scores rank studies; they are not probabilities.")
    if (config.loss, config.sampling, config.label_smoothing) != ("bce", "each", 0):
        lines.append(
            f"Loss: {LOSSES[config.loss].title}; sampling: {SAMPLINGS[config.sampling].summary}; label "
            f"smoothing {config.label_smoothing:g}. What moves scores makes them rank, not probabilities."
        )
    if config.data.phantom_patients:
        lines.append(
            "**It has only ever seen digital chest phantoms**, drawn by `cxrbench.data.phantom`. It knows "
            "nothing of real radiographs: its scores on them mean nothing. It exists so that explanations "
            "can be compared where the truth is known."
        )
    return "\n\n".join(lines)


def table(figures: dict[str, Any], config: TrainConfig) -> str:
    """The evaluation as lines of text."""
    rows = [f"{'finding':28}{'AUROC':>7}{'n+':>6}{'n−':>6}"]
    for label in config.labels:
        value = figures["auroc"][label]
        shown = "–" if value is None else f"{value:.3f}"
        rows.append(f"{label:28}{shown:>7}{figures['positives'][label]:6}{figures['negatives'][label]:6}")
    return "\n".join([*rows, f"mean AUROC {figures['mean_auroc']:.4f} over {figures['studies']} studies"])


if __name__ == "__main__":
    main()
