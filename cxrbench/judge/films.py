"""``JudgedFilm``: a phantom with its twins, rendered once for all models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from cxrbench.data.phantom import MARKER, Phantom, Twin, twin, twins_without_each_part

__all__ = ["JudgedFilm"]


@dataclass(frozen=True, eq=False)
class JudgedFilm:
    """A phantom with the twins that criteria need, each rendered on first use.

    Args:
        phantom: the phantom.
    """

    phantom: Phantom
    _unmarked: dict[str, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def twins(self) -> Mapping[str, Twin]:
        """Part → twin without it: findings as rendered, markers, shortcuts, healthy parts."""
        return twins_without_each_part(self.phantom)

    @cached_property
    def healthy(self) -> np.ndarray:
        """The film without any of the parts, (H, W)."""
        return twin(self.phantom, without=tuple(self.twins)).phantom.image

    @property
    def marker(self) -> str | None:
        """What the shortcut criteria judge: the planted shortcut, or else the side marker; None without."""
        planted = next(iter(self.phantom.shortcuts), None)
        return planted or (MARKER if MARKER in self.twins else None)

    def without_marker(self, finding: str) -> np.ndarray:
        """The film without the marker and without a finding, (H, W)."""
        if self.marker is None:
            raise ValueError("This film has no marker; ask `marker` first.")
        if finding not in self._unmarked:
            self._unmarked[finding] = twin(self.phantom, without=(self.marker, finding)).phantom.image
        return self._unmarked[finding]
