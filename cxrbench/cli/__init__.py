"""The bench on the command line: the same core as the page, one module per command."""

from cxrbench.cli.parser import main

__all__ = ["main"]
