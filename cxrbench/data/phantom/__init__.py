"""The digital chest phantom: simulated radiographs with known truth."""

from cxrbench.data.phantom.edits import Edit
from cxrbench.data.phantom.films_without import EditedFilm, FilmsWithout
from cxrbench.data.phantom.findings import FINDINGS, Finding
from cxrbench.data.phantom.locations import phantom_priors
from cxrbench.data.phantom.phantom import TOLERANCE, Phantom, draw_scenario, expose, render
from cxrbench.data.phantom.plan import Study, plan
from cxrbench.data.phantom.scenario import HEALTHY_PARTS, MARKER, Scenario
from cxrbench.data.phantom.shortcuts import KINDS, Shortcut, part_title, read_shortcut
from cxrbench.data.phantom.twin import Twin, parts, twin, twins_without_each_part
from cxrbench.data.phantom.twin_files import read_twins
from cxrbench.data.phantom.view import VIEWS
from cxrbench.data.phantom.writer import holds_phantoms, read_masks, write

__all__ = [
    "FINDINGS",
    "HEALTHY_PARTS",
    "KINDS",
    "MARKER",
    "TOLERANCE",
    "VIEWS",
    "Edit",
    "EditedFilm",
    "FilmsWithout",
    "Finding",
    "Phantom",
    "Scenario",
    "Shortcut",
    "Study",
    "Twin",
    "draw_scenario",
    "expose",
    "holds_phantoms",
    "part_title",
    "parts",
    "phantom_priors",
    "plan",
    "read_masks",
    "read_shortcut",
    "read_twins",
    "render",
    "twin",
    "twins_without_each_part",
    "write",
]
