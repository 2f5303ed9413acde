"""The digital chest phantom: simulated radiographs with known truth."""

from cxrbench.data.phantom.findings import FINDINGS, Finding
from cxrbench.data.phantom.phantom import TOLERANCE, Phantom, render
from cxrbench.data.phantom.plan import Study, plan
from cxrbench.data.phantom.shortcuts import KINDS, Shortcut, read_shortcut
from cxrbench.data.phantom.view import VIEWS
from cxrbench.data.phantom.writer import read_masks, write

__all__ = [
    "FINDINGS",
    "KINDS",
    "TOLERANCE",
    "VIEWS",
    "Finding",
    "Phantom",
    "Shortcut",
    "Study",
    "plan",
    "read_masks",
    "read_shortcut",
    "render",
    "write",
]
