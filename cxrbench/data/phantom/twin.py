"""Twins: the same patient with the same noise and processing, and one thing changed.

What removing a finding does to a score is then known exactly, and a heat map can be compared with it.
Reference of the idea: FunnyBirds, Hesse et al. 2023, arXiv:2308.06248.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from cxrbench.data.phantom.film import Tone, tone_of
from cxrbench.data.phantom.findings import FINDINGS
from cxrbench.data.phantom.phantom import TOLERANCE, Phantom, expose
from cxrbench.data.phantom.scenario import HEALTHY_PARTS, MARKER
from cxrbench.data.phantom.solids import Array
from cxrbench.errors import InputError
from cxrbench.labels import HIERARCHY, finding_key

__all__ = ["VISIBLE", "Twin", "concentration", "parts", "twin", "twins_without_each_part"]

# The difference of grey levels above which a pixel counts as changed.
VISIBLE: Final = 0.02


@dataclass(frozen=True)
class Twin:
    """A phantom and its twin.

    Attributes:
        original: the phantom.
        phantom: the twin.
        changed: the parts that were removed or changed; with a finding its children are removed.
        absent: labels that are true of the original and not of the twin.
        mask: (H, W) bool, where the changed parts are visible on either film.
    """

    original: Phantom
    phantom: Phantom
    changed: tuple[str, ...]
    absent: tuple[str, ...]
    mask: np.ndarray

    @cached_property
    def difference(self) -> Array:
        """Original minus twin, (H, W) float32: positive where the removed part is brighter."""
        return self.original.image - self.phantom.image

    @property
    def concentration(self) -> float:
        """``concentration`` of the difference in the mask: above 1 the change lies in the mask."""
        return concentration(self.difference, self.mask)

    def region(self, threshold: float = VISIBLE) -> np.ndarray:
        """Where the grey level changes by more than a threshold: (H, W) bool."""
        changed: np.ndarray = np.abs(self.difference) > threshold
        return changed


def concentration(difference: np.ndarray, mask: np.ndarray) -> float:
    """Mean absolute difference inside a mask ÷ outside; NaN where the mask is empty or everything.

    Scatter and the processing's low frequencies spread a change somewhat, as on real films.
    """
    size = np.abs(difference)
    if not mask.any() or mask.all():
        return float("nan")
    outside = float(size[~mask].mean())
    return float(size[mask].mean()) / outside if outside else float("inf")


def parts(phantom: Phantom) -> dict[str, np.ndarray]:
    """The parts of a film that can be removed: name → where they are visible, (H, W) bool.

    Findings as rendered (without the labels that they only imply), planted shortcuts, the side marker, and on
    frontal films healthy parts.
    """
    found = {name: phantom.masks[name] for name in phantom.severity}
    found |= phantom.shortcuts
    if phantom.marker.any():
        found[MARKER] = phantom.marker
    return found | {name: twin(phantom, without=(name,)).mask for name in _healthy_parts(phantom)}


def twins_without_each_part(phantom: Phantom) -> dict[str, Twin]:
    """Part → the twin without it, for all that ``parts`` names and in its order; each is rendered once.

    The mask of each twin is the part's, as in ``parts``.
    """
    marker = (MARKER,) if phantom.marker.any() else ()
    names = (*phantom.severity, *phantom.shortcuts, *marker, *_healthy_parts(phantom))
    # The grey levels are those of the original film: measured once, not for each twin.
    measured = replace(phantom, scenario=replace(phantom.scenario, tone=_tone(phantom)))
    return {name: twin(measured, without=(name,)) for name in names}


def twin(
    original: Phantom,
    *,
    without: Sequence[str] = (),
    severity: Mapping[str, float] | None = None,
    places: Mapping[str, int] | None = None,
) -> Twin:
    """Render the same patient with findings or other parts removed, weaker, stronger or elsewhere.

    Body, position, noise, exposure and grey levels stay the same. What a finding changes outside its mask is
    what scatter and the processing's low frequencies make of it.

    Args:
        original: the phantom.
        without: findings (their children are removed too), planted shortcuts, ``Side marker``, or one of
            `HEALTHY_PARTS`.
        severity: finding → its new severity in (0, 1].
        places: finding → number of another place, drawn from a stream of its own; frontal films only, and
            only findings that can lie elsewhere (``Finding.placed``).

    Returns:
        The twin. A parent in the hierarchy stays true only if another of its children or it itself remains.

    Raises:
        InputError: a part that the phantom does not have, or an invalid severity or place.
    """
    scenario = original.scenario
    removed = _removed(original, without)
    stronger = {_present(original, name): value for name, value in (severity or {}).items()}
    moved = {_present(original, name): place for name, place in (places or {}).items()}
    _check(original, stronger, moved)
    findings = {name: stronger.get(name, value) for name, value in scenario.findings.items()}
    changed = replace(
        scenario,
        findings={name: value for name, value in findings.items() if name not in removed},
        shortcuts=tuple(kind for kind in scenario.shortcuts if kind not in removed),
        places={**scenario.places, **moved},
        omitted=scenario.omitted | {name for name in removed if name == MARKER or name in HEALTHY_PARTS},
        tone=_tone(original),
    )
    phantom = expose(changed)
    names = (*removed, *stronger, *moved)
    absent = tuple(name for name, value in original.truth.items() if value > phantom.truth[name])
    return Twin(original, phantom, names, absent, _mask(original, phantom, names))


def _tone(original: Phantom) -> Tone:
    scenario = original.scenario
    if scenario.tone is not None:
        return scenario.tone
    return tone_of(
        original.attenuation, original.patient, scenario.geometry, original.exposure, scenario.stream
    )


def _removed(original: Phantom, without: Sequence[str]) -> tuple[str, ...]:
    """The parts to remove: as named, and the findings whose ancestor is named."""
    severity = original.severity
    removed: list[str] = []
    for name in without:
        others = (*original.shortcuts, *_other_parts(original))
        exact = {finding_key(part): part for part in others}.get(finding_key(name))
        if exact is not None:
            removed.append(exact)
            continue
        children = [child for child in severity if finding_key(name) in map(finding_key, _lineage(child))]
        if not children:
            raise InputError(
                f"This phantom has no {name!r} to remove; it has: "
                f"{', '.join((*severity, *others)) or 'nothing'}."
            )
        removed.extend(children)
    return tuple(dict.fromkeys(removed))


def _other_parts(original: Phantom) -> tuple[str, ...]:
    drawn = original.exposure.marker and MARKER not in original.scenario.omitted
    return (*((MARKER,) if drawn else ()), *_healthy_parts(original))


def _healthy_parts(original: Phantom) -> tuple[str, ...]:
    """Those of `HEALTHY_PARTS` that the film has."""
    if original.view == "LATERAL":
        return ()
    return tuple(part for part in HEALTHY_PARTS if part not in original.scenario.omitted)


def _lineage(name: str) -> list[str]:
    """A finding and its ancestors."""
    line = [name]
    while line[-1] in HIERARCHY:
        line.append(HIERARCHY[line[-1]])
    return line


def _present(original: Phantom, name: str) -> str:
    known = {finding_key(finding): finding for finding in original.severity}
    if finding_key(name) not in known:
        raise InputError(
            f"This phantom has no {name!r} to change; it has: {', '.join(original.severity) or 'no finding'}."
        )
    return known[finding_key(name)]


def _check(original: Phantom, severity: Mapping[str, float], places: Mapping[str, int]) -> None:
    for name, value in severity.items():
        if not 0 < value <= 1:
            raise InputError(
                f"The severity of {name} must be in (0, 1], got {value}; to remove it, name it in without."
            )
    for name, place in places.items():
        if place < 0:
            raise InputError(f"The place of {name} must be 0 or more, got {place}.")
        if not FINDINGS[name].placed:
            raise InputError(
                f"{name} has one place only and cannot be moved; change its severity, or remove it."
            )
        if original.view == "LATERAL":
            raise InputError(f"{name} can be moved on frontal films only; render a PA or AP view.")


def _mask(original: Phantom, phantom: Phantom, names: Sequence[str]) -> np.ndarray:
    """Where the changed parts are visible on either film."""
    mask = np.zeros(original.image.shape, bool)
    for name in names:
        for film in (original, phantom):
            mask |= film.masks.get(name, False) | film.shortcuts.get(name, False)
        if name == MARKER:
            mask |= original.marker
        if name in HEALTHY_PARTS:
            mask |= np.abs(original.attenuation - phantom.attenuation) > TOLERANCE
    return mask
