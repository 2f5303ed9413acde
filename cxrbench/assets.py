"""Paths of what ships beside the code: models, gallery, lung segmentation, recipes, the workbench's script.

In a checkout these files lie beside the package. A wheel holds them inside it, in the same layout, below
``cxrbench/shipped`` (written by ``scripts/build_wheel.py``). No other module looks outside the package.
"""

import os
from pathlib import Path
from typing import Final

__all__ = [
    "gallery",
    "healthy",
    "judged",
    "lessons",
    "locations",
    "lungs",
    "models",
    "own_data",
    "own_lessons",
    "own_models",
    "recipes",
    "runs",
    "workbench",
    "workspace",
]

_PACKAGE: Final = Path(__file__).resolve().parent
_SHIPPED: Final = _PACKAGE / "shipped"
_INSTALLED: Final = _SHIPPED.is_dir()
_ROOT: Final = _SHIPPED if _INSTALLED else _PACKAGE.parent


def models() -> Path:
    """Folder of shipped models, one folder per model."""
    return _assets() / "models"


def own_models() -> Path:
    """Folder of the user's models, one folder per model: CXRBENCH_MODELS, or ``.cxrbench/models`` at home."""
    override = os.environ.get("CXRBENCH_MODELS")
    return Path(override) if override else Path.home() / ".cxrbench" / "models"


def own_data() -> Path:
    """Folder of what is kept of the user's data sets: CXRBENCH_DATA, or ``.cxrbench/data`` at home."""
    override = os.environ.get("CXRBENCH_DATA")
    return Path(override) if override else Path.home() / ".cxrbench" / "data"


def gallery() -> Path:
    """Folder of gallery cases, one folder per case."""
    return _assets() / "gallery"


def healthy() -> Path:
    """Folder of films without a finding, baselines of expected gradients."""
    return _assets() / "healthy"


def judged() -> Path:
    """Folder of stored results of ``cxrbench judge``, one Parquet file per run."""
    return _assets() / "judged"


def lessons() -> Path:
    """Folder of the shipped lessons, one TOML file per lesson, with its computed values beside it."""
    return _assets() / "lessons"


def own_lessons() -> Path | None:
    """Folder of the user's lessons, besides the shipped ones: CXRBENCH_LESSONS; None if it is not set."""
    override = os.environ.get("CXRBENCH_LESSONS")
    return Path(override) if override else None


def locations() -> Path:
    """Folder of the places of findings on other films."""
    return _assets() / "locations"


def lungs() -> Path:
    """Folder of the lung segmentation network."""
    return _assets() / "lungs"


def recipes() -> Path:
    """Folder of the recipes, one TOML file per model."""
    return _ROOT / "train" / "configs"


def workbench() -> Path:
    """The script that Streamlit runs; its settings lie beside it, in ``.streamlit``."""
    return _ROOT / "streamlit_app.py"


def runs() -> Path:
    """Folder of training runs, one folder per run.

    CXRBENCH_RUNS; or else ``runs`` beside the folder that CXRBENCH_ASSETS names; or else ``runs`` in the
    workspace.
    """
    if override := os.environ.get("CXRBENCH_RUNS"):
        return Path(override)
    if (override := os.environ.get("CXRBENCH_ASSETS")) and Path(override).is_dir():
        return Path(override).parent / "runs"
    return workspace() / "runs"


def workspace() -> Path:
    """Folder that relative paths of a recipe start from: the checkout, else the working directory."""
    return _ROOT if not _INSTALLED and (_ROOT / "assets").is_dir() else Path.cwd()


def _assets() -> Path:
    # Read at every call, so that a test or a server can change it.
    override = os.environ.get("CXRBENCH_ASSETS")
    return Path(override) if override else _ROOT / "assets"
