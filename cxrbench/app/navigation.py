"""The pages of the workbench: order, titles, URLs, and the script of each."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["PAGES", "Page", "class_mode", "open_pages", "page_file"]


@dataclass(frozen=True)
class Page:
    """A page in the navigation.

    Args:
        title: title in the navigation and on the page.
        icon: name of a Material symbol.
        purpose: a sentence or two, below the title and as help of the entry.
        folder: subfolder with its code.
    """

    title: str
    icon: str
    purpose: str
    folder: str


# Last part of the URL → page. The first page is also at "/".
PAGES: Final = {
    "start": Page("cxrbench", "radiology", "What this is, shown on one film, and the ways into it.", "start"),
    "compare": Page(
        "Compare", "compare", "One radiograph: models, methods and findings side by side.", "compare"
    ),
    "learn": Page(
        "Learn",
        "school",
        "Each lesson is a few films with questions: guess first, then see. Every answer is computed from "
        "simulated patients, whose truth is known. Progress stays in this browser.",
        "learn",
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
        "Add the folder of a published data set that you have: it is recognised from its files, every image "
        "is read once, and what is missing, damaged or doubled is reported. Nothing is copied, and your "
        "folder is not changed.",
        "data",
    ),
    "models": Page(
        "Models",
        "deployed_code",
        "What is on the bench, what each model learned from and under which licence. Add models of others "
        "that learned from real films with one click, or the folder of a model of your own, and remove what "
        "you added.",
        "models",
    ),
    "phantom": Page(
        "Phantom",
        "body_system",
        "Simulate a chest radiograph with the findings you choose. Every finding is placed by anatomy, and "
        "its mask is known to the pixel, so that a heat map can be checked against it. A phantom is not a "
        "patient: how well a model does on phantoms says nothing about real radiographs.",
        "phantom",
    ),
    "preparation": Page(
        "Preparation",
        "tune",
        "Follow one radiograph through every preprocessing step to the input of a network, and see how "
        "augmentation changes images in training, so that a network learns the finding and not the exposure.",
        "preparation",
    ),
    "train": Page(
        "Train",
        "model_training",
        "Train a model with one of the recipes, in the background: you can close the page and come back, or "
        "follow the run from another computer. The model is available on Compare when the run is done.",
        "training",
    ),
    "glossary": Page("Glossary", "menu_book", "The words of the workbench, and what they mean.", "glossary"),
    "about": Page(
        "About",
        "info",
        "How to read a heat map, what each method does, which models are available, and their limits.",
        "about",
    ),
}

_LOCKED: Final = ("data", "models", "train")  # in class mode: they change the machine


def class_mode() -> bool:
    """Whether a teacher has locked what changes the machine or brings files to it: ``CXRBENCH_CLASS=1``."""
    return os.environ.get("CXRBENCH_CLASS", "").strip().lower() not in ("", "0", "false", "no")


def open_pages() -> dict[str, Page]:
    """The pages that can be opened: all of them, in class mode those that change nothing."""
    return {name: page for name, page in PAGES.items() if not (class_mode() and name in _LOCKED)}


def page_file(name: str) -> Path:
    """Return the script of a page, as Streamlit's navigation and page links expect it."""
    return Path(__file__).resolve().parent / PAGES[name].folder / "page.py"
