"""The digital chest phantom: radiographs whose truth is known."""

from cxrbench.data.phantom.findings import FINDINGS, Finding
from cxrbench.data.phantom.phantom import TOLERANCE, Phantom, render
from cxrbench.data.phantom.view import VIEWS
from cxrbench.data.phantom.writer import plan, read_masks, write

__all__ = ["FINDINGS", "TOLERANCE", "VIEWS", "Finding", "Phantom", "plan", "read_masks", "render", "write"]
