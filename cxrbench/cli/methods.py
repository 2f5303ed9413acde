"""``cxrbench methods``: list the explanation methods."""

import argparse

from cxrbench.explain import METHODS

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print one line per method: name, title, reference, caveat."""
    for method in METHODS.values():
        print(f"{method.name}\t{method.title}\t{method.reference}\t{method.caveat}")
    return 0
