"""The pages of the workbench: their order, titles and addresses, and the file that draws each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["PAGES", "Page", "page_file"]


@dataclass(frozen=True)
class Page:
    """An entry of the navigation.

    Args:
        title: in the navigation, and above the page.
        icon: name of a Material symbol.
        purpose: what the page is for, in one sentence.
        folder: of its code, below this one.
    """

    title: str
    icon: str
    purpose: str
    folder: str


# Last part of the address → page. The first page's address is also "/".
PAGES: Final = {
    "compare": Page(
        "Compare", "compare", "One radiograph: models, methods and findings side by side.", "compare"
    ),
    "performance": Page(
        "Performance",
        "monitoring",
        "ROC curves, thresholds, intervals, groups of patients and errors of every model.",
        "performance",
    ),
    "imbalance": Page(
        "Imbalance",
        "balance",
        "How unequal the findings of a data set are, and what can be done about it.",
        "imbalance",
    ),
    "phantom": Page(
        "Phantom", "body_system", "A simulated chest whose truth is known, made as you order it.", "phantom"
    ),
    "preparation": Page(
        "Preparation",
        "tune",
        "One film through every step before the network, and every augmentation, before and after.",
        "preparation",
    ),
    "train": Page(
        "Train",
        "model_training",
        "Train a model by a recipe, in the background, and watch it learn.",
        "training",
    ),
    "about": Page(
        "About",
        "info",
        "How to read a heat map, what each method does, which models are here, and their limits.",
        "about",
    ),
}


def page_file(name: str) -> Path:
    """The script that draws a page: what Streamlit's navigation and links to pages take."""
    return Path(__file__).resolve().parent / PAGES[name].folder / "page.py"
