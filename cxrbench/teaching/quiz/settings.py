"""``QuizSettings``: everything that determines which films a quiz shows and what its AI answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cxrbench.errors import InputError, look_up

__all__ = ["DIFFICULTIES", "MAX_FILMS", "MAX_SEED", "Difficulty", "QuizSettings"]

MAX_FILMS: Final = 40
MAX_SEED: Final = 9999


@dataclass(frozen=True)
class Difficulty:
    """A range of severities of the finding, on the films that have it.

    Args:
        title: in the menu.
        low, high: severities from ``low`` to ``high``, both included; 0.1 is easily missed, 1 is obvious.
    """

    title: str
    low: float
    high: float


DIFFICULTIES: Final[Mapping[str, Difficulty]] = MappingProxyType(
    {
        "any": Difficulty("Any", 0.0, 1.0),
        "easy": Difficulty("Easy", 0.6, 1.0),
        "medium": Difficulty("Medium", 0.35, 0.7),
        "hard": Difficulty("Hard", 0.0, 0.45),
    }
)


@dataclass(frozen=True)
class QuizSettings:
    """The settings of a quiz. Equal settings give equal films and equal answers of the AI.

    Args:
        finding: the finding that is asked for.
        difficulty: a key of `DIFFICULTIES`.
        films: number of films, 1 to `MAX_FILMS`.
        seed: of the choice and the order of the films, 0 to `MAX_SEED`.
        wrong_rate: share of the films on which the AI's answer is wrong on purpose, in [0, 1].

    Raises:
        InputError: a value outside its range.
    """

    finding: str
    difficulty: str = "any"
    films: int = 10
    seed: int = 1
    wrong_rate: float = 0.3

    def __post_init__(self) -> None:
        look_up("difficulty", self.difficulty, DIFFICULTIES)
        if not 1 <= self.films <= MAX_FILMS:
            raise InputError(f"A quiz has 1 to {MAX_FILMS} films; got films={self.films}.")
        if not 0 <= self.seed <= MAX_SEED:
            raise InputError(f"The seed of a quiz is from 0 to {MAX_SEED}; got seed={self.seed}.")
        if not 0 <= self.wrong_rate <= 1:  # NaN is refused too
            raise InputError(f"wrong_rate is a share of the films, in [0, 1]; got {self.wrong_rate}.")

    @property
    def wrong_films(self) -> int:
        """Number of films on which the AI is wrong: the rate × the number of films, rounded half up."""
        return int(self.wrong_rate * self.films + 0.5)

    @property
    def films_with_finding(self) -> int:
        """Number of films that have the finding: half of them, of an odd number one more."""
        return (self.films + 1) // 2
