"""How well radiologists agree with each other: a ceiling for criteria that compare a map with their boxes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["READER_CEILINGS"]

_SOURCE: Final = "three readers of VinDr-CXR, 15,000 films (doi:10.1038/s41597-022-01498-w)"

# Criterion → what readers reach by it, in one sentence.
READER_CEILINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hit": "Readers: the centre of one reader's box lies in the box of another in .916 of pairs; "
        f"{_SOURCE}.",
        "box_iou": "Readers: the areas that two readers box have an IoU of .595 over all pairs, of .540 as "
        f"the mean over findings; {_SOURCE}.",
    }
)
