"""Paths of the assets: models, gallery cases, the lung segmentation weights."""

import os
from pathlib import Path

__all__ = ["gallery", "lungs", "models", "runs"]


def models() -> Path:
    """Folder of shipped models, one folder per model."""
    return _root() / "models"


def gallery() -> Path:
    """Folder of gallery cases, one folder per case."""
    return _root() / "gallery"


def lungs() -> Path:
    """Folder of the lung segmentation network."""
    return _root() / "lungs"


def runs() -> Path:
    """Folder of training runs, one folder per run: CXRBENCH_RUNS, or ``runs`` beside the assets.

    If the package was installed without assets, it is ``runs`` in the working directory.
    """
    override = os.environ.get("CXRBENCH_RUNS")
    if override:
        return Path(override)
    return (_root().parent if _root().is_dir() else Path.cwd()) / "runs"


def _root() -> Path:
    # Read at every call, so that a test or a server can change it.
    override = os.environ.get("CXRBENCH_ASSETS")
    return Path(override) if override else Path(__file__).resolve().parents[1] / "assets"
