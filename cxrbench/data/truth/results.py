"""CheXlocalize's CSV files: results per film, and the thresholds that were chosen on validation films."""

from pathlib import Path

import numpy as np
import pandas as pd

from cxrbench.data.tables import number_column, read_csv, table_name, text_column
from cxrbench.data.truth.chexlocalize import CHEXLOCALIZE, localised_finding
from cxrbench.errors import InputError

__all__ = ["read_cutoffs", "read_results", "read_summary", "read_thresholds"]


def read_results(source: Path) -> pd.DataFrame:
    """Read ``iou_results_per_cxr.csv`` or ``hitmiss_results_per_cxr.csv``.

    Returns:
        One row per film, its index their names; one column per finding, in the order of ``CHEXLOCALIZE``;
        NaN where the value is undefined.

    Raises:
        InputError: no column of films or of findings, or a film that occurs twice.
    """
    name = table_name(source)
    raw = read_csv(source)
    film = next((column for column in ("img_id", "cxr_id") if column in raw), None)
    columns = {localised_finding(column): column for column in raw.columns}
    findings = [finding for finding in CHEXLOCALIZE if finding in columns]
    if film is None or not findings:
        raise InputError(
            f"{name}: expected the column img_id and columns named after findings; got the columns "
            f"{', '.join(map(str, raw.columns[:6]))}."
        )
    index = pd.Index(text_column(raw, film), name="img_id")
    if index.has_duplicates:
        raise InputError(f"{name}: the film {index[index.duplicated()][0]} occurs twice; drop one row.")
    return pd.DataFrame({each: number_column(raw, columns[each]) for each in findings}, index=index)


def read_summary(source: Path) -> pd.DataFrame:
    """Read ``iou_summary_results.csv`` or ``hitmiss_summary_results.csv``.

    Returns:
        One row per finding, its index their names: ``lower``, ``mean``, ``upper``.

    Raises:
        InputError: another table.
    """
    raw = read_csv(source, columns=["name", "lower", "mean", "upper"])
    index = _findings(raw["name"], table_name(source))
    return pd.DataFrame(
        {column: number_column(raw, column) for column in ("lower", "mean", "upper")}, index=index
    )


def read_thresholds(source: Path) -> dict[str, float]:
    """Read ``tuning_results.csv``: finding → threshold of its scaled map; findings without one are left out.

    Raises:
        InputError: another table, or a threshold outside 0 … 1.
    """
    raw = read_csv(source, columns=["threshold", "task"])
    return _shares(raw, "threshold", table_name(source))


def read_cutoffs(source: Path) -> dict[str, float]:
    """Read ``probability_tuning_results.csv``: finding → the first cutoff with the largest mIoU.

    Raises:
        InputError: another table, or a cutoff outside 0 … 1.
    """
    name = table_name(source)
    raw = read_csv(source, columns=["prob_threshold", "mIoU", "task"])
    overlap = pd.Series(number_column(raw, "mIoU"), index=raw.index)
    best = overlap.dropna().groupby(raw["task"]).idxmax()
    return _shares(raw.loc[best.sort_values()], "prob_threshold", name)


def _shares(table: pd.DataFrame, column: str, name: str) -> dict[str, float]:
    values = number_column(table, column)
    if ((values < 0) | (values > 1)).any():
        raise InputError(f"{name}: expected a {column} of 0 to 1; got {values.min():g} to {values.max():g}.")
    findings = _findings(table["task"], name)
    return {
        finding: float(value) for finding, value in zip(findings, values, strict=True) if np.isfinite(value)
    }


def _findings(names: pd.Series, file: str) -> pd.Index:
    known = [localised_finding(name) for name in names]
    if None in known:
        word = names.iloc[known.index(None)]
        raise InputError(
            f"{file}: {word!r} is not a finding of CheXlocalize; they are {', '.join(CHEXLOCALIZE)}."
        )
    if len(set(known)) < len(known):
        raise InputError(f"{file}: a finding occurs twice; drop one of its rows.")
    return pd.Index(known, name="name")
