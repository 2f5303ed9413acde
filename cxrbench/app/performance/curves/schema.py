"""What Python sends to the curves and what a click sends back: one type per JSON object, as in schema.js."""

from typing import Literal, TypedDict

__all__ = ["CellClick", "CountsData", "CurveData", "FindingData", "MarkData", "ScoresData", "SystemData"]


class CurveData(TypedDict):
    """One curve with its confidence band.

    Args:
        x: of the vertices; None where undefined.
        y: of the vertices.
        low: of the band, at the grid's points.
        high: of the band.
        words: its area with the interval.
    """

    x: list[float | None]
    y: list[float | None]
    low: list[float | None]
    high: list[float | None]
    words: str


class CountsData(TypedDict):
    """Predicted present.

    Args:
        hits: of the positives.
        alarms: of the negatives.
    """

    hits: int
    alarms: int


class MarkData(TypedDict):
    """Where a rule puts the threshold.

    Args:
        rule: its key.
        title: on the button.
        at: the threshold.
        says: what the rule does.
    """

    rule: str
    title: str
    at: float
    says: str


class ScoresData(TypedDict):
    """Histograms of the scores: shares of the images, from score 0 to 1.

    Args:
        present: of the positives.
        absent: of the negatives.
    """

    present: list[float]
    absent: list[float]


class SystemData(TypedDict):
    """One system: a model or an ensemble.

    Args:
        id: its name.
        title: what the page calls it.
        colour: of its curve.
        graded: gives scores; otherwise it votes, and only ``fixed`` holds.
        threshold: where the slider starts.
        roc: its ROC curve.
        pr: its precision–recall curve.
        hits: positives predicted present, at each step.
        alarms: negatives predicted present, at each step.
        fixed: by its own decisions.
        marks: thresholds by rule.
        scores: how they are distributed.
    """

    id: str
    title: str
    colour: str
    graded: bool
    threshold: float
    roc: CurveData
    pr: CurveData
    hits: list[int]
    alarms: list[int]
    fixed: CountsData
    marks: list[MarkData]
    scores: ScoresData


class FindingData(TypedDict):
    """All that the curves show.

    Args:
        finding: whose curves.
        rule: which put the thresholds where the slider starts.
        positives: number of images.
        negatives: number of images.
        grid: abscissae of the bands.
        steps: thresholds of the slider, in ascending order.
        systems: in the order of the legend.
    """

    finding: str
    rule: str
    positives: int
    negatives: int
    grid: list[float]
    steps: list[float]
    systems: list[SystemData]


class CellClick(TypedDict):
    """A click on a count.

    Args:
        system: its id.
        kind: which of the four counts.
        threshold: at which it was counted.
        finding: of which it was counted.
    """

    system: str
    kind: Literal["hits", "alarms", "misses", "rejections"]
    threshold: float
    finding: str
