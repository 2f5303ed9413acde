"""Progress of a computation, a way to stop it, and new maps as they arrive."""

from contextlib import suppress
from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.compare import url
from cxrbench.app.services.job_queue import Job, JobsState
from cxrbench.app.services.map_jobs import QUEUE, Drafts, View
from cxrbench.compare import HeatMaps
from cxrbench.errors import InputError

__all__ = ["follow", "show", "stopped"]

_GLANCE: Final = 0.4  # seconds between two looks at the work


def stopped() -> Drafts:
    """The drafts that this session stopped."""
    drafts: Drafts = st.session_state.setdefault("stopped", {})
    return drafts


def show(view: View, finding: str) -> None:
    """A bar and a Stop button while there is work; a way to go on after it was stopped."""
    for job in view.failed:
        if isinstance(job.error, InputError):
            st.error(str(job.error))
    # One place, emptied at every run: a run that is cut short would leave its Stop button behind.
    place = st.empty()
    if view.pending:
        with place.container(horizontal=True, vertical_alignment="center", key="progress"):
            st.progress(_fraction(view), text=_words(view, finding))
            st.button("Stop", icon=":material/stop:", key="stop", on_click=_stop, args=(view,))
    elif view.stopped:
        with place.container(horizontal=True, vertical_alignment="center", key="stopped_here"):
            st.caption("Stopped; the drafts stay as they are.", width="content")
            st.button("Compute the rest", key="resume", on_click=_resume, args=(view,))


def follow(view: View) -> None:
    """Draw again whenever there is something new.

    A short look every now and then, not a run that waits: clicks inside a fragment never interrupt a run, so
    one that waited would keep the reader waiting too.

    Raises:
        RuntimeError: a job failed by a fault of the program.
    """
    if len(view.failed) < len(view.jobs):
        _look(view.jobs, view.state)
    for job in view.failed:
        if not isinstance(job.error, InputError):
            raise RuntimeError("Maps could not be computed.") from job.error


@st.fragment(run_every=_GLANCE)
def _look(jobs: tuple[Job, ...], drawn: JobsState) -> None:
    QUEUE.want(jobs)
    if QUEUE.state(jobs) != drawn:
        url.redraw()


def _fraction(view: View) -> float:
    drafts = (view.pending or {}).values()
    done = len(view.comparison.heat_maps) - sum(heat is not None for heat in drafts)
    total = len(view.comparison.settings.models) * len(view.comparison.settings.methods)
    return min(1.0, (done + sum(heat.progress for heat in drafts if heat is not None)) / max(1, total))


def _words(view: View, finding: str) -> str:
    ahead = max(QUEUE.ahead(job) for job in view.jobs)
    if ahead and not any(job.results for job in view.jobs):
        return f"Waiting for a free core: {ahead - 1} ahead of you." if ahead > 1 else "Next in the queue."
    said = [
        text for heat in (view.pending or {}).values() if heat is not None for text in [_draft(heat, finding)]
    ]
    return "Computing. " + (" ".join(said) or "The first maps come in a moment.")


def _draft(heat: HeatMaps, finding: str) -> str:
    error = ""
    if heat.completeness.size and finding in heat.labels:
        value = float(heat.completeness[heat.labels.index(finding)])
        error = f", completeness error {abs(value):.1%}" if np.isfinite(value) else ""
    return f"{heat.title}: {heat.progress:.0%} of the steps{error}."


def _stop(view: View) -> None:
    # Drafts newer than those drawn are taken: what was computed is not thrown away.
    drafts = dict(view.pending or {})
    for job in view.jobs:
        for key, result in tuple(job.results.items()):
            if key in drafts:
                drafts[key] = result
    stopped().update(drafts)


def _resume(view: View) -> None:
    for key in view.stopped:
        with suppress(KeyError):
            del stopped()[key]
