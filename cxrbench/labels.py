"""The findings of each data set, and the translation of their names."""

import re
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
    "finding_slug",
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

# Other names → the name used here, where they differ in more than spaces, underscores and case: of NIH,
# PadChest (Bustos et al. 2020, arXiv:1901.07441) and VinDr-CXR (Nguyen et al. 2022, arXiv:2012.15029).
# Nodule and Mass are not CheXpert's Lung Lesion, but kinds of it.
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
    """Normalise the spelling of a name: case, spaces, underscores, hyphens, Unicode forms."""
    words = unicodedata.normalize("NFKC", name).replace("_", " ").replace("-", " ").split()
    return " ".join(words).casefold()


_SPELLED: Final = {
    **{_folded(name): name.replace("_", " ") for name in (*NIH, *TORCHXRAYVISION, *CHEXPERT)},
    **{_folded(alias): name for alias, name in ALIASES.items()},
}


def canonical(name: str) -> str:
    """Canonical name of a finding: CheXpert's where data sets differ, else NIH's with spaces.

    Case, underscores, hyphens and the number of spaces are ignored for known findings. In any other name,
    underscores and repeated spaces become one space, and the case is kept.
    """
    return _SPELLED.get(_folded(name)) or " ".join(name.replace("_", " ").split())


def finding_key(name: str) -> str:
    """Key for comparing names: equal for all spellings of one finding; not for display."""
    return _folded(canonical(name))


def finding_slug(name: str) -> str:
    """Key of a finding as one word, for links and command lines: "Pleural Effusion" → "pleural_effusion"."""
    return re.sub(r"\W+", "_", finding_key(name)).strip("_")


def finding_columns(labels: Sequence[str]) -> dict[str, int]:
    """Position of each label by its `finding_key`; "" (an untrained output) is omitted.

    Of two spellings of one finding the first is used.
    """
    columns: dict[str, int] = {}
    for index, label in enumerate(labels):
        if label:
            columns.setdefault(finding_key(label), index)
    return columns


def closest_finding(name: str) -> str | None:
    """Known finding with the most similar spelling to an unknown name; None if none is similar."""
    matches = get_close_matches(_folded(name), list(_SPELLED), n=1, cutoff=0.8)
    return _SPELLED[matches[0]] if matches else None


def finding_indices(findings: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Indices of findings among a model's labels.

    Args:
        findings: names, in any known spelling and any case.
        labels: the model's labels, in the order of its logits.

    Returns:
        One index per name, in their order.

    Raises:
        InputError: a name is not among the labels; the message lists these.
    """
    known = finding_columns(labels)
    indices = []
    for name in findings:
        index = known.get(finding_key(name))
        if index is None:
            choices = ", ".join(label for label in labels if label)
            raise InputError(f"Finding {name!r} is not one this model knows; choose from: {choices}.")
        indices.append(index)
    return indices
