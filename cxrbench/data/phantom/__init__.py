"""The digital chest phantom: simulated radiographs with known truth."""

from cxrbench.data.phantom.findings import FINDINGS, Finding
from cxrbench.data.phantom.phantom import TOLERANCE, Phantom, expose, render
from cxrbench.data.phantom.plan import Study, plan
from cxrbench.data.phantom.scenario import HEALTHY_PARTS, MARKER, Scenario
from cxrbench.data.phantom.shortcuts import KINDS, Shortcut, read_shortcut
from cxrbench.data.phantom.twin import FilmsWithout, Twin, parts, twin, twins_without_each_part
from cxrbench.data.phantom.view import VIEWS
from cxrbench.data.phantom.writer import read_masks, write

__all__ = [
    "FINDINGS",
    "HEALTHY_PARTS",
    "KINDS",
    "MARKER",
    "TOLERANCE",
    "VIEWS",
    "FilmsWithout",
    "Finding",
    "Phantom",
    "Scenario",
    "Shortcut",
    "Study",
    "Twin",
    "expose",
    "parts",
    "plan",
    "read_masks",
    "read_shortcut",
    "render",
    "twin",
    "twins_without_each_part",
    "write",
]
