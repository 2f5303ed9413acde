"""Criteria that disagree: how far the cheap ones rank methods as one does that knows the truth from twins."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cxrbench.judge import CRITERIA, RankingAgreement, criteria_by_truth

__all__ = ["agreement_with_truth", "needs_twins"]


def needs_twins(name: str) -> bool:
    """Whether a criterion can be computed only where the same patient without the finding is known."""
    return "twins" in CRITERIA[name].needs


def agreement_with_truth(
    table: pd.DataFrame, truth: str, criteria: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, RankingAgreement]]:
    """Kendall's τ of each criterion's ranking of the methods with that of one that knows the truth.

    Args:
        table: judged maps of one model, as from ``judge``.
        truth: the criterion that knows the truth.
        criteria: the others; those without a direction rank nothing and are left out.

    Returns:
        Keys of the methods, to which the indices in the agreements refer; and the agreements by criterion,
        the highest first.
    """
    names = [name for name in criteria if CRITERIA[name].higher_is_better is not None]
    rows = table[table["criterion"].isin([*names, truth])]
    maps, _ = pd.factorize(pd.MultiIndex.from_frame(rows[["film", "finding"]].astype(str)))
    method_index, methods = pd.factorize(rows["method"].astype(str))
    _, first = np.unique(maps, return_index=True)
    patients = rows["patient"].to_numpy()[first]
    values = {}
    for name in (*names, truth):
        own = (rows["criterion"] == name).to_numpy()
        values[name] = np.full((len(first), len(methods)), np.nan)
        ranked = CRITERIA[name].rank_value(rows["value"].to_numpy(float)[own])
        values[name][maps[own], method_index[own]] = ranked
    by_truth = values.pop(truth)
    return tuple(methods), criteria_by_truth(values, by_truth, np.asarray(patients))
