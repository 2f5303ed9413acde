"""``cxrbench data``: the user's own data sets; and the studies that ``--data`` names in other commands."""

import argparse
from typing import Final

from cxrbench.cli.say import note
from cxrbench.data import Studies
from cxrbench.data.datasets import (
    FORMS,
    OwnDataSet,
    add,
    check,
    find,
    find_folder,
    problems,
    read_data_set,
    recognise,
    remove,
    scan,
)
from cxrbench.errors import look_up
from cxrbench.terminal import ProgressBar

__all__ = ["read_named", "run"]

_SECONDS: Final = 30.0  # between lines of progress where there is no terminal


def run(options: argparse.Namespace) -> int:
    """Add, list, check or remove a data set."""
    actions = {"add": _add, "list": _list, "check": _check, "remove": _remove}
    return actions[options.action](options)


def read_named(text: str, form: str | None = None, split: str | None = None) -> list[Studies]:
    """The studies of a data set that ``--data`` names, one part per split; notes of the readers are printed.

    Args:
        text: the name of a data set, or a folder.
        form: a key of `FORMS`, where the folder holds several data sets.
        split: the only one to read; None for all.

    Raises:
        InputError: no such data set, or no such split.
    """
    folder, known = find_folder(text)
    splits = read_data_set(recognise(folder, form or known))
    chosen = list(splits.values()) if split is None else [look_up("split", split, splits)]
    for line in dict.fromkeys(line for studies in chosen for line in studies.notes):
        note(line)
    return chosen


def _add(options: argparse.Namespace) -> int:
    entry = add(options.folder, options.name, options.form)
    found = entry.recognised()
    print(f"{entry.name}\t{found.record.title}\t{entry.folder}")
    for split, table in found.tables.items():
        note(f"{split}: {table.relative_to(entry.folder)}")
    if found.others:
        names = ", ".join(str(path.relative_to(entry.folder)) for path in found.others)
        note(f"further label tables, read only where --table names them: {names}")
    note(f"terms: {found.record.terms}")
    note(f"every image is read once; after an interruption 'cxrbench data check {entry.name}' continues")
    return _inspected(entry)


def _list(options: argparse.Namespace) -> int:
    entries = scan()
    if not entries:
        note("no data set was added yet; 'cxrbench data add DIR' adds one")
    for entry in entries:
        report = entry.report
        images = sum(report.images.values()) if report else 0
        state = f"{images:,} images, {_state(entry)}" if report else "not checked yet"
        print(f"{entry.name}\t{FORMS[entry.form].title}\t{state}\t{entry.folder}")
        note(entry.change())
    return 0


def _check(options: argparse.Namespace) -> int:
    entry = find(options.name)
    note(entry.change())
    return _inspected(entry)


def _remove(options: argparse.Namespace) -> int:
    entry = find(options.name)
    remove(options.name)
    print(f"removed {entry.name}; {entry.folder} stays as it is")
    return 0


def _inspected(entry: OwnDataSet) -> int:
    """Inspect a data set and print the report; 1 if it has faults."""
    with ProgressBar("images read", every=_SECONDS) as progress:
        splits, report = check(entry, progress=progress)
    for line in dict.fromkeys(line for studies in splits.values() for line in studies.notes):
        note(line)
    for problem in problems(entry.database):
        print(problem)
    for name, issue in report.faults.items():
        if name not in ("missing", "unreadable"):  # printed above, all of them
            for example in issue.examples:
                print(f"{name}: {example}")
            if issue.count > len(issue.examples):
                print(f"{name}: … {issue.count:,} in all")
    parts = ", ".join(f"{count:,} {split}" for split, count in report.images.items())
    print(f"{parts} images; {report.patients:,} patients; {_state(entry)}")
    return 1 if report.faults else 0


def _state(entry: OwnDataSet) -> str:
    """What the last inspection found, in a few words."""
    report = entry.report
    if report is None:
        return "not checked yet"
    faults = ", ".join(f"{name}: {issue.count:,}" for name, issue in report.faults.items())
    if report.complete:
        return faults or "no faults"
    total = sum(report.images.values())
    return f"{report.inspected:,} of {total:,} images checked{f', {faults}' if faults else ''}"
