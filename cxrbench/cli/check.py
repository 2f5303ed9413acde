"""``cxrbench check``: find unreadable files of a data set."""

import argparse

from cxrbench.cli.data import read_named
from cxrbench.cli.say import note
from cxrbench.data import Studies, check_files
from cxrbench.data.datasets import read_table
from cxrbench.errors import InputError
from cxrbench.terminal import ProgressBar

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print every listed file that is missing or damaged."""
    parts = _studies(options)
    problems = []
    for studies in parts:
        with ProgressBar("images read") as progress:
            problems += check_files(studies, progress=progress)
    for problem in problems:
        print(problem)
    patients = {patient for studies in parts for patient in studies.table["patient"]}
    print(f"{sum(map(len, parts))} images, {len(patients)} patients, {len(problems)} problems")
    return 1 if problems else 0


def _studies(options: argparse.Namespace) -> list[Studies]:
    if (options.table is None) == (options.data is None):
        raise InputError("Expected either a label table or --data; name one of them.")
    if options.data is not None:
        return read_named(options.data, options.form)
    studies = read_table(options.table, options.root)
    for text in studies.notes:
        note(text)
    return [studies]
