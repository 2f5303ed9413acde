"""Paths of what ships beside the library: models, gallery cases, the lung segmentation weights."""

import os
from pathlib import Path

__all__ = ["gallery", "lungs", "models", "runs"]


def models() -> Path:
    """The folder of shipped models, one folder each."""
    return _root() / "models"


def gallery() -> Path:
    """The folder of gallery cases, one folder each."""
    return _root() / "gallery"


def lungs() -> Path:
    """The folder of the network that marks the lungs."""
    return _root() / "lungs"


def runs() -> Path:
    """The folder of training runs, one folder each: CXRBENCH_RUNS, or ``runs`` beside the assets.

    Where the package was installed without its assets, ``runs`` in the working folder.
    """
    override = os.environ.get("CXRBENCH_RUNS")
    if override:
        return Path(override)
    return (_root().parent if _root().is_dir() else Path.cwd()) / "runs"


def _root() -> Path:
    # Asked at every call, so that a test or a server can point the bench at other assets.
    override = os.environ.get("CXRBENCH_ASSETS")
    return Path(override) if override else Path(__file__).resolve().parents[1] / "assets"
