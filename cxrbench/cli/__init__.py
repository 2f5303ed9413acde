"""The command line: one module per command."""

from cxrbench.cli.parser import main

__all__ = ["main"]
