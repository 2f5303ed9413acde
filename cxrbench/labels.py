"""The findings of each data set, and how their names translate."""

import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from cxrbench.errors import InputError

__all__ = [
    "ALIASES",
    "CHEXPERT",
    "COMPETITION",
    "HIERARCHY",
    "NIH",
    "TORCHXRAYVISION",
    "canonical",
    "closest_finding",
    "finding_columns",
    "finding_indices",
    "finding_key",
]

# The column order of CheXpert's train.csv (Irvin et al. 2019, arXiv:1901.07031).
CHEXPERT: Final = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)

# The five findings by which the CheXpert competition ranked.
COMPETITION: Final = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")

# Child → parent (Irvin et al. 2019, figure 1). A child's presence implies its parent's.
HIERARCHY: Final = {
    "Cardiomegaly": "Enlarged Cardiomediastinum",
    "Lung Lesion": "Lung Opacity",
    "Edema": "Lung Opacity",
    "Consolidation": "Lung Opacity",
    "Pneumonia": "Consolidation",
    "Atelectasis": "Lung Opacity",
}

# NIH ChestX-ray14 (Wang et al. 2017, arXiv:1705.02315), in the order of CheXNet.
NIH: Final = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)

# The 18 outputs of torchxrayvision's "all" models, in their order.
TORCHXRAYVISION: Final = (
    "Atelectasis",
    "Consolidation",
    "Infiltration",
    "Pneumothorax",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Effusion",
    "Pneumonia",
    "Pleural_Thickening",
    "Cardiomegaly",
    "Nodule",
    "Mass",
    "Hernia",
    "Lung Lesion",
    "Fracture",
    "Lung Opacity",
    "Enlarged Cardiomediastinum",
)

# Other names → the name used here, for what is called differently beyond spaces, underscores and case: of
# NIH, PadChest (Bustos et al. 2020, arXiv:1901.07441) and VinDr-CXR (Nguyen et al. 2022, arXiv:2012.15029).
# Nodule and Mass are not CheXpert's Lung Lesion: they only lie under it.
ALIASES: Final = {
    "Airspace Opacity": "Lung Opacity",
    "Effusion": "Pleural Effusion",
    "Infiltrate": "Infiltration",
    "Infiltrates": "Infiltration",
    "Pulmonary Edema": "Edema",
    "Pulmonary Fibrosis": "Fibrosis",
    "Hiatal Hernia": "Hernia",
    "Normal": "No Finding",
}


def _folded(name: str) -> str:
    """A name without what spellings differ in: case, runs of spaces, underscores, hyphens, Unicode forms."""
    words = unicodedata.normalize("NFKC", name).replace("_", " ").replace("-", " ").split()
    return " ".join(words).casefold()


_SPELLED: Final = {
    **{_folded(name): name.replace("_", " ") for name in (*NIH, *TORCHXRAYVISION, *CHEXPERT)},
    **{_folded(alias): name for alias, name in ALIASES.items()},
}


def canonical(name: str) -> str:
    """The one spelling of a finding: CheXpert's name where there are several, else NIH's with spaces.

    Case, underscores, hyphens and the number of spaces do not matter for the findings that are known here. Of
    any other name, underscores and runs of spaces become one space, and its case stays.
    """
    return _SPELLED.get(_folded(name)) or " ".join(name.replace("_", " ").split())


def finding_key(name: str) -> str:
    """What two spellings of one finding have in common; for comparing names, not for showing them."""
    return _folded(canonical(name))


def finding_columns(labels: Sequence[str]) -> dict[str, int]:
    """`finding_key` → its position among the labels; "" (an untrained output) is left out.

    Of two spellings of one finding the first counts.
    """
    columns: dict[str, int] = {}
    for index, label in enumerate(labels):
        if label:
            columns.setdefault(finding_key(label), index)
    return columns


def closest_finding(name: str) -> str | None:
    """The known finding whose spelling is nearest to a name that is not understood; None if none is near."""
    near = get_close_matches(_folded(name), list(_SPELLED), n=1, cutoff=0.8)
    return _SPELLED[near[0]] if near else None


def finding_indices(asked: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Where the asked findings stand among a model's labels.

    Args:
        asked: names of findings, in any known spelling and any case.
        labels: the model's labels, in the order of its logits.

    Returns:
        One index per name, in the order asked.

    Raises:
        InputError: a name is not among the labels; the sentence lists those that are.
    """
    known = finding_columns(labels)
    indices = []
    for name in asked:
        index = known.get(finding_key(name))
        if index is None:
            choices = ", ".join(label for label in labels if label)
            raise InputError(f"Finding {name!r} is not one this model knows; choose from: {choices}.")
        indices.append(index)
    return indices
