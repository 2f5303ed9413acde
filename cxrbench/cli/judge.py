"""``cxrbench judge``: methods judged on phantoms, whose truth is known from masks and twins."""

import argparse
from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd

from cxrbench.cli import judge_real
from cxrbench.cli.models import load
from cxrbench.cli.say import note
from cxrbench.errors import InputError
from cxrbench.judge import CRITERIA
from cxrbench.terminal import ProgressBar
from cxrbench.workflows.judge import DEFAULT_CRITERIA, DEFAULT_METHODS, JudgeSettings, judge
from cxrbench.workflows.judge_folder import JUDGED, SUMMARY
from cxrbench.workflows.judge_summary import summary, verdict

__all__ = ["run"]

_EVERY: Final = 300.0  # seconds between lines of progress where there is no terminal


def run(options: argparse.Namespace) -> int:
    """Judge the maps of some models and methods; print a table, and write all values."""
    if options.truth is not None:
        return judge_real.run(options)
    loaded = [load(source) for source in options.model or [None]]
    models = {model.spec.name: model for model in loaded}
    if len(models) < len(loaded):
        raise InputError("Each --model must have a different name; two of these have the same.")
    settings = JudgeSettings(
        films=options.films,
        findings=options.findings,
        only=tuple(options.only or ()),
        shortcut=options.shortcut,
        methods=tuple(options.method or DEFAULT_METHODS),
        criteria=tuple(options.criterion or DEFAULT_CRITERIA),
        seed=options.seed,
    )
    with ProgressBar("films judged", every=_EVERY) as progress:
        folder = judge(options.out, models, settings, progress=progress, say=note, force=options.force)
    if folder is None:  # not the main process
        return 0
    parts = []
    for name in models:
        parts.append(summary(folder.rows(name)))
        print(f"{name}, {settings.films} films, mean (95 % interval by patient); * better than random\n")
        print(_as_text(parts[-1]), end="\n\n")
    folder.write_summary(pd.concat(parts, ignore_index=True))
    note(f"written: {options.out / JUDGED}, {SUMMARY}")
    return 0


def _as_text(means: pd.DataFrame) -> str:
    """Methods × criteria."""
    cells = means.assign(cell=[_cell(row) for row in means.to_dict("records")])
    wide = cells.pivot(index="method", columns="criterion", values="cell")
    ordered = wide.loc[list(dict.fromkeys(means["method"])), list(dict.fromkeys(means["criterion"]))]
    return str(ordered.to_string(index_names=False))


def _cell(row: dict[Hashable, Any]) -> str:
    if np.isnan(row["mean"]):
        return "–"
    higher = CRITERIA[str(row["criterion"])].higher_is_better
    better = verdict(row["gain_low"], row["gain_high"], higher_is_better=higher) == "better"
    return f"{row['mean']:.2f} ({row['low']:.2f}–{row['high']:.2f}){'*' if better else ' '}"
