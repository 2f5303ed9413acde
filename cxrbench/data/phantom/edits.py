"""Edits of a phantom's film: a part taken away, a finding weaker, stronger or elsewhere."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cxrbench.data.phantom.scenario import Scenario
from cxrbench.errors import InputError
from cxrbench.labels import finding_slug

__all__ = ["Changes", "Edit", "changes_of", "read_edit"]


@dataclass(frozen=True)
class Edit:
    """One edit of a film. Without severity and place, the part is taken away.

    Args:
        part: a finding, a planted shortcut, the side marker or a healthy part.
        severity: the finding's new severity, in (0, 1].
        place: number of the finding's new place.
    """

    part: str
    severity: float | None = None
    place: int | None = None

    @property
    def text(self) -> str:
        """The edit in a link: ``without:edema``, ``severity:edema:0.6``, ``place:lung_lesion:2``."""
        part = finding_slug(self.part)
        if self.severity is not None:
            return f"severity:{part}:{self.severity:g}"
        return f"without:{part}" if self.place is None else f"place:{part}:{self.place}"


def read_edit(text: str, parts: Iterable[str]) -> Edit:
    """Inverse of ``Edit.text``.

    Args:
        text: as ``Edit.text`` writes it.
        parts: the parts that the film has.

    Raises:
        InputError: another form, a part that the film does not have, or a value out of range.
    """
    kind, _, rest = text.partition(":")
    slug, _, value = rest.partition(":")
    known = {finding_slug(part): part for part in parts}
    kinds = ("without", "severity", "place")
    if kind not in kinds or slug not in known or bool(value) != (kind != "without"):
        raise InputError(
            "An edit must be without:PART, severity:FINDING:VALUE or place:FINDING:NUMBER, got "
            f"{text[:60]!r}; the parts of this film are: {', '.join(known) or 'none'}."
        )
    if kind == "without":
        return Edit(known[slug])
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if kind == "severity" and 0 < number <= 1:
        return Edit(known[slug], severity=number)
    if kind == "place" and value.isascii() and value.isdigit() and number < 1000:
        return Edit(known[slug], place=int(value))
    allowed = "in (0, 1]" if kind == "severity" else "a whole number below 1000"
    raise InputError(f"The {kind} in the edit {text[:60]!r} must be {allowed}, got {value[:20]!r}.")


@dataclass(frozen=True)
class Changes:
    """What several edits amount to: equal films have equal changes, whatever the order of the edits.

    Args:
        without: the parts that are taken away, in alphabetical order.
        severity: (finding, new severity), where it differs from the film's.
        places: (finding, number of its new place), where it differs from the film's.
    """

    without: tuple[str, ...] = ()
    severity: tuple[tuple[str, float], ...] = ()
    places: tuple[tuple[str, int], ...] = ()


def changes_of(edits: Sequence[Edit], scenario: Scenario) -> Changes:
    """What the edits of a film amount to; of several severities or places the last one counts."""
    without = {edit.part for edit in edits if edit.severity is None and edit.place is None}
    severity = {edit.part: edit.severity for edit in edits if edit.severity is not None}
    places = {edit.part: edit.place for edit in edits if edit.place is not None}
    return Changes(
        tuple(sorted(without)),
        tuple(
            (name, value)
            for name, value in sorted(severity.items())
            if name not in without and value != scenario.findings.get(name)
        ),
        tuple(
            (name, place)
            for name, place in sorted(places.items())
            if name not in without and place != scenario.places.get(name, 0)
        ),
    )
