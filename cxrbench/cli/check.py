"""``cxrbench check``: find unreadable files of a data set."""

import argparse

from cxrbench.cli.say import note
from cxrbench.data import check_files, read_chexpert
from cxrbench.terminal import ProgressBar

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print every listed file that is missing or damaged."""
    studies = read_chexpert(options.table, options.root)
    for text in studies.notes:
        note(text)
    with ProgressBar("images read") as progress:
        problems = check_files(studies, progress=progress)
    for problem in problems:
        print(problem)
    print(f"{len(studies)} images, {studies.table['patient'].nunique()} patients, {len(problems)} problems")
    return 1 if problems else 0
