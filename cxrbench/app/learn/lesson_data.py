"""Lessons as JSON values for the player: texts with their numbers, pictures, and addresses of the bench."""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from cxrbench.app.learn.player.schema import (
    EntryData,
    LearnData,
    LessonData,
    OptionData,
    PictureData,
    QuestionData,
    SliderData,
    StepData,
)
from cxrbench.data.phantom import part_title
from cxrbench.errors import InputError
from cxrbench.teaching.glossary import meanings_of
from cxrbench.teaching.lessons import (
    Computed,
    Lesson,
    Step,
    filled,
    read_computed,
    right_answer,
    right_option,
    unit_of,
)
from cxrbench.teaching.lessons.lesson import ChoiceQuestion, NumberQuestion, Picture
from cxrbench.teaching.lessons.quantities import QUANTITIES, UNITS
from cxrbench.teaching.lessons.stored import Panel

__all__ = ["learn_data", "lesson_data"]

_PARAGRAPHS: Final = re.compile(r"\n\s*\n")
_SPACES: Final = re.compile(r"[ \t\r\n]+")
_COLOURS: Final[Mapping[bool | None, str]] = {
    True: "Orange raises the score, blue lowers it.",
    False: "The more yellow, the more relevant.",
}
_EMPTY: Final = "Nothing is drawn: no value of this map is positive."
_IMAGE: Final = "data:image/webp;base64,"


def learn_data(lessons: Sequence[Lesson], opened: str) -> LearnData:
    """The list of lessons, or the one that is open.

    Args:
        lessons: in order.
        opened: id of a lesson that can be played; "" for the list.
    """
    by_id = {lesson.id: lesson for lesson in lessons}
    if opened in by_id:
        return {
            "lessons": [],
            "terms": {},
            "lesson": lesson_data(by_id[opened], read_computed(by_id[opened])),
        }
    terms = meanings_of(*(lesson.purpose for lesson in lessons))
    return {"lessons": list(map(_entry, lessons)), "terms": terms, "lesson": None}


def lesson_data(lesson: Lesson, computed: Computed) -> LessonData:
    """One lesson with what was computed for it."""
    steps = [
        _step(step, values, panels)
        for step, values, panels in zip(lesson.steps, computed.values, computed.panels, strict=True)
    ]
    images = {key: f"{_IMAGE}{data}" for key, data in computed.images.items()}
    return {
        "id": lesson.id,
        "title": lesson.title,
        "purpose": lesson.purpose,
        "steps": steps,
        "images": images,
    }


def _entry(lesson: Lesson) -> EntryData:
    problem = ""
    try:
        read_computed(lesson)
    except InputError as error:
        problem = str(error)
    return {
        "id": lesson.id,
        "title": lesson.title,
        "purpose": lesson.purpose,
        "steps": len(lesson.steps),
        "questions": sum(step.question is not None for step in lesson.steps),
        "problem": problem,
    }


def _step(step: Step, values: Mapping[str, float], panels: Sequence[Panel]) -> StepData:
    address, page = _bench(step)
    text, reveal = (_paragraphs(each, step, values) for each in (step.text, step.reveal))
    captions = [filled(picture.caption, step, values) for picture in step.pictures]
    question = _question(step, values)
    asked = question["ask"] if question else ""
    title = filled(step.title, step, values)
    slider: SliderData | None = None
    if step.slider:
        slider = {
            "sensitivity": values[step.slider.sensitivity],
            "specificity": values[step.slider.specificity],
            "prevalence": round(values[step.slider.prevalence], 1),
        }
    return {
        "title": title,
        "text": text,
        "terms": meanings_of(*text, *captions, asked, *reveal, *filter(None, _COLOURS.values()), title),
        "pictures": [
            _picture(picture, panel, caption)
            for picture, panel, caption in zip(step.pictures, panels, captions, strict=True)
        ],
        "question": question,
        "reveal": reveal,
        "slider": slider,
        "bench": address,
        "page": page,
    }


def _paragraphs(text: str, step: Step, values: Mapping[str, float]) -> list[str]:
    # Not all white space: a number and its percent sign are held together by a space that does not break.
    parts = (_SPACES.sub(" ", part).strip() for part in _PARAGRAPHS.split(filled(text, step, values)))
    return [part for part in parts if part]


def _bench(step: Step) -> tuple[str, str]:
    """Address of the page that opens the state of a step, and its title; "" for none."""
    link = step.state.compare_link
    if link:
        return f"compare?{urlencode(link)}", "Compare"
    if step.values and all(QUANTITIES[value.quantity].of_labels for value in step.values.values()):
        return f"imbalance?{urlencode({'table': 'phantom', 'part': 'Policies'})}", "Imbalance"
    if step.state.models and step.state.finding:
        link = [("models", name) for name in step.state.models]
        return f"performance?{urlencode([*link, ('finding', step.state.finding)])}", "Performance"
    return "", ""


def _picture(picture: Picture, panel: Panel, caption: str) -> PictureData:
    return {
        "film": panel.film,
        "heat": panel.heat,
        "colours": _EMPTY if panel.empty else _COLOURS.get(panel.signed, ""),
        "outline": [[number for point in polygon for number in point] for polygon in panel.outline],
        "outlined": part_title(picture.outline),
        "width": panel.size[0],
        "height": panel.size[1],
        "caption": caption,
        "alternative": _alternative(picture),
        "revealed": picture.when == "reveal",
    }


def _alternative(picture: Picture) -> str:
    state = picture.state
    edited = f", edited: {', '.join(state.edits)}" if state.edits else ""
    film = f"Radiograph {state.case or state.film}{edited}"
    weights = ", after its weights were randomised" if picture.show == "randomised map" else ""
    over = f", heat map of {state.methods[0]} for {state.finding}{weights}" if picture.has_map else ""
    return f"{film}{over}{f', {part_title(picture.outline)} outlined' if picture.outline else ''}."


def _question(step: Step, values: Mapping[str, float]) -> QuestionData | None:
    question = step.question
    if question is None:
        return None
    ask, shown = filled(question.ask, step, values), right_answer(step, values)
    if isinstance(question, NumberQuestion):
        unit = unit_of(step, question.answer)
        return {
            "ask": ask,
            "options": [],
            "value": values[question.answer],
            "shown": shown,
            "tolerance": question.tolerance,
            "unit": UNITS[unit].sign.strip(),
        }
    options = _options(question, step, values)
    return {"ask": ask, "options": options, "value": 0.0, "shown": shown, "tolerance": 0.0, "unit": ""}


def _options(question: ChoiceQuestion, step: Step, values: Mapping[str, float]) -> list[OptionData]:
    right = right_option(question, values)
    return [
        {"text": filled(option.text, step, values), "right": index == right}
        for index, option in enumerate(question.options)
    ]
