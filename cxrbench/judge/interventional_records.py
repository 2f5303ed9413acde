"""Records of the interventional criteria, for ``CRITERIA``."""

from functools import partial
from math import inf
from typing import Any, Final, Literal

from cxrbench.judge import interventional, preservation, towards_twin
from cxrbench.judge.curves import Curve
from cxrbench.judge.judged_map import JudgedMap
from cxrbench.judge.protocol import Criterion

__all__ = ["INTERVENTIONAL"]

_FUNNY_BIRDS: Final = "arXiv:2308.06248"
_NAN: Final = float("nan")

_parts = partial(
    Criterion,
    family="interventional",
    needs=("twins", "masks"),
    fields=("parts",),
    reference=_FUNNY_BIRDS,
    cost="a forward pass per part and image, shared by all maps",
)
_twin = partial(
    Criterion,
    family="interventional",
    cost="8 forward passes; 20 for maps with equal pixels",
    needs=("twins", "model"),
    fields=("image", "twin", "score"),
    reference="",
    low=-inf,
    high=inf,
)
_checks = partial(
    Criterion,
    family="interventional",
    cost="a forward pass per set of important parts, about 10, shared by both checks",
    needs=("twins", "masks", "model"),
    fields=("image", "healthy", "parts", "score", "threshold"),
    reference=_FUNNY_BIRDS,
)


def _single_deletion(judged: JudgedMap, reduce: Literal["sum", "mean"], positive: bool) -> float:
    importance = interventional.part_importance(
        judged.relevance, judged.part_masks, reduce=reduce, positive=positive
    )
    return interventional.single_deletion(importance, judged.changes)


def _target_sensitivity(judged: JudgedMap) -> float:
    names = [part.name for part in judged.parts or ()]
    if judged.finding not in names:
        return _NAN
    importance = interventional.part_importance(judged.relevance, judged.part_masks)
    return interventional.target_sensitivity(importance, judged.changes, names.index(judged.finding))


def _distractibility(judged: JudgedMap) -> float:
    assert judged.logit is not None
    return interventional.distractibility(judged.relevance, judged.part_masks, judged.changes, judged.logit)


def _towards(judged: JudgedMap, curve: Any) -> float:
    return _area(curve(judged.image, judged.twin, judged.relevance, judged.score))


def _best(judged: JudgedMap, curve: Any) -> float:
    if judged.region is None or not judged.region.any():
        return _NAN
    return _area(curve(judged.image, judged.twin, judged.region, judged.score))


def _area(curve: Curve | None) -> float:
    return _NAN if curve is None else curve.area


def _check(judged: JudgedMap, which: str) -> float:
    assert judged.image is not None
    assert judged.healthy is not None
    assert judged.score is not None
    assert judged.threshold is not None
    compute = partial(
        preservation.part_checks,
        judged.image,
        judged.healthy,
        judged.part_masks,
        interventional.part_importance(judged.relevance, judged.part_masks, positive=True),
        judged.score,
        total=float(judged.heat.sum(dtype=float)),
        threshold=judged.threshold,
    )
    return float(getattr(judged.shared("part checks", compute), which))


_SINGLE_DELETION_CAVEAT: Final = (
    "Reads whole parts: where in a part the relevance lies does not count, nor what lies outside all parts."
)


def _single_deletion_record(
    name: str, title: str, reduce: Literal["sum", "mean"], *, positive: bool
) -> Criterion:
    return _parts(
        name=name,
        title=title,
        compute=partial(_single_deletion, reduce=reduce, positive=positive),
        caveat=_SINGLE_DELETION_CAVEAT,
        low=-1.0,
    )


INTERVENTIONAL: Final = (
    _single_deletion_record("single_deletion", "Single deletion", "sum", positive=False),
    _single_deletion_record("single_deletion_mean", "Single deletion, mean", "mean", positive=False),
    _single_deletion_record("single_deletion_positive", "Single deletion, positive", "sum", positive=True),
    _single_deletion_record(
        "single_deletion_mean_positive", "Single deletion, positive mean", "mean", positive=True
    ),
    _parts(
        name="target_sensitivity",
        title="Target sensitivity",
        compute=_target_sensitivity,
        fields=("parts", "finding"),
        caveat="Compares sums over parts: a large own part is easily ranked first.",
    ),
    _parts(
        name="distractibility",
        title="Distractibility",
        compute=_distractibility,
        fields=("parts", "logit"),
        higher_is_better=False,
        caveat="Grows with the area of the irrelevant parts; 5 % of a logit near 0 is next to nothing.",
    ),
    _twin(
        name="twin_deletion",
        title="Deletion towards the twin",
        compute=partial(_towards, curve=towards_twin.deletion_towards_twin),
        reachable=partial(_best, curve=towards_twin.best_deletion),
        caveat="Half a lesion is unusual for the network: values above 1 may come from its border, not from "
        "insight.",
    ),
    _twin(
        name="twin_insertion",
        title="Insertion towards the twin",
        compute=partial(_towards, curve=towards_twin.insertion_towards_twin),
        reachable=partial(_best, curve=towards_twin.best_insertion),
        caveat="If a small piece of the lesion is enough for the model, any map that finds it scores high.",
    ),
    _checks(
        name="preservation_check",
        title="Preservation check",
        compute=partial(_check, which="preservation"),
        caveat="Calling everything important passes; read it with the deletion check.",
    ),
    _checks(
        name="deletion_check",
        title="Deletion check",
        compute=partial(_check, which="deletion"),
        caveat="Calling everything important passes; read it with the preservation check.",
    ),
)
