"""The pages of the workbench: order, titles, URLs, and the script of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["PAGES", "Page", "page_file"]


@dataclass(frozen=True)
class Page:
    """A page in the navigation.

    Args:
        title: title in the navigation and on the page.
        icon: name of a Material symbol.
        purpose: one sentence, shown as help.
        folder: subfolder with its code.
    """

    title: str
    icon: str
    purpose: str
    folder: str


# Last part of the URL → page. The first page is also at "/".
PAGES: Final = {
    "compare": Page(
        "Compare", "compare", "One radiograph: models, methods and findings side by side.", "compare"
    ),
    "performance": Page(
        "Performance",
        "monitoring",
        "ROC and precision–recall curves, operating points, confidence intervals, subgroups and errors.",
        "performance",
    ),
    "judge": Page(
        "Judge",
        "gavel",
        "Explanation methods judged against known truth: which finds the finding, which follows the model.",
        "judge",
    ),
    "quiz": Page(
        "Quiz",
        "quiz",
        "Read films alone, then with an AI that is sometimes wrong on purpose, and see what it did to you.",
        "quiz",
    ),
    "imbalance": Page(
        "Imbalance",
        "balance",
        "Label imbalance and co-occurrence in a data set; effect of policies, resampling and class weights.",
        "imbalance",
    ),
    "data": Page(
        "Data",
        "database",
        "Data sets on the bench and how to get more; folders of your own, with a report of what is in them.",
        "data",
    ),
    "phantom": Page(
        "Phantom",
        "body_system",
        "Simulated radiographs with findings of your choice and exact masks.",
        "phantom",
    ),
    "preparation": Page(
        "Preparation",
        "tune",
        "Preprocessing and augmentation of one radiograph, step by step.",
        "preparation",
    ),
    "train": Page(
        "Train",
        "model_training",
        "Train a model by a recipe in the background, and follow its loss and validation AUROC.",
        "training",
    ),
    "about": Page(
        "About",
        "info",
        "How to read a heat map, what each method does, which models are available, and their limits.",
        "about",
    ),
}


def page_file(name: str) -> Path:
    """Return the script of a page, as Streamlit's navigation and page links expect it."""
    return Path(__file__).resolve().parent / PAGES[name].folder / "page.py"
