"""Twins of a data set's test films on disk: one image per part that is taken away, and their table."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from cxrbench.data.phantom.film import side_marker
from cxrbench.data.phantom.labeller import certain, closed
from cxrbench.data.phantom.phantom import Phantom, expose
from cxrbench.data.phantom.plan import Film, Study
from cxrbench.data.phantom.scenario import MARKER, Scenario
from cxrbench.data.phantom.twin import VISIBLE, twin
from cxrbench.errors import InputError
from cxrbench.labels import finding_slug

__all__ = [
    "film_twins",
    "missing_twins",
    "read_twins",
    "twin_columns",
    "twin_paths",
]

_TWINS: Final = "twins.csv"

# Columns of the table that are not CheXpert's.
_COLUMNS: Final = ("Twin of", "Removed", "Absent", "Change inside", "Change outside")


def twin_paths(film: Film, scenario: Scenario) -> dict[str, str]:
    """Part that is taken away → path of the twin below the tree's root.

    The parts are the findings as rendered, with devices, the planted shortcuts and the side marker.
    """
    parts = [*scenario.findings, *scenario.shortcuts, *([MARKER] if scenario.settings.marker else [])]
    stem = film.path.removesuffix(".png")
    return {part: f"twins/{stem}_without_{finding_slug(part)}.png" for part in parts}


def missing_twins(root: Path, film: Film, scenario: Scenario) -> dict[str, str]:
    """Those of ``twin_paths`` that are not written yet."""
    return {part: path for part, path in twin_paths(film, scenario).items() if not (root / path).exists()}


def film_twins(scenario: Scenario, parts: Sequence[str]) -> Iterator[tuple[str, Phantom]]:
    """Render the twins of a film: part, and the film without it."""
    original = expose(scenario)
    for part in parts:
        yield part, twin(original, without=(part,)).phantom


def twin_columns(
    part: str,
    study: Study,
    scenario: Scenario,
    film: np.ndarray,
    without: np.ndarray,
    masks: Mapping[str, np.ndarray],
) -> dict[str, object]:
    """The columns of a twin that are not CheXpert's, but for ``Twin of``; and its labels.

    Args:
        part: that is taken away.
        study: of the film.
        scenario: of the film.
        film: (H, W) uint8.
        without: the twin, (H, W) uint8.
        masks: of the film, as from ``read_masks``.
    """
    truth = certain(study.findings)
    # With a finding its children are removed: those that have it among their ancestors.
    kept = {name: value for name, value in study.findings.items() if part not in closed({name: value})}
    labels = certain(kept)
    change = np.abs(film.astype(np.float64) - without) / 255
    mask = masks.get(part, np.zeros(film.shape, bool))
    if part == MARKER:
        mask = side_marker(scenario.patient, scenario.settings, scenario.stream, scenario.size)
    elif part in scenario.shortcuts:
        mask = change > VISIBLE
    absent = [name for name in truth if truth[name] > labels[name]]
    return {
        **{name: float(value) for name, value in labels.items()},
        "Removed": part,
        "Absent": "|".join(absent),
        "Change inside": round(float(change[mask].mean()), 6) if mask.any() else np.nan,
        "Change outside": round(float(change[~mask].mean()), 6) if not mask.all() else np.nan,
    }


def read_twins(root: Path | str) -> pd.DataFrame:
    """The twins of a phantom data set.

    Args:
        root: its folder.

    Returns:
        One row per twin: ``film`` and ``twin``, paths of the two images; ``removed``, the part that the twin
        lacks; ``absent``, the labels that are true of the film only, a tuple; ``inside`` and ``outside``, the
        mean absolute change of the grey levels, in [0, 1], in the part's mask and outside.

    Raises:
        InputError: the data set has no twins.
    """
    path = Path(root) / _TWINS
    if not path.is_file():
        raise InputError(f"{root} has no twins; write them with cxrbench phantom --twins.")
    table = pd.read_csv(path, keep_default_na=False)
    if missing := [name for name in ("Path", *_COLUMNS) if name not in table]:
        raise InputError(
            f"{path} lacks the columns {', '.join(missing)}; write it again with cxrbench phantom --twins."
        )
    return pd.DataFrame(
        {
            "film": [str(Path(root) / name.partition("/")[2]) for name in table["Twin of"]],
            "twin": [str(Path(root) / name.partition("/")[2]) for name in table["Path"]],
            "removed": table["Removed"],
            "absent": [tuple(filter(None, names.split("|"))) for names in table["Absent"]],
            "inside": pd.to_numeric(table["Change inside"], errors="coerce"),
            "outside": pd.to_numeric(table["Change outside"], errors="coerce"),
        }
    )
