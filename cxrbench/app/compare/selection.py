"""``Choice``: the selection on the Compare page, and its query parameters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cxrbench.compare import Settings
from cxrbench.data.phantom import Edit, FilmsWithout
from cxrbench.errors import InputError
from cxrbench.labels import finding_key

__all__ = [
    "LISTS",
    "MAX_EDITS",
    "MAX_STAGE",
    "MAX_STEPS",
    "Choice",
    "parse_edits",
    "parse_link",
    "query_parameters",
    "values_by_name",
]

MAX_STEPS: Final = 300
MAX_STAGE: Final = 9
MAX_EDITS: Final = 20
LISTS: Final = ("models", "methods", "findings")


@dataclass(frozen=True)
class Choice:
    """The selection on the Compare page; its fields are named like the query parameters.

    Args:
        case: id of a gallery case; None for an uploaded image or bundle.
        models: names of models, in display order.
        methods: keys of methods, in display order.
        findings: names of findings, in display order.
        stage: stage whose feature map CAMs use; 0 is the last.
        baseline: baseline of integrated gradients.
        steps: number of steps of integrated gradients.
        edits: edits of a phantom's film that are shown beside it, oldest first; parameter ``edit``.
        models_chosen: whether the user or the link chose the models; no parameter.
    """

    case: str | None = None
    models: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    stage: int = 0
    baseline: str = "black"
    steps: int = 50
    edits: tuple[Edit, ...] = ()
    models_chosen: bool = False

    @property
    def settings(self) -> Settings:
        """The settings that determine what is computed."""
        return Settings(self.models, self.methods, self.stage, self.baseline, self.steps)


def query_parameters(choice: Choice, default: Choice) -> list[tuple[str, str]]:
    """Return (name, value) query parameters; stage, baseline and steps only if they are not the default."""
    parameters: list[tuple[str, str]] = [("case", choice.case)] if choice.case is not None else []
    for name in LISTS:
        parameters += [(name, value) for value in getattr(choice, name)]
    for name in ("stage", "baseline", "steps"):
        if getattr(choice, name) != getattr(default, name):
            parameters.append((name, str(getattr(choice, name))))
    return [*parameters, *(("edit", edit.text) for edit in choice.edits)]


def parse_edits(texts: Sequence[str], films: FilmsWithout | None) -> tuple[tuple[Edit, ...], list[str]]:
    """Parse the edits of a link; invalid ones are ignored, with one message each.

    Args:
        texts: values of the parameter ``edit``, the last `MAX_EDITS` of which count.
        films: the films that the radiograph turns into; None if it is no phantom.
    """
    if films is None and texts:
        return (), ["The link edits this radiograph, but only a simulated one can be edited."]
    edits, problems = [], []
    for text in texts[-MAX_EDITS:]:
        try:
            assert films is not None
            edits.append(films.read_edit(text))
        except InputError as error:
            problems.append(f"An edit in the link is left out. {error}")
    return tuple(edits), problems


def values_by_name(parameters: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return query parameters as Streamlit expects them: name → values."""
    link: dict[str, list[str]] = {}
    for name, value in parameters:
        link.setdefault(name, []).append(value)
    return link


def parse_link(
    link: Mapping[str, Sequence[str]], default: Choice, known: Mapping[str, Callable[[Choice], Sequence[str]]]
) -> tuple[Choice, list[str]]:
    """Parse a link; invalid values are ignored, with one message each.

    Args:
        link: query parameter → values; unknown parameters are ignored.
        default: the choice without query parameters.
        known: parameter (case, models, methods, baseline, findings) → function that returns the names
            available for the choice parsed so far. Called only for parameters in the link: it may be slow.
    """
    problems: list[str] = []
    choice = default
    value: Any
    for name, names in known.items():
        if link.get(name):
            matches = [_match(name, text, names(choice), problems) for text in link[name]]
            valid = tuple(dict.fromkeys(text for text in matches if text))
            if valid:
                value = valid if name in LISTS else valid[-1]
                choice = replace(choice, **{name: value})
    for name, low, high in (("stage", 0, MAX_STAGE), ("steps", 1, MAX_STEPS)):
        if link.get(name):
            value = _integer(name, link[name][-1], low, high, getattr(default, name), problems)
            choice = replace(choice, **{name: value})
    return choice, problems


def _match(kind: str, text: str, known: Sequence[str], problems: list[str]) -> str | None:
    folded = {finding_key(name) if kind == "findings" else name: name for name in known}
    name = folded.get(finding_key(text) if kind == "findings" else text)
    if name is None:
        noun = {"case": "gallery case"}.get(kind, kind.removesuffix("s"))
        problems.append(
            f"The link asks for the {noun} {text[:60]!r}, which is not available; "
            f"choose from: {', '.join(known) or 'none'}."
        )
    return name


def _integer(name: str, text: str, low: int, high: int, fallback: int, problems: list[str]) -> int:
    if text.isascii() and text.isdigit() and low <= int(text[:6]) <= high:
        return int(text)
    problems.append(
        f"The link asks for {name} {text[:60]!r}; it must be a whole number from {low} to {high}. "
        f"{fallback} is used."
    )
    return fallback
