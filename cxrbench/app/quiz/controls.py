"""The set-up of a quiz: for teachers, and in the link, so that a class sees the same films."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import streamlit as st

from cxrbench.app.quiz.available import QuizModel
from cxrbench.errors import InputError
from cxrbench.teaching.quiz import DIFFICULTIES, QuizSettings
from cxrbench.teaching.quiz.settings import MAX_FILMS, MAX_SEED

__all__ = ["MAP_METHODS", "MapMethod", "Setup", "pick_setup"]


@dataclass(frozen=True)
class MapMethod:
    """A method of the AI's map that takes a fraction of a second.

    Args:
        key: of the method.
        about: what its map shows; said with the truth, since two of them do not look at the model.
    """

    key: str
    about: str


_SENSITIVITY: Final = "it shows what the model's own score is sensitive to"
# By title.
MAP_METHODS: Final[Mapping[str, MapMethod]] = MappingProxyType(
    {
        "Grad-CAM": MapMethod("grad_cam", _SENSITIVITY),
        "Grad-CAM++": MapMethod("grad_cam_plus_plus", _SENSITIVITY),
        "Saliency": MapMethod("saliency", _SENSITIVITY),
        "Location prior": MapMethod(
            "location_prior",
            "it never saw this film or the model, and marks where the finding lies on others",
        ),
        "Random": MapMethod("random", "it is random, and looks at neither the film nor the model"),
    }
)
_FIRST_MODEL: Final = "efficientnet_b0"  # in every installation: a link without a model means the same
_FIRST_FINDING: Final = "Pleural Effusion"  # frequent, and seen without training


@dataclass(frozen=True)
class Setup:
    """A quiz as it is set up.

    Args:
        settings: which films.
        model: the AI.
        method: title of the method of its maps.
    """

    settings: QuizSettings
    model: QuizModel
    method: str

    @property
    def id(self) -> str:
        """Names the quiz: equal set-ups have equal names."""
        values = self.settings
        return (
            f"quiz {values.finding} {values.difficulty} {values.films} {values.seed} {values.wrong_rate:g} "
            f"{self.model.name} {MAP_METHODS[self.method].key}"
        )

    @property
    def link(self) -> list[tuple[str, str]]:
        """Query parameters that open the same quiz, whatever the controls' defaults are then."""
        values = self.settings
        return [
            ("quiz_ai", self.model.title),
            ("quiz_finding", values.finding),
            ("quiz_difficulty", DIFFICULTIES[values.difficulty].title),
            ("quiz_films", str(values.films)),
            ("quiz_seed", str(values.seed)),
            ("quiz_wrong", f"{100 * values.wrong_rate:.0f}"),
            ("quiz_map", self.method),
        ]


def pick_setup(models: Mapping[str, QuizModel]) -> Setup:
    """Draw the controls and return the set-up; their values are in the address.

    Args:
        models: by title, at least one.

    Raises:
        InputError: the model says nothing of any finding that a phantom can have.
    """
    with st.expander("Set up the quiz (for teachers)", icon=":material/tune:", key="setup"):
        st.caption(
            "The address of this page holds the set-up: whoever opens it sees the same films and the same "
            "answers of the AI. Answers stay in each reader's browser tab; no name is asked for."
        )
        with st.container(key="controls", horizontal=True, vertical_alignment="bottom"):
            model, finding = _who_and_what(models)
            difficulty = _difficulty()
        with st.container(horizontal=True, vertical_alignment="bottom"):
            films, seed, percent = _numbers()
            method = st.selectbox(
                "The AI's map",
                list(MAP_METHODS),
                key="quiz_map",
                bind="query-params",
                width=190,
                help="A location prior marks where the finding usually is and sees neither film nor model; a "
                "random map shows nothing at all. Do readers notice? It is said with the truth of each film.",
            )
    return Setup(QuizSettings(finding, difficulty, films, seed, percent / 100), model, method)


def _who_and_what(models: Mapping[str, QuizModel]) -> tuple[QuizModel, str]:
    # The default stands first: Streamlit warns of a default elsewhere that an address overrides.
    title = st.selectbox(
        "The AI",
        sorted(models, key=lambda title: models[title].name != _FIRST_MODEL),
        key="quiz_ai",
        bind="query-params",
        width=260,
        help="A model with stored predictions of the shipped phantoms. Its scores are the AI's.",
    )
    model = models[title]
    findings = sorted(model.thresholds, key=lambda name: name != _FIRST_FINDING)
    if not findings:
        raise InputError(
            f"{title} says nothing of any finding that a phantom can have; choose another model."
        )
    finding = st.selectbox(
        "Finding",
        findings,
        key="quiz_finding",
        bind="query-params",
        width=240,
        help="What is asked for.",
    )
    return model, finding


def _difficulty() -> str:
    titles = {difficulty.title: key for key, difficulty in DIFFICULTIES.items()}
    ranges = ", ".join(f"{each.title} {each.low:g}–{each.high:g}" for each in DIFFICULTIES.values())
    title = st.segmented_control(
        "Difficulty",
        list(titles),
        default=next(iter(titles)),
        required=True,
        key="quiz_difficulty",
        bind="query-params",
        help=f"Severity of the finding where it is present: {ranges}; 0.1 is easily missed, 1 is obvious.",
    )
    return titles[title or next(iter(titles))]


def _numbers() -> tuple[int, int, int]:
    films = st.number_input("Films", 2, MAX_FILMS, 10, key="quiz_films", bind="query-params", width=110)
    seed = st.number_input(
        "Seed",
        0,
        MAX_SEED,
        1,
        key="quiz_seed",
        bind="query-params",
        width=120,
        help="Another number chooses other films.",
    )
    percent = st.slider(
        "AI wrong on purpose",
        0,
        100,
        30,
        10,
        format="%d %%",
        key="quiz_wrong",
        bind="query-params",
        width=260,
        help="Share of the films on which the AI's answer is wrong. Films on which the model really errs are "
        "chosen first; where there are not enough, its answer is inverted. The quiz says which, film by "
        "film, when it shows the truth.",
    )
    return int(films), int(seed), int(percent)
