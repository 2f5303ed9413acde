"""``Choice``: what is selected on the Compare page, and the link that restores it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cxrbench.compare import Settings
from cxrbench.labels import finding_key

__all__ = ["LISTS", "MAX_STAGE", "MAX_STEPS", "Choice", "grouped", "pairs", "read"]

MAX_STEPS: Final = 300
MAX_STAGE: Final = 9
LISTS: Final = ("models", "methods", "findings")


@dataclass(frozen=True)
class Choice:
    """Everything that a link to the Compare page holds; the names are the link's own.

    Args:
        case: a gallery case's id; None for the reader's own image or bundle.
        models: names, in the order shown.
        methods: keys, in the order shown.
        findings: names, in the order shown.
        stage: which feature map CAMs read, counted from the last, 0.
        baseline: of integrated gradients.
        steps: of integrated gradients.
    """

    case: str | None = None
    models: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    stage: int = 0
    baseline: str = "black"
    steps: int = 50

    @property
    def settings(self) -> Settings:
        """The part that decides what is computed."""
        return Settings(self.models, self.methods, self.stage, self.baseline, self.steps)


def pairs(choice: Choice, start: Choice) -> list[tuple[str, str]]:
    """Query parameters; of stage, baseline and steps those that differ from what holds without a link."""
    given: list[tuple[str, str]] = [("case", choice.case)] if choice.case is not None else []
    for name in LISTS:
        given += [(name, value) for value in getattr(choice, name)]
    for name in ("stage", "baseline", "steps"):
        if getattr(choice, name) != getattr(start, name):
            given.append((name, str(getattr(choice, name))))
    return given


def grouped(given: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Query parameters as Streamlit takes them: each name with all its values."""
    link: dict[str, list[str]] = {}
    for name, value in given:
        link.setdefault(name, []).append(value)
    return link


def read(
    link: Mapping[str, Sequence[str]], start: Choice, known: Mapping[str, Callable[[Choice], Sequence[str]]]
) -> tuple[Choice, list[str]]:
    """A link → the choice it stands for, and a sentence about everything in it that cannot be had.

    Args:
        link: query parameters, each with all its values; others than a choice's are passed over.
        start: what holds where the link says nothing.
        known: for case, models, methods, baseline and findings, the names there are, given what the link
            chose before. Asked only for parameters that the link holds, since to know may take a while.
    """
    problems: list[str] = []
    choice = start
    value: Any
    for name, names in known.items():
        if link.get(name):
            found = [_name(name, text, names(choice), problems) for text in link[name]]
            kept = tuple(dict.fromkeys(text for text in found if text))
            if kept:
                value = kept if name in LISTS else kept[-1]
                choice = replace(choice, **{name: value})
    for name, low, high in (("stage", 0, MAX_STAGE), ("steps", 1, MAX_STEPS)):
        if link.get(name):
            value = _whole(name, link[name][-1], low, high, getattr(start, name), problems)
            choice = replace(choice, **{name: value})
    return choice, problems


def _name(kind: str, text: str, known: Sequence[str], problems: list[str]) -> str | None:
    folded = {finding_key(name) if kind == "findings" else name: name for name in known}
    name = folded.get(finding_key(text) if kind == "findings" else text)
    if name is None:
        what = {"case": "gallery case"}.get(kind, kind.removesuffix("s"))
        problems.append(
            f"The link asks for the {what} {text[:60]!r}, which is not here; "
            f"choose from: {', '.join(known) or 'none'}."
        )
    return name


def _whole(name: str, text: str, low: int, high: int, fallback: int, problems: list[str]) -> int:
    if text.isascii() and text.isdigit() and low <= int(text[:6]) <= high:
        return int(text)
    problems.append(
        f"The link asks for {name} {text[:60]!r}; it must be a whole number from {low} to {high}. "
        f"{fallback} is used."
    )
    return fallback
