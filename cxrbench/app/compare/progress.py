"""Progress of a computation, a way to stop it, and new maps as they arrive."""

from contextlib import suppress
from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.compare import url
from cxrbench.app.services.job_queue import Job, JobsState
from cxrbench.app.services.map_jobs import QUEUE, Drafts, Snapshot
from cxrbench.compare import HeatMaps
from cxrbench.errors import InputError

__all__ = ["follow", "show", "stopped"]

_POLL_SECONDS: Final = 0.4


def stopped() -> Drafts:
    """Return the drafts that this session stopped."""
    drafts: Drafts = st.session_state.setdefault("stopped", {})
    return drafts


def show(snapshot: Snapshot, finding: str) -> None:
    """Draw errors, and a progress bar with a Stop button or a button to resume."""
    for job in snapshot.failed:
        if isinstance(job.error, InputError):
            st.error(str(job.error))
    # One placeholder, emptied at every run: an interrupted run would leave its Stop button behind.
    placeholder = st.empty()
    if snapshot.pending:
        with placeholder.container(horizontal=True, vertical_alignment="center", key="progress"):
            st.progress(_fraction(snapshot), text=_message(snapshot, finding))
            st.button("Stop", icon=":material/stop:", key="stop", on_click=_stop, args=(snapshot,))
    elif snapshot.stopped:
        with placeholder.container(horizontal=True, vertical_alignment="center", key="stopped_here"):
            st.caption("Stopped; unfinished maps are drafts.", width="content")
            st.button("Compute the rest", key="resume", on_click=_resume, args=(snapshot,))


def follow(snapshot: Snapshot) -> None:
    """Rerun the page when a job has new results.

    A fragment polls the queue instead of a run that waits: clicks inside a fragment do not interrupt a run,
    so the page would not react while it waits.

    Raises:
        RuntimeError: a job failed with another error than InputError.
    """
    if len(snapshot.failed) < len(snapshot.jobs):
        _poll(snapshot.jobs, snapshot.state)
    for job in snapshot.failed:
        if not isinstance(job.error, InputError):
            raise RuntimeError("Maps could not be computed.") from job.error


@st.fragment(run_every=_POLL_SECONDS)
def _poll(jobs: tuple[Job, ...], drawn: JobsState) -> None:
    QUEUE.keep_alive(jobs)
    if QUEUE.state(jobs) != drawn:
        url.redraw()


def _fraction(snapshot: Snapshot) -> float:
    drafts = (snapshot.pending or {}).values()
    done = len(snapshot.comparison.heat_maps) - sum(heat is not None for heat in drafts)
    total = len(snapshot.comparison.settings.models) * len(snapshot.comparison.settings.methods)
    return min(1.0, (done + sum(heat.progress for heat in drafts if heat is not None)) / max(1, total))


def _message(snapshot: Snapshot, finding: str) -> str:
    ahead = max(QUEUE.ahead(job) for job in snapshot.jobs)
    if ahead and not any(job.results for job in snapshot.jobs):
        return f"Waiting for a free processor core: position {ahead} in the queue."
    drafts = [_draft(heat, finding) for heat in (snapshot.pending or {}).values() if heat is not None]
    return "Computing. " + (" ".join(drafts) or "The first maps appear in a moment.")


def _draft(heat: HeatMaps, finding: str) -> str:
    error = ""
    if heat.completeness.size and finding in heat.labels:
        value = float(heat.completeness[heat.labels.index(finding)])
        error = f", completeness error {abs(value):.1%}" if np.isfinite(value) else ""
    return f"{heat.title}: {heat.progress:.0%} of the steps{error}."


def _stop(snapshot: Snapshot) -> None:
    # Keep drafts that are newer than those drawn.
    drafts = dict(snapshot.pending or {})
    for job in snapshot.jobs:
        for key, result in tuple(job.results.items()):
            if key in drafts:
                drafts[key] = result
    stopped().update(drafts)


def _resume(snapshot: Snapshot) -> None:
    for key in snapshot.stopped:
        with suppress(KeyError):
            del stopped()[key]
