"""``cxrbench judge``: methods judged on phantoms with twins, or on real films with masks and boxes."""

import argparse
from collections.abc import Hashable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from cxrbench.cli import judge_chexlocalize
from cxrbench.cli.models import load
from cxrbench.cli.say import note
from cxrbench.data.datasets import find_folder
from cxrbench.data.truth import TRUTHS
from cxrbench.errors import InputError, look_up
from cxrbench.judge import CRITERIA
from cxrbench.models import Classifier
from cxrbench.terminal import ProgressBar
from cxrbench.workflows.judge import DEFAULT_CRITERIA, DEFAULT_METHODS, JudgeSettings, judge
from cxrbench.workflows.judge_folder import JUDGED, SUMMARY, JudgeFolder
from cxrbench.workflows.judge_real import REAL_CRITERIA, REAL_METHODS, RealSettings, judge_real
from cxrbench.workflows.judge_summary import summary, verdict

__all__ = ["run"]

_EVERY: Final = 300.0  # seconds between lines of progress where there is no terminal

# Options of the evaluation of CheXlocalize's files.
_OF_FILES: Final = (
    *("maps", "segmentations", "points", "thresholds", "cutoffs"),
    *("validation_maps", "validation_truth", "tune", "all_films"),
)


def run(options: argparse.Namespace) -> int:
    """Judge the maps of some models and methods; print a table, and write all values."""
    _check(options)
    if options.truth == "chexlocalize" and options.data is None:
        return judge_chexlocalize.run(options)
    loaded = [load(source) for source in options.model or [None]]
    models = {model.spec.name: model for model in loaded}
    if len(models) < len(loaded):
        raise InputError("Each --model must have a different name; two of these have the same.")
    judged = _judge_phantoms if options.truth is None else _judge_real_films
    with ProgressBar("films judged", every=_EVERY) as progress:
        folder = judged(options, models, progress)
    if folder is None:  # not the main process
        return 0
    parts = []
    for name in models:
        rows = folder.rows(name)
        if rows.empty:
            note(f"{name}: none of the methods or findings applies, so that nothing was judged")
            continue
        parts.append(summary(rows))
        films = rows["film"].nunique()
        print(f"{name}, {films} films, mean (95 % interval by patient); * better than random\n")
        print(_as_text(parts[-1]), end="\n\n")
    if parts:
        folder.write_summary(pd.concat(parts, ignore_index=True))
    note(f"written: {options.out / JUDGED}{', ' + SUMMARY if parts else ''}")
    return 0


def _judge_phantoms(
    options: argparse.Namespace, models: Mapping[str, Classifier], progress: ProgressBar
) -> JudgeFolder | None:
    settings = JudgeSettings(
        films=JudgeSettings.films if options.films is None else options.films,
        findings=options.findings,
        only=tuple(options.only or ()),
        shortcut=options.shortcut,
        methods=tuple(options.method or DEFAULT_METHODS),
        criteria=tuple(options.criterion or DEFAULT_CRITERIA),
        seed=options.seed,
    )
    return judge(options.out, models, settings, progress=progress, say=note, force=options.force)


def _judge_real_films(
    options: argparse.Namespace, models: Mapping[str, Classifier], progress: ProgressBar
) -> JudgeFolder | None:
    settings = RealSettings(
        options.truth,
        find_folder(options.data)[0],
        annotations=options.annotations,
        films=options.films,
        only=tuple(options.only or ()),
        methods=tuple(options.method or REAL_METHODS),
        criteria=tuple(options.criterion or REAL_CRITERIA),
        seed=options.seed,
    )
    return judge_real(options.out, models, settings, progress=progress, say=note, force=options.force)


def _check(options: argparse.Namespace) -> None:
    """Check that the options of phantoms, of real films and of CheXlocalize's files are not mixed.

    Raises:
        InputError: an option that the others leave without effect.
    """
    given = [name for name in _OF_FILES if getattr(options, name)]
    if options.truth is None:
        stray = [name for name in ("data", "annotations") if getattr(options, name)] + given
        if stray:
            raise InputError(f"{_option(stray[0])} is for real films; give --truth with it.")
        return
    look_up("data set", options.truth, TRUTHS)
    if options.shortcut:
        raise InputError("--shortcut is for phantoms; leave out --truth to judge them.")
    if options.data is not None and given:
        raise InputError(f"{_option(given[0])} is for CheXlocalize's files; leave out --data to judge them.")
    if options.data is None and options.truth != "chexlocalize":
        raise InputError(f"--truth {options.truth} needs --data: the folder of the images.")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


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
