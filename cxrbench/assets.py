"""Paths of the assets: models, gallery cases, the lung segmentation weights."""

import os
from pathlib import Path
from typing import Final

__all__ = ["gallery", "lungs", "models", "recipes", "runs", "workspace"]

_CHECKOUT: Final = Path(__file__).resolve().parents[1]


def models() -> Path:
    """Folder of shipped models, one folder per model."""
    return _root() / "models"


def gallery() -> Path:
    """Folder of gallery cases, one folder per case."""
    return _root() / "gallery"


def lungs() -> Path:
    """Folder of the lung segmentation network."""
    return _root() / "lungs"


def recipes() -> Path:
    """Folder of the recipes, one TOML file per model."""
    return _CHECKOUT / "train" / "configs"


def runs() -> Path:
    """Folder of training runs, one folder per run: CXRBENCH_RUNS, or ``runs`` beside the assets.

    If the package was installed without assets, it is ``runs`` in the working directory.
    """
    override = os.environ.get("CXRBENCH_RUNS")
    if override:
        return Path(override)
    return (_root().parent if _root().is_dir() else Path.cwd()) / "runs"


def workspace() -> Path:
    """Folder that relative paths of a recipe start from: the checkout, else the working directory."""
    return _CHECKOUT if (_CHECKOUT / "assets").is_dir() else Path.cwd()


def _root() -> Path:
    # Read at every call, so that a test or a server can change it.
    override = os.environ.get("CXRBENCH_ASSETS")
    return Path(override) if override else _CHECKOUT / "assets"
