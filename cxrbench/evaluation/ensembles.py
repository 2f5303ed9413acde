"""Models and their ensembles on the same images, ranked by metric."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cxrbench.errors import InputError
from cxrbench.evaluation.pairs import align
from cxrbench.evaluation.predictions import Predictions
from cxrbench.inference.ensemble import ENSEMBLES
from cxrbench.inference.thresholds import threshold
from cxrbench.metrics import auroc, average_precision, averages, f1, f1_macro, hamming_loss, subset_accuracy

__all__ = ["Contender", "Row", "contenders", "ranked", "row"]


@dataclass(frozen=True, eq=False)
class Contender:
    """A model or an ensemble, with its answers for the test images.

    Args:
        name: of the model or ensemble.
        title: for tables.
        predictions: of the test images; the scores are the combined ones, or shares of votes.
        calls: (N, L) bool.
        ensemble: whether it is one.
    """

    name: str
    title: str
    predictions: Predictions
    calls: np.ndarray
    ensemble: bool


@dataclass(frozen=True)
class Row:
    """A contender's figures, means over the findings where they are defined.

    Args:
        name: of the contender.
        title: for tables.
        ensemble: whether it is an ensemble.
        auroc: of the scores.
        auroc_of_calls: of the calls taken as scores of 0 and 1, which is how Liz et al. 2022 judge votes:
            the mean of sensitivity and specificity.
        average_precision: of the scores.
        f1: of the positive class.
        f1_macro: of present and absent (Liz et al. 2022).
        hamming_loss: mean share of wrong answers; the only one of which less is better.
        subset_accuracy: share of images with every answer right.
    """

    name: str
    title: str
    ensemble: bool
    auroc: float
    auroc_of_calls: float
    average_precision: float
    f1: float
    f1_macro: float
    hamming_loss: float
    subset_accuracy: float


def contenders(models: Sequence[Predictions], rule: str = "youden") -> tuple[Contender, ...]:
    """Every model and every ensemble of them, fitted on the validation images, answering the test images.

    Args:
        models: predictions with the splits "valid" and "test"; aligned here.
        rule: a key of `THRESHOLDS`, which chooses class-wise thresholds on the validation images.

    Returns:
        The models, then, if there are at least two, the ensembles.

    Raises:
        InputError: a split is missing, the models have nothing in common, or an unknown rule.
    """
    for split in ("valid", "test"):
        for one in models:
            if split not in one.splits:
                raise InputError(
                    f"{one.name} has no images of the split {split!r}; it takes 'valid' to choose thresholds "
                    "and 'test' to judge by."
                )
    fit = threshold(rule).fit
    valid, test = align([m.split("valid") for m in models]), align([m.split("test") for m in models])
    targets = valid[0].targets
    found = [
        Contender(t.name, t.name, t, t.scores >= fit(targets, v.scores), ensemble=False)
        for v, t in zip(valid, test, strict=True)
    ]
    if len(models) > 1:
        known, asked = np.stack([v.scores for v in valid]), np.stack([t.scores for t in test])
        for record in ENSEMBLES.values():
            answer = record.fit(targets, known, fit)(asked)
            said = replace(test[0], scores=answer.scores.astype(np.float32), name=record.name)
            found.append(Contender(record.name, record.title, said, answer.calls, ensemble=True))
    return tuple(found)


def row(contender: Contender) -> Row:
    """The figures of one contender."""
    truth, scores, calls = contender.predictions.targets, contender.predictions.scores, contender.calls
    return Row(
        contender.name,
        contender.title,
        contender.ensemble,
        auroc=averages.macro(auroc(truth, scores)).value,
        auroc_of_calls=averages.macro(auroc(truth, calls)).value,
        average_precision=averages.macro(average_precision(truth, scores)).value,
        f1=averages.macro(f1(truth, calls)).value,
        f1_macro=averages.macro(f1_macro(truth, calls)).value,
        hamming_loss=float(np.nanmean(hamming_loss(truth, calls))),
        subset_accuracy=float(np.nanmean(subset_accuracy(truth, calls))),
    )


def ranked(rows: Sequence[Row]) -> dict[str, str]:
    """Figure → the title of who is first by it: not always the same one, which is the paper's lesson."""
    names = (
        "auroc",
        "auroc_of_calls",
        "average_precision",
        "f1",
        "f1_macro",
        "hamming_loss",
        "subset_accuracy",
    )
    best = {}
    for name in names:
        sign = -1 if name == "hamming_loss" else 1
        values = {one.title: sign * getattr(one, name) for one in rows}
        best[name] = max(values, key=values.__getitem__)
    return best
