"""``cxrbench phantom``: write a data set of simulated radiographs."""

import argparse

from cxrbench.data.phantom import read_shortcut, write
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
            force=options.force,
        )
    print(options.out)
    return 0
