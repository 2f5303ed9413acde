"""``cxrbench phantom``: write a data set of simulated radiographs."""

import argparse

import pandas as pd

from cxrbench.data.phantom import read_shortcut, read_twins, write
from cxrbench.errors import InputError
from cxrbench.terminal import ProgressBar

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Write a data set, or resume one that was interrupted."""
    for name in ("patients", "size", "workers"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise InputError(f"--{name} must be at least 1; got {value}.")
    shortcuts = [read_shortcut(text) for text in options.shortcut or ()]
    kinds = [shortcut.kind for shortcut in shortcuts]
    if len(set(kinds)) < len(kinds):
        raise InputError(
            f"Each kind of --shortcut may be given once; got {', '.join(kinds)}. "
            "Remove one, or use another kind."
        )
    with ProgressBar("images simulated") as progress:
        write(
            options.out,
            patients=options.patients,
            seed=options.seed,
            size=options.size,
            workers=options.workers,
            progress=progress,
            shortcuts=shortcuts,
            twins=options.twins,
            force=options.force,
        )
    if options.twins:
        print(_concentrations(read_twins(options.out)))
    print(options.out)
    return 0


def _concentrations(twins: pd.DataFrame) -> str:
    """Per part that is taken away: its twins, and the mean change inside its mask and outside."""
    if twins.empty:
        return "There is no test film, so there are no twins; add patients."
    parts = twins.groupby("removed").agg(
        twins=("twin", "size"), inside=("inside", "mean"), outside=("outside", "mean")
    )
    parts["ratio"] = parts["inside"] / parts["outside"]
    width = max(map(len, parts.index))
    head = "Mean change of the grey levels (0 to 255) inside the mask of what is removed, and outside:"
    lines = [f"{'':{width}}  {'twins':>5}  {'inside':>6}  {'outside':>7}  {'ratio':>6}"]
    lines += [
        f"{part:{width}}  {row.twins:5.0f}  {255 * row.inside:6.1f}  {255 * row.outside:7.2f}  "
        f"{row.ratio:6.0f}"
        for part, row in parts.iterrows()
    ]
    return "\n".join([head, *lines])
