"""What Python sends to the browser: the same types on both sides, and data that obeys them."""

import math
import re
import types
import typing
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from cxrbench.app.compare.canvas import schema as canvas_schema
from cxrbench.app.compare.scene import scene
from cxrbench.app.learn.lesson_data import learn_data
from cxrbench.app.learn.player import schema as player_schema
from cxrbench.app.performance.curve_data import curve_data
from cxrbench.app.performance.curves import schema as curves_schema
from cxrbench.app.quiz.available import QuizModel
from cxrbench.app.quiz.controls import Setup
from cxrbench.app.quiz.film_data import film_data, with_map
from cxrbench.app.quiz.page import quiz_data
from cxrbench.app.quiz.player import schema as quiz_schema
from cxrbench.app.quiz.preparation import Prepared
from cxrbench.app.services.radiographs import Source
from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings
from cxrbench.evaluation import Predictions
from cxrbench.evaluation.predictions import ABOUT
from cxrbench.evaluation.systems import fit_systems
from cxrbench.preprocess import Preprocessing
from cxrbench.teaching import read_lessons
from cxrbench.teaching.quiz import Quiz, QuizItem, QuizSettings

SCALARS = {str: "string", int: "number", float: "number", bool: "boolean", types.NoneType: "null"}


def in_typescript(annotation: Any) -> str:
    """A Python annotation as the type of the same JSON values in TypeScript."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in SCALARS:
        return SCALARS[annotation]
    if typing.is_typeddict(annotation):
        return str(annotation.__name__)
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in arguments)
    if origin in (types.UnionType, typing.Union):
        return " | ".join(map(in_typescript, arguments))
    if origin is tuple:
        return f"[{', '.join(map(in_typescript, arguments))}]"
    if origin is dict:
        return f"Record<string, {in_typescript(arguments[1])}>"
    if origin is list:
        inner = in_typescript(arguments[0])
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    raise TypeError(f"There is no JSON type for {annotation}.")


def python_types(module: types.ModuleType) -> dict[str, dict[str, str]]:
    """TypedDict → field → type."""
    return {
        name: {
            field: in_typescript(kind) for field, kind in typing.get_type_hints(getattr(module, name)).items()
        }
        for name in module.__all__
    }


def javascript_types(module: types.ModuleType) -> dict[str, dict[str, str]]:
    """Typedef → property → type, in the schema.js beside a schema.py."""
    text = Path(str(module.__file__)).with_suffix(".js").read_text(encoding="utf-8")
    _, *blocks = re.split(r"@typedef \{object\} ", text)
    return {
        re.match(r"\w+", block)[0]: {  # type: ignore[index]
            name: kind for kind, name in re.findall(r"@property \{(.+?)\} (\[?\w+)", block)
        }
        for block in blocks
    }


def check(value: Any, annotation: Any, where: str = "data") -> None:
    """Fail, naming the place, if a value is not of an annotation, or is no JSON value."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is types.UnionType:
        (annotation,) = [kind for kind in arguments if kind is not types.NoneType]
        if value is not None:
            check(value, annotation, where)
    elif origin is Literal:
        assert value in arguments, where
    elif annotation is float:
        assert type(value) in (int, float), f"{where} is {value!r}"
        assert math.isfinite(value), where  # JSON has neither NaN nor infinity
    elif annotation in SCALARS:
        assert type(value) is annotation, f"{where} is {value!r}"
    else:
        for place, each, kind in parts(value, annotation, where):
            check(each, kind, f"{where}{place}")


def parts(value: Any, annotation: Any, where: str) -> list[tuple[str, Any, Any]]:
    """The values inside an object or an array: place, value, annotation."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if typing.is_typeddict(annotation):
        hints = typing.get_type_hints(annotation)
        assert list(value) == list(hints), where
        return [(f".{name}", value[name], kind) for name, kind in hints.items()]
    if origin is dict:
        return [(f".{name}", each, arguments[1]) for name, each in value.items()]
    assert type(value) is origin, f"{where} is {value!r}"
    kinds = arguments if origin is tuple else arguments * len(value)
    return [(f"[{i}]", each, kind) for i, (each, kind) in enumerate(zip(value, kinds, strict=True))]


@pytest.mark.parametrize(
    "module",
    [canvas_schema, curves_schema, player_schema, quiz_schema],
    ids=["canvas", "curves", "player", "quiz"],
)
def test_python_and_javascript_state_the_same_types(module: types.ModuleType) -> None:
    assert javascript_types(module) == python_types(module)


def test_the_validator_finds_a_wrong_value() -> None:
    good = {"src": "data:", "width": 1, "height": 2}
    check(good, canvas_schema.PictureData)
    wrong_fields: list[dict[str, Any]] = [{"width": "1"}, {"width": 1.5}, {"width": True}, {"extra": 0}]
    for wrong in wrong_fields:
        with pytest.raises(AssertionError):
            check({**good, **wrong}, canvas_schema.PictureData)
    curve: dict[str, Any] = {"x": [0.0], "y": [None], "low": [], "high": [], "words": ""}
    check(curve, curves_schema.CurveData)
    for value in (math.nan, np.float64(0.5), "0", (0.0,)):
        with pytest.raises(AssertionError):
            check({**curve, "x": [value]}, curves_schema.CurveData)


def comparison(models: int, methods: tuple[str, ...], *, finished: bool = True) -> Comparison:
    """Models × methods with random maps; ``ig`` is signed; one model has no map of the last method yet."""
    rng = np.random.default_rng(0)
    labels, half = ("Edema", "Mass"), np.full(2, 0.5, np.float32)
    names = tuple(f"m{index}" for index in range(models))
    heats = {
        (name, method): HeatMaps(
            name,
            method,
            "last",
            labels,
            rng.normal(size=(2, 70, 70) if method == "ig" else (2, 7, 7)).astype(np.float32),
            Preprocessing(size=8),
            0.1,
            title=method,
            signed=method == "ig",
        )
        for name in names
        for method in methods
    }
    if not finished:
        heats[names[0], methods[0]] = replace(heats[names[0], methods[0]], progress=0.4)
        del heats[names[-1], methods[-1]]
    mask = np.zeros((40, 60), bool)
    mask[10:20, 30:50] = True
    return Comparison(
        rng.random((40, 60), np.float32),
        "s",
        Settings(names, methods),
        {name: Prediction(name, "r", labels, half, half + 0.2, half, 0.1) for name in names},
        heats,
        {"Edema": mask},
        {"Edema": 1},
    )


@pytest.mark.parametrize("models", [1, 2, 3])
@pytest.mark.parametrize("methods", [("cam",), ("cam", "ig")])
@pytest.mark.parametrize("finished", [True, False])
def test_a_scene_obeys_its_schema(models: int, methods: tuple[str, ...], finished: bool) -> None:
    data = scene(
        dict.fromkeys(["Edema", "Mass"], comparison(models, methods, finished=finished)),
        cells={},
        titles={"cam": "CAM"},
        link=[("case", "c")],
        file="f",
    )
    check(data, canvas_schema.SceneData)
    panels = data["panels"]
    assert {panel["kind"] for panel in panels} == {"radiograph", "map"}
    assert any(panel["map"] for panel in panels) or not finished
    assert any(panel["outline"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)


def predictions(seed: int, images: int = 120) -> Predictions:
    rng, truth_rng = np.random.default_rng(seed), np.random.default_rng(1)
    targets = (truth_rng.random((images, 2)) < 0.4).astype(np.float32)
    targets[::9, 0] = np.nan
    scores = np.clip(0.3 * np.nan_to_num(targets) + 0.7 * rng.random((images, 2)), 0, 1).astype(np.float32)
    columns: dict[str, list[Any]] = {name: [""] * images for name in ABOUT}
    columns["patient"] = [f"p{row // 2}" for row in range(images)]
    columns["path"] = [f"{row}.png" for row in range(images)]
    columns["split"] = ["valid" if row < images // 3 else "test" for row in range(images)]
    columns["age"] = [math.nan] * images
    return Predictions(pd.DataFrame(columns)[list(ABOUT)], ("Edema", "Mass"), targets, scores, f"m{seed}")


def test_the_curves_data_obey_their_schema() -> None:
    systems = fit_systems({f"m{seed}": predictions(seed) for seed in range(3)})
    assert {system.graded for system in systems} == {True, False}
    check(curve_data(systems, "Edema", "youden"), curves_schema.FindingData)


def test_the_quiz_data_obey_their_schema() -> None:
    mask = np.zeros((64, 64), bool)
    mask[10:20, 30:50] = True
    image = np.random.default_rng(0).random((64, 64), np.float32)
    source = Source("t", "d", image, "s", masks={"Edema": mask})
    items = (QuizItem("f1", True, 0.4, 0.7, 0.5), QuizItem("f2", False, math.nan, 0.7, 0.5, True))
    heat = comparison(1, ("cam",)).heat_maps["m0", "cam"]
    films = [film_data(item, source, "Edema", model="m", with_ai=True) for item in items]
    films[0] = with_map(films[0], heat, "Edema", image.shape)
    retest = [film_data(items[0], source, "Edema", model="m", with_ai=False)]
    settings = QuizSettings("Edema", films=2)
    setup = Setup(settings, QuizModel("m", "M", {"Edema": 0.5}, Path("p.csv")), "Grad-CAM")
    data = quiz_data(setup, Quiz(settings, items, items[:1]), Prepared(films, retest))
    check(data, quiz_schema.QuizData)
    assert [film["lesion"] is None for film in data["items"]] == [False, True]
    assert [film["ai"] is None for film in data["items"] + data["retest"]] == [False, False, True]


def test_the_list_of_lessons_and_every_lesson_obey_their_schema() -> None:
    lessons, _ = read_lessons()
    check(learn_data(lessons, ""), player_schema.LearnData)
    for lesson in lessons:
        data = learn_data(lessons, lesson.id)
        check(data, player_schema.LearnData)
        assert data["lesson"] is not None
        pictures = [each for step in data["lesson"]["steps"] for each in step["pictures"]]
        used = {each["film"] for each in pictures} | {each["heat"] for each in pictures if each["heat"]}
        assert used == set(data["lesson"]["images"])
