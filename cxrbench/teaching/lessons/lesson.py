"""``Lesson``: ordered steps, each a state of the bench, pictures, a question and a reveal; plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = [
    "ChoiceQuestion",
    "Lesson",
    "NumberQuestion",
    "Option",
    "Picture",
    "PredictiveValues",
    "State",
    "Step",
    "Value",
]


@dataclass(frozen=True)
class State:
    """What the bench shows: a film, models, methods and a finding.

    Args:
        case: id of a gallery case; "" for none.
        film: path of a film of the shipped models' data set (``data.phantom.shipped``); "" for none.
        models: names of models, in display order.
        methods: keys of methods, in display order, with parameters in parentheses.
        finding: name of the finding; "" for none.
        edits: of the film, as in links to Compare: ``without:edema``, ``place:lung_lesion:1``.
    """

    case: str = ""
    film: str = ""
    models: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    finding: str = ""
    edits: tuple[str, ...] = ()

    @property
    def compare_link(self) -> list[tuple[str, str]]:
        """Query parameters that open this state on the Compare page; empty without a film."""
        if not (self.case or self.film):
            return []
        return [
            ("case", self.case) if self.case else ("film", self.film),
            *(("models", name) for name in self.models),
            *(("methods", key) for key in self.methods),
            *([("findings", self.finding)] if self.finding else []),
            *(("edit", edit) for edit in self.edits),
        ]


@dataclass(frozen=True)
class Value:
    """A number that is computed from film and model: a quantity of a state.

    Args:
        quantity: key of ``QUANTITIES``.
        state: the step's state with what the value states differently; one model and one method count.
        parameters: of the quantity.
    """

    quantity: str
    state: State
    parameters: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """A film, or a map over it.

    Args:
        show: which of both; ``randomised map`` is that of the same network with random weights.
        state: the step's state with what the picture states differently.
        outline: a finding or part whose extent is drawn; "" for none.
        when: ``always``, or with the ``reveal`` only.
        caption: below the picture.
    """

    show: Literal["film", "map", "randomised map"]
    state: State
    outline: str = ""
    when: Literal["always", "reveal"] = "always"
    caption: str = ""

    @property
    def has_map(self) -> bool:
        """Whether a heat map lies over the film."""
        return self.show != "film"


@dataclass(frozen=True)
class Option:
    """An answer that can be chosen.

    Args:
        text: of the button.
        low: right where the computed value is at least this.
        high: right where the computed value is below this.
        value: name of the value that it stands for, where the largest or smallest is right.
    """

    text: str
    low: float = float("-inf")
    high: float = float("inf")
    value: str = ""


@dataclass(frozen=True)
class ChoiceQuestion:
    """One of several answers is right.

    Args:
        ask: the question.
        options: two to nine answers.
        answer: name of the value whose range is right; "" where ``right`` decides.
        right: the option whose value is ``largest`` or ``smallest``; "" where ``answer`` decides.
    """

    ask: str
    options: tuple[Option, ...]
    answer: str = ""
    right: Literal["", "largest", "smallest"] = ""


@dataclass(frozen=True)
class NumberQuestion:
    """A number is right within a tolerance.

    Args:
        ask: the question.
        answer: name of the value.
        tolerance: largest difference that counts as right, in the value's unit.
    """

    ask: str
    answer: str
    tolerance: float


@dataclass(frozen=True)
class PredictiveValues:
    """A slider for the prevalence: predictive values and accuracy at a fixed sensitivity and specificity.

    Args:
        sensitivity: name of the value, in percent.
        specificity: name of the value, in percent.
        prevalence: name of the value at which the slider starts, in percent.
    """

    sensitivity: str
    specificity: str
    prevalence: str


@dataclass(frozen=True)
class Step:
    """One step of a lesson. Texts may hold ``{name}`` of a value, ``**bold**`` and ``*emphasis*``.

    Args:
        title: of the step.
        text: paragraphs, separated by empty lines.
        state: of the bench.
        values: name → what is computed.
        pictures: in display order.
        question: None for a step that only explains.
        reveal: paragraphs that are shown with the right answer.
        slider: shown with the reveal; None for most steps.
    """

    title: str
    text: str
    state: State
    values: Mapping[str, Value] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    question: ChoiceQuestion | NumberQuestion | None = None
    reveal: str = ""
    slider: PredictiveValues | None = None


@dataclass(frozen=True)
class Lesson:
    """A lesson.

    Args:
        id: name of its file without the ending.
        title: of the lesson.
        purpose: one sentence: what one will have found out.
        steps: in order.
        order: place in the list of lessons.
        source: the file; its computed values lie beside it.
    """

    id: str
    title: str
    purpose: str
    steps: tuple[Step, ...]
    order: float = 100.0
    source: Path = field(default_factory=Path)
