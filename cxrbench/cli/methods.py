"""``cxrbench methods``: what can be named after ``--method``."""

import argparse

from cxrbench.explain import METHODS

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """One method a line: name, title, reference, caveat."""
    for method in METHODS.values():
        print(f"{method.name}\t{method.title}\t{method.reference}\t{method.caveat}")
    return 0
