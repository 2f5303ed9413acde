"""``JudgedMap``: one map of one finding on one image, and what is known of that image."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from torch import Tensor

from cxrbench.judge.boxes import box_mask
from cxrbench.judge.maps import defined, enlarged, positive_part

__all__ = ["Explainer", "JudgedMap", "Part", "Score"]

T = TypeVar("T")

# Images (N, C, H, W) → logits (N,) of the finding whose map is judged.
Score = Callable[[Tensor], Tensor]
# Images (N, C, H, W) → maps (N, h, w) of that finding by the method that is judged.
Explainer = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Part:
    """Something on a film that can be taken away: a finding, a marker, a device, a distractor.

    Args:
        name: of the finding, or of the object.
        mask: (H, W) bool, where taking it away changes the image.
        change: logit of the judged finding with the part minus without it.
    """

    name: str
    mask: np.ndarray
    change: float


@dataclass(frozen=True, eq=False)
class JudgedMap:
    """One map of one finding on one image, and what is known of that image; unknown parts stay None.

    All arrays and images have one size (H, W), that of the network's input; only the map has its own grid.

    Args:
        map: (h, w), signed, not normalised.
        size: (H, W).
        mask: (H, W) bool, of the finding.
        boxes: (T, 4) of the finding: left, top, right, bottom in pixels, right and bottom exclusive.
        lungs: (H, W) bool.
        parts: what can be taken away, the finding itself among it.
        finding: name of the finding's own part.
        image: (C, H, W), as the network takes it.
        twin: (C, H, W), the same image without the finding.
        healthy: (C, H, W), the same image without any of the parts.
        baselines: what stands for "nothing" where no twin does: ``black``, ``mean``, ``blur`` → (C, H, W).
        square_drops: fall of the score where each of ``standard_squares`` is black; computed if None.
        score: images → logits of the finding.
        explain: images → maps of the finding, for criteria that explain changed images.
        noisy_maps: (S, h, w), maps of ``noisy_images``; computed by ``explain`` if None.
        logit: of the finding on the image.
        threshold: logit from which the finding counts as predicted.
        present: whether the finding is present; for an absent one relevance is evidence against it.
        other_maps: (M, h, w), maps of other findings on the same image by the same method.
        randomised_maps: (S, h, w), maps by the model while its layers are randomised (``cascade``).
        marker: (H, W) bool, of a planted shortcut.
        map_without_marker: (h, w), map of the same image without the marker.
        logit_without_marker: of the finding on that image.
        seed: of random numbers; the same seed gives the same values.
    """

    map: np.ndarray
    size: tuple[int, int]
    mask: np.ndarray | None = None
    boxes: np.ndarray | None = None
    lungs: np.ndarray | None = None
    parts: tuple[Part, ...] | None = None
    finding: str | None = None
    image: Tensor | None = None
    twin: Tensor | None = None
    healthy: Tensor | None = None
    baselines: Mapping[str, Tensor] | None = None
    square_drops: np.ndarray | None = None
    score: Score | None = None
    explain: Explainer | None = None
    noisy_maps: np.ndarray | None = None
    logit: float | None = None
    threshold: float | None = None
    present: bool = True
    other_maps: np.ndarray | None = None
    randomised_maps: np.ndarray | None = None
    marker: np.ndarray | None = None
    map_without_marker: np.ndarray | None = None
    logit_without_marker: float | None = None
    seed: int = 0
    _shared: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def shared(self, name: str, compute: Callable[[], T]) -> T:
        """What several criteria read from one computation: computed on first use."""
        if name not in self._shared:
            self._shared[name] = compute()
        found: T = self._shared[name]
        return found

    @property
    def grid(self) -> tuple[int, int]:
        """(h, w) of the map."""
        height, width = self.map.shape
        return height, width

    @property
    def defined(self) -> bool:
        """Whether all values of the map are finite."""
        return defined(self.map)

    @cached_property
    def relevance(self) -> np.ndarray:
        """The map at the images' size, (H, W)."""
        return enlarged(self.map, self.size)

    @cached_property
    def heat(self) -> np.ndarray:
        """Its positive part, which a heat map shows, (H, W)."""
        return positive_part(self.relevance)

    @cached_property
    def part_masks(self) -> np.ndarray:
        """Masks of the parts, (P, H, W) bool."""
        masks = [part.mask for part in self.parts or ()]
        return np.stack(masks).astype(bool) if masks else np.zeros((0, *self.size), bool)

    @cached_property
    def changes(self) -> np.ndarray:
        """True changes of the logit, one per part, (P,)."""
        return np.array([part.change for part in self.parts or ()], np.float64)

    @cached_property
    def region(self) -> np.ndarray | None:
        """Where the finding is, (H, W) bool: its mask, or the union of its boxes."""
        if self.mask is None and self.boxes is not None:
            return box_mask(self.boxes, self.size)
        return self.mask
