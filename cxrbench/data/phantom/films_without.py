"""The films that a phantom's film turns into: without a finding, or after several edits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np

from cxrbench.data.phantom.edits import Changes, Edit, changes_of, read_edit
from cxrbench.data.phantom.findings import FINDINGS
from cxrbench.data.phantom.phantom import Phantom, expose
from cxrbench.data.phantom.scenario import HEALTHY_PARTS, MARKER, Scenario
from cxrbench.data.phantom.twin import VISIBLE, Twin, concentration, twin
from cxrbench.errors import InputError

__all__ = ["EditedFilm", "FilmsWithout"]

_CACHED: Final = 8  # edited films per film: about 1 MB each at 320 pixels per side
_TRIES: Final = 3  # places that are rendered in search of one that is elsewhere
_OVERLAP: Final = 0.25  # of the smaller mask: from there on a finding has not visibly moved


@dataclass(frozen=True, eq=False)
class EditedFilm:
    """A film after edits.

    Attributes:
        image: (H, W) float32 in [0, 1].
        truth: label → 0 or 1.
        masks: finding → (H, W) bool.
        changed: the parts that were removed or changed; with a finding its children are removed.
        absent: labels that are true of the film before and not of this one.
        mask: (H, W) bool, where the changed parts are visible on either film.
        concentration: mean absolute change inside the mask ÷ outside; NaN where the mask is empty.
        films: the films that this one turns into, by further edits.
    """

    image: np.ndarray
    truth: Mapping[str, int]
    masks: Mapping[str, np.ndarray]
    changed: tuple[str, ...]
    absent: tuple[str, ...]
    mask: np.ndarray
    concentration: float
    films: "FilmsWithout"


class FilmsWithout(Mapping[str, np.ndarray]):
    """Present finding → the film without it, rendered on first use; and the film after any edits.

    Nothing of it changes, and rendered films are kept for all who ask for the same one.

    Args:
        scenario: of the phantom.
        truth: label → 0 or 1, of the phantom.
        image: the film as it is used, (H, W): changes are applied to it, so that it may be stored in 8 bits
            or have something planted on it.
        original: the phantom, if it is rendered already.
        stored: part → the film without it, (H, W), for films that need not be rendered, and for what was
            planted on the image.
    """

    def __init__(
        self,
        scenario: Scenario,
        truth: Mapping[str, int],
        image: np.ndarray,
        *,
        original: Phantom | None = None,
        stored: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.scenario = scenario
        self.truth = truth
        self.image = image
        self._stored = dict(stored or {})
        self._present = tuple(name for name, value in truth.items() if value and name != "No Finding")
        if original is not None:
            self.original = original
        self._edited = lru_cache(maxsize=_CACHED)(self._render)

    @cached_property
    def original(self) -> Phantom:
        """The phantom."""
        return expose(self.scenario)

    @property
    def removable(self) -> tuple[str, ...]:
        """The parts that can be taken away: present findings, shortcuts, side marker, healthy parts."""
        omitted = self.scenario.omitted
        marker = (MARKER,) if self.scenario.settings.marker and MARKER not in omitted else ()
        healthy = () if self.scenario.view == "LATERAL" else tuple(HEALTHY_PARTS)
        others = (*marker, *(part for part in healthy if part not in omitted))
        return (*self._present, *self.scenario.shortcuts, *self._planted, *others)

    @property
    def severity(self) -> Mapping[str, float]:
        """Finding as rendered → its severity in (0, 1]."""
        return self.scenario.findings

    @property
    def movable(self) -> tuple[str, ...]:
        """The findings that can lie elsewhere."""
        if self.scenario.view == "LATERAL":
            return ()
        return tuple(name for name in self.scenario.findings if FINDINGS[name].placed)

    def edited(self, edits: Sequence[Edit]) -> EditedFilm:
        """The film after edits of it.

        Raises:
            InputError: an edit that this film does not allow.
        """
        return self._edited(changes_of(edits, self.scenario))

    def read_edit(self, text: str) -> Edit:
        """An edit of this film from its text in a link.

        Raises:
            InputError: another form, or an edit that this film does not allow.
        """
        edit = read_edit(text, self.removable)
        if edit.severity is not None and edit.part not in self.severity:
            raise InputError(
                f"{edit.part} has no severity to change; choose from: {', '.join(self.severity) or 'none'}."
            )
        if edit.place is not None and edit.part not in self.movable:
            raise InputError(
                f"{edit.part} cannot be moved on this film; choose from: {', '.join(self.movable) or 'none'}."
            )
        return edit

    def elsewhere(self, finding: str, edits: Sequence[Edit] = ()) -> Edit:
        """The edit that moves a finding: of the next three places the first that hardly overlaps with this.

        Args:
            finding: one of ``movable``, not taken away.
            edits: those of the film so far.
        """
        here = self.edited(edits).masks[finding]
        place = dict(changes_of(edits, self.scenario).places).get(
            finding, self.scenario.places.get(finding, 0)
        )
        best, least = Edit(finding, place=place + 1), float("inf")
        for step in range(1, _TRIES + 1):
            edit = Edit(finding, place=place + step)
            there = self.edited([*edits, edit]).masks[finding]
            overlap = (here & there).sum() / max(1, min(here.sum(), there.sum()))
            if overlap < least:
                best, least = edit, overlap
            if overlap < _OVERLAP:
                break
        return best

    def __getitem__(self, finding: str) -> np.ndarray:
        """The film without a finding, (H, W) float32."""
        if finding not in self._present:
            raise KeyError(finding)
        return self._stored[finding] if finding in self._stored else self.edited([Edit(finding)]).image

    def __iter__(self) -> Iterator[str]:
        return iter(self._present)

    def __len__(self) -> int:
        return len(self._present)

    @property
    def _planted(self) -> tuple[str, ...]:
        """What the phantom does not have and the image does."""
        known = {*self._present, *self.scenario.shortcuts, MARKER, *HEALTHY_PARTS}
        return tuple(name for name in self._stored if name not in known)

    def _render(self, changes: Changes) -> EditedFilm:
        planted = self._planted
        unplanted = [name for name in changes.without if name in planted]
        pair = twin(
            self.original,
            without=[name for name in changes.without if name not in unplanted],
            severity=dict(changes.severity),
            places=dict(changes.places),
        )
        image, mask = self._changed_image(pair, unplanted), pair.mask.copy()
        if len(changes.without) == 1 and changes == Changes(changes.without):
            image = self._stored.get(changes.without[0], image)
        for name in unplanted:
            mask |= np.abs(self._stored[name] - self.image) > VISIBLE
        kept = [name for name in planted if name not in unplanted]
        films = FilmsWithout(
            pair.phantom.scenario,
            pair.phantom.truth,
            image,
            stored={name: self._changed_image(pair, [*unplanted, name]) for name in kept},
        )
        return EditedFilm(
            image=image,
            truth=pair.phantom.truth,
            masks=pair.phantom.masks,
            changed=(*pair.changed, *unplanted),
            absent=pair.absent,
            mask=mask,
            concentration=concentration(image - self.image, mask),
            films=films,
        )

    def _changed_image(self, pair: Twin, unplanted: Sequence[str]) -> np.ndarray:
        """The image with the change of a twin, and without some of what was planted on it."""
        image = self.image - pair.difference
        for name in unplanted:
            image = image + (self._stored[name] - self.image)
        changed: np.ndarray = np.clip(image, 0, 1)
        return changed
