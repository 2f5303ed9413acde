"""What is known of an image besides its pixels, for methods that need more than the model and the image."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from torch import Tensor

__all__ = ["NEEDS", "Context", "Need"]

Need = Literal["twins"]

# What a method may need of the context → why it does not apply where that is missing.
NEEDS: Final[Mapping[Need, str]] = {
    "twins": "it needs the same patient without the finding, which is known for phantoms only",
}


@dataclass(frozen=True)
class Context:
    """What is known of the images besides their pixels.

    Args:
        twins: index of a finding → the same patients without it, preprocessed, (B, C, H, W); findings that
            are absent have no entry. None where the patients cannot be rendered again.
        patient: identifier of the patient as in the published tables; "" if unknown. Location priors leave
            out this patient's own boxes.
    """

    twins: Mapping[int, Tensor] | None = None
    patient: str = ""

    def problem(self, need: Need | None) -> str | None:
        """Why a method with this need does not apply; None where it does."""
        missing = need is not None and getattr(self, need) is None
        return NEEDS[need] if missing and need is not None else None
