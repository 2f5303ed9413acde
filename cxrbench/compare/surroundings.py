"""``Surroundings``: what is known of a film besides its pixels."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # comparisons are read without torch
    from torch import Tensor

    from cxrbench.explain import Context

__all__ = ["Surroundings"]


@dataclass(frozen=True)
class Surroundings:
    """What is known of a film besides its pixels, for methods that need it.

    Args:
        twins: present finding → the same patient's film without it, for phantoms; None for other films. Read
            only if a method needs them.
        name: file name of the image; NIH's names identify the patient, whom location priors then leave out.
    """

    twins: Mapping[str, np.ndarray] | None = None
    name: str = ""

    @property
    def patient(self) -> str:
        """NIH's identifier of the patient in a name such as ``00013118_008.png``; "" in others."""
        match = re.match(r"(\d{8})_\d{3}\b", PurePath(self.name).name)
        return match[1] if match else ""

    def context(
        self,
        findings: Mapping[int, str],
        prepare: "Callable[[np.ndarray], Tensor]",
        *,
        needs: Collection[object],
    ) -> "Context":
        """The same for one model.

        Args:
            findings: index of a finding among the model's labels → its name.
            prepare: a film → the images that the model takes, (1, C, H, W).
            needs: what the methods need; twins are rendered only if they are among it.
        """
        from cxrbench.explain import Context

        if self.twins is None or "twins" not in needs:
            return Context(patient=self.patient)
        twins = {index: prepare(self.twins[name]) for index, name in findings.items() if name in self.twins}
        return Context(twins, self.patient)
