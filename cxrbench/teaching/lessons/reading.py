"""A lesson's file → ``Lesson``: every key is checked, and errors name file, line and remedy."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, cast

from cxrbench.compare import gallery
from cxrbench.data.phantom.shipped import shipped_film
from cxrbench.errors import InputError
from cxrbench.labels import CHEXPERT
from cxrbench.teaching.lessons.lesson import (
    ChoiceQuestion,
    Lesson,
    NumberQuestion,
    Option,
    Picture,
    PredictiveValues,
    State,
    Step,
    Value,
)
from cxrbench.teaching.lessons.quantities import QUANTITIES
from cxrbench.teaching.lessons.tables import Table
from cxrbench.teaching.lessons.toml_lines import toml_lines

__all__ = ["PLACEHOLDER", "read_lesson"]

PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_MAX_BYTES: Final = 200_000
_MAX_STEPS: Final = 20
_OPTIONS: Final = (2, 9)


def read_lesson(file: Path) -> Lesson:
    """Read a lesson.

    Args:
        file: TOML; its name without the ending is the lesson's id.

    Raises:
        InputError: the file cannot be read, or something in it is missing, unknown or contradictory.
    """
    text = _text(file)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = f"at line {len(text.splitlines())}, the end"
        message = str(error).replace("at end of document", where)
        raise InputError(f"{file.name}: this is no valid TOML: {message}.") from error
    if not _ID.fullmatch(file.stem):
        raise InputError(
            f"{file.name}: the name of a lesson's file is part of its link, so it may hold small letters, "
            "digits and hyphens only; rename it, for example my-lesson.toml."
        )
    table = Table(content, file.name, toml_lines(text))
    steps = table.tables("steps")
    if not 1 <= len(steps) <= _MAX_STEPS:
        table.refuse(f"a lesson has 1 to {_MAX_STEPS} steps, each begins with [[steps]]; got {len(steps)}.")
    lesson = Lesson(
        id=file.stem,
        title=table.text("title"),
        purpose=table.text("purpose"),
        order=table.number("order", 100.0),
        steps=tuple(map(_step, steps)),
        source=file,
    )
    table.finish()
    return lesson


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise InputError(f"{file} is larger than {_MAX_BYTES:,} bytes, so it is no lesson.")
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"The lesson {file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The lesson {file} is not written in UTF-8; save it as UTF-8 text.") from error


def _step(table: Table) -> Step:
    state = _state(table.table("state"), State())
    values = {}
    for name, each in table.named_tables("values").items():
        if not _NAME.fullmatch(name):
            each.refuse(f"the value's name {name[:60]!r} must be small letters, digits and underscores.")
        values[name] = _value(each, state)
    slider = table.table("slider") if "slider" in table else None
    step = Step(
        title=table.text("title"),
        text=table.text("text"),
        state=state,
        values=values,
        pictures=tuple(_picture(each, state) for each in table.tables("pictures")),
        question=_question(table.table("question"), values) if "question" in table else None,
        reveal=table.text("reveal", ""),
        slider=_slider(slider, values) if slider else None,
    )
    if step.question and not step.reveal:
        table.refuse('a step with a question needs a reveal = "…" that explains the right answer.')
    _check_placeholders(table, step)
    table.finish()
    return step


def _state(table: Table, inherited: State) -> State:
    """The state of a step."""
    state = replace(
        _place(table, inherited),
        models=table.texts("models", inherited.models),
        methods=table.texts("methods", inherited.methods),
    )
    table.finish()
    return state


def _narrowed(table: Table, inherited: State) -> State:
    """The step's state with what a value or picture states differently: one model, one method, a place."""
    state = _place(table, inherited)
    if "model" in table:
        state = replace(state, models=(table.text("model"),))
    return replace(state, methods=(table.text("method"),)) if "method" in table else state


def _place(table: Table, inherited: State) -> State:
    """The film, its edits and the finding; what the table does not state is inherited."""
    state = replace(
        inherited,
        finding=table.text("finding", inherited.finding, choices=CHEXPERT),
        edits=table.texts("edits", inherited.edits),
    )
    if "case" in table and "film" in table:
        table.refuse("a state has a case or a film, not both; remove one of them.", "film")
    if "case" in table:
        state = replace(
            state, case=table.text("case", choices=[each.id for each in gallery.cases()]), film=""
        )
    if "film" in table:
        state = replace(state, film=table.text("film"), case="")
        try:
            shipped_film(state.film)
        except InputError as error:
            table.refuse(str(error), "film")
    return state


def _value(table: Table, inherited: State) -> Value:
    key = table.text("quantity", choices=list(QUANTITIES))
    quantity = QUANTITIES[key]
    state = _narrowed(table, inherited)
    parameters = table.rest(quantity.parameters)
    for name, meaning in quantity.parameters.items():
        if name not in parameters and name not in quantity.optional:
            table.refuse(f"{key} needs {name} = …, {meaning}.", "quantity")
    missing = {
        "film": not (state.case or state.film),
        "model": not state.models,
        "method": not state.methods,
        "finding": not state.finding,
        "edits": not state.edits,
    }
    for need in quantity.needs:
        if missing[need]:
            where = "case = … or film = …" if need == "film" else f"{need} = …"
            table.refuse(f"{key} needs a {need}; add {where} here or to the step's state.", "quantity")
    table.finish()
    return Value(key, state, parameters)


def _picture(table: Table, inherited: State) -> Picture:
    show = table.text("show", choices=("film", "map", "randomised map"))
    state = _narrowed(table, inherited)
    if not (state.case or state.film):
        table.refuse("a picture needs a film; add case = … or film = … here or to the step's state.", "show")
    if show != "film" and not (state.models and state.methods and state.finding):
        table.refuse("a map needs model, method and finding; add them here or to the step's state.", "show")
    picture = Picture(
        show=cast(Literal["film", "map", "randomised map"], show),
        state=state,
        outline=table.text("outline", ""),
        when=cast(Literal["always", "reveal"], table.text("when", "always", choices=("always", "reveal"))),
        caption=table.text("caption", ""),
    )
    table.finish()
    return picture


def _question(table: Table, values: dict[str, Value]) -> ChoiceQuestion | NumberQuestion:
    ask = table.text("ask")
    if "options" not in table:
        answer = table.text("answer", choices=list(values))
        tolerance = table.number("tolerance")
        if tolerance <= 0:
            table.refuse("tolerance must be above 0: nobody guesses a number exactly.", "tolerance")
        table.finish()
        return NumberQuestion(ask, answer, tolerance)
    right = table.text("right", "", choices=("largest", "smallest"))
    answer = table.text("answer", "", choices=list(values))
    if bool(right) == bool(answer):
        table.refuse(
            'say what is right by answer = "VALUE", with from and to in each option, or by right = "largest" '
            'or "smallest", with value = "VALUE" in each option; got both or neither.',
            "options",
        )
    entries = table.tables("options")
    if not _OPTIONS[0] <= len(entries) <= _OPTIONS[1]:
        table.refuse(f"a choice has {_OPTIONS[0]} to {_OPTIONS[1]} options; got {len(entries)}.", "options")
    options = tuple(_option(each, values, ranges=bool(answer)) for each in entries)
    table.finish()
    return ChoiceQuestion(ask, options, answer, cast(Literal["", "largest", "smallest"], right))


def _option(table: Table, values: dict[str, Value], *, ranges: bool) -> Option:
    text = table.text("text")
    if ranges:
        option = Option(text, table.number("from", float("-inf")), table.number("to", float("inf")))
        if option.low >= option.high:
            table.refuse(f"from must be below to; got {option.low:g} and {option.high:g}.")
    else:
        option = Option(text, value=table.text("value", choices=list(values)))
    table.finish()
    return option


def _slider(table: Table, values: dict[str, Value]) -> PredictiveValues:
    names = list(values)
    slider = PredictiveValues(
        table.text("sensitivity", choices=names),
        table.text("specificity", choices=names),
        table.text("prevalence", choices=names),
    )
    table.finish()
    return slider


def _check_placeholders(table: Table, step: Step) -> None:
    """Refuse ``{name}`` of a value that the step does not compute."""
    captions = [picture.caption for picture in step.pictures]
    texts = {"title": [step.title], "text": [step.text], "reveal": [step.reveal], "pictures": captions}
    if step.question:
        options = step.question.options if isinstance(step.question, ChoiceQuestion) else ()
        texts["question"] = [step.question.ask, *(option.text for option in options)]
    for key, parts in texts.items():
        for name in PLACEHOLDER.findall(" ".join(parts)):
            if name not in step.values:
                known = ", ".join(step.values) or "none"
                table.refuse(
                    f"{key} shows {{{name}}}, which is no value of this step (known: {known}); add "
                    f"[steps.values.{name}] or correct the name.",
                    key,
                )
