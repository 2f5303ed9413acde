"""What can be found on a chest radiograph, by data set, and how the names translate."""

from collections.abc import Sequence
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
    "finding_indices",
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

# Other spellings → the name used here, for what is called differently beyond underscores and case.
# Nodule and Mass are not CheXpert's Lung Lesion: they only lie under it.
ALIASES: Final = {
    "Airspace Opacity": "Lung Opacity",
    "Effusion": "Pleural Effusion",
}
_BY_FOLDED: Final = {alias.casefold(): name for alias, name in ALIASES.items()}


def canonical(name: str) -> str:
    """The one spelling of a finding: spaces for underscores, CheXpert's name where there are several."""
    spaced = name.replace("_", " ").strip()
    return _BY_FOLDED.get(spaced.casefold(), spaced)


def finding_indices(asked: Sequence[str], labels: Sequence[str]) -> list[int]:
    """Where the asked findings stand among a model's labels.

    Args:
        asked: names of findings, in any known spelling and any case.
        labels: the model's labels, in the order of its logits.

    Returns:
        One index a name, in the order asked.

    Raises:
        InputError: a name is not among the labels; the sentence lists those that are.
    """
    known = {canonical(label).casefold(): index for index, label in enumerate(labels) if label}
    indices = []
    for name in asked:
        index = known.get(canonical(name).casefold())
        if index is None:
            choices = ", ".join(label for label in labels if label)
            raise InputError(f"Finding {name!r} is not one this model knows; choose from: {choices}.")
        indices.append(index)
    return indices
