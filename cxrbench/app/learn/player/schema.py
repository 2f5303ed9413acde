"""What Python sends to the lesson player and what a click sends back: one type per JSON object."""

from typing import Literal, TypedDict

__all__ = [
    "EntryData",
    "LearnData",
    "LessonData",
    "OpenData",
    "OptionData",
    "PictureData",
    "QuestionData",
    "SliderData",
    "StepData",
]


class EntryData(TypedDict):
    """A lesson in the list.

    Args:
        id: of its link.
        title: of the lesson.
        purpose: one sentence.
        steps: how many it has.
        questions: how many of them ask something.
        problem: why it cannot be opened; "" if it can.
    """

    id: str
    title: str
    purpose: str
    steps: int
    questions: int
    problem: str


class PictureData(TypedDict):
    """A film, perhaps with a heat map over it.

    Args:
        film: key of an image.
        heat: key of an image that lies over the film; "" for none.
        colours: what the colours of the heat map mean; "" where there is none, or where it is not known.
        outline: polygons in pixels of the film, x and y in turn.
        outlined: name of what is outlined; "" where nothing is.
        width: of the film, in pixels.
        height: of the film, in pixels.
        caption: below the picture.
        alternative: text for readers who do not see it.
        revealed: shown with the reveal only.
    """

    film: str
    heat: str
    colours: str
    outline: list[list[float]]
    outlined: str
    width: int
    height: int
    caption: str
    alternative: str
    revealed: bool


class OptionData(TypedDict):
    """An answer that can be chosen.

    Args:
        text: of the button.
        right: whether it is right.
    """

    text: str
    right: bool


class QuestionData(TypedDict):
    """A choice, or a number with a tolerance.

    Args:
        ask: the question.
        options: the answers of a choice; empty for a number.
        value: the right number.
        shown: the right answer in words.
        tolerance: largest difference that counts as right.
        unit: after the number; "" for none.
    """

    ask: str
    options: list[OptionData]
    value: float
    shown: str
    tolerance: float
    unit: str


class SliderData(TypedDict):
    """Sensitivity and specificity, and the prevalence at which the slider starts; all in percent.

    Args:
        sensitivity: of the model.
        specificity: of the model.
        prevalence: where the slider starts.
    """

    sensitivity: float
    specificity: float
    prevalence: float


class StepData(TypedDict):
    """A step.

    Args:
        title: of the step.
        text: paragraphs.
        terms: as written in its texts, in lower case → meaning of a term of the glossary; "" for names.
        pictures: in order.
        question: null for a step that only explains.
        reveal: paragraphs that are shown with the right answer.
        slider: null for most steps.
        bench: address of the page that opens this state, relative to this page; "" for none.
        page: title of that page.
    """

    title: str
    text: list[str]
    terms: dict[str, str]
    pictures: list[PictureData]
    question: QuestionData | None
    reveal: list[str]
    slider: SliderData | None
    bench: str
    page: str


class LessonData(TypedDict):
    """One lesson.

    Args:
        id: of its link.
        title: of the lesson.
        purpose: one sentence.
        steps: in order.
        images: key → address of the image.
    """

    id: str
    title: str
    purpose: str
    steps: list[StepData]
    images: dict[str, str]


class LearnData(TypedDict):
    """The list of lessons, or one lesson.

    Args:
        lessons: in order.
        terms: as of a step, in what the list says of the lessons.
        lesson: the one that is open; null for the list.
    """

    lessons: list[EntryData]
    terms: dict[str, str]
    lesson: LessonData | None


class OpenData(TypedDict):
    """A click that opens a lesson, or shows the link to one of its steps.

    Args:
        id: of the lesson; "" for the list.
        kind: what was asked for.
        step: counted from 1.
    """

    id: str
    kind: Literal["open", "share"]
    step: int
