"""Progress of a computation, a way to stop it, and new maps as they arrive."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

import numpy as np
import streamlit as st

from cxrbench.app.compare import url
from cxrbench.app.services.job_queue import Job
from cxrbench.app.services.map_jobs import QUEUE, Drafts
from cxrbench.app.services.map_snapshot import PendingMaps, Snapshot
from cxrbench.app.services.result_cache import Key
from cxrbench.compare import HeatMaps
from cxrbench.errors import InputError

__all__ = ["follow", "show", "stopped"]

_POLL_SECONDS: Final = 0.4
_NAMED: Final = 3  # methods that the progress names, at most


def stopped() -> Drafts:
    """Return the drafts that this session stopped."""
    drafts: Drafts = st.session_state.setdefault("stopped", {})
    return drafts


def show(snapshot: Snapshot, titles: Mapping[str, str], *, name: str = "") -> None:
    """Draw errors, and a progress bar with a Stop button or a button to resume.

    Args:
        snapshot: what is known of the maps.
        titles: model → title on the page.
        name: distinguishes this progress from another one on the page.
    """
    for problem in {str(job.error): None for job in snapshot.failed if isinstance(job.error, InputError)}:
        st.error(problem)
    # One placeholder, emptied at every run: an interrupted run would leave its Stop button behind.
    placeholder = st.empty()
    if snapshot.pending:
        with placeholder.container(horizontal=True, vertical_alignment="center", key=f"{name}progress"):
            st.progress(_fraction(snapshot), text=_message(snapshot.pending, titles))
            st.button("Stop", icon=":material/stop:", key=f"{name}stop", on_click=_stop, args=(snapshot,))
    elif snapshot.stopped:
        with placeholder.container(horizontal=True, vertical_alignment="center", key=f"{name}stopped_here"):
            st.caption("Stopped; unfinished maps are drafts.", width="content")
            st.button("Compute the rest", key=f"{name}resume", on_click=_resume, args=(snapshot,))


def follow(snapshot: Snapshot) -> None:
    """Rerun the page when what it shows has new results, and count the maps of the other findings.

    A fragment polls the queue instead of a run that waits: clicks inside a fragment do not interrupt a run,
    so the page would not react while it waits.

    Raises:
        RuntimeError: a job failed with another error than InputError.
    """
    if len(snapshot.failed) < len(snapshot.jobs + snapshot.later):
        _poll(snapshot)
    for job in snapshot.failed:
        if not isinstance(job.error, InputError):
            raise RuntimeError("Maps could not be computed.") from job.error


@st.fragment(run_every=_POLL_SECONDS)
def _poll(snapshot: Snapshot) -> None:
    QUEUE.keep_alive(snapshot.jobs, in_view=True)
    QUEUE.keep_alive(snapshot.later)
    undone = sum(len(_keys(job)) for job in snapshot.later if not job.done)
    failed = [job for job in snapshot.later if job.error is not None and job not in snapshot.failed]
    if QUEUE.state(snapshot.jobs) != snapshot.state or failed or (snapshot.later and not undone):
        url.redraw()
    if undone:
        with st.container(horizontal=True, vertical_alignment="center", key="later"):
            st.caption(
                f"Maps of the other findings are computed meanwhile: {snapshot.later_total - undone} of "
                f"{snapshot.later_total}. A finding that is selected comes first.",
                width="content",
            )
            if st.button("Stop", type="tertiary", key="stop_later"):
                stopped().update(_latest(snapshot.later, snapshot.later_keys))
                url.redraw()


def _keys(job: Job) -> tuple[Key, ...]:
    """What a job computes."""
    keys: tuple[Key, ...] = job.key  # type: ignore[assignment]
    return keys


def _fraction(snapshot: Snapshot) -> float:
    """Share of the work that is done of what is shown."""
    settings = snapshot.comparison.settings
    total = len(settings.models) * len(settings.methods) * len(snapshot.shown)
    done = sum(heat.progress for shown in snapshot.shown.values() for heat in shown.heat_maps.values())
    return min(1.0, done / max(1, total))


def _message(pending: Sequence[PendingMaps], titles: Mapping[str, str]) -> str:
    """What is being computed: running maps first, each with what is known of it."""
    several = len({each.key.model for each in pending}) > 1
    ordered = sorted(pending, key=lambda each: each.position)
    sentences = [_sentence(each, titles, with_model=several) for each in ordered[:_NAMED]]
    more = len(ordered) - _NAMED
    return " ".join([*sentences, f"{more} more after that." if more > 0 else ""]).strip()


def _sentence(each: PendingMaps, titles: Mapping[str, str], *, with_model: bool) -> str:
    model = f" of {titles.get(each.key.model, each.key.model)}" if with_model else ""
    return f"{each.title}{model}, {each.finding or 'all findings'}: {', '.join(_state(each))}."


def _state(each: PendingMaps) -> Iterator[str]:
    if each.position:
        yield f"number {each.position} in the queue"
    elif each.draft is None:
        yield "begun"
    if each.draft is not None:
        yield f"{each.draft.progress:.0%} of the steps"
        if each.draft.completeness.size and each.finding in each.draft.labels:
            error = float(each.draft.completeness[each.draft.labels.index(each.finding)])
            if np.isfinite(error):
                yield f"completeness error {abs(error):.1%}"
    if math.isfinite(each.seconds_left):
        yield f"about {_duration(each.seconds_left)} {'of work' if each.position else 'left'}"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(1, math.ceil(seconds))} s"


def _stop(snapshot: Snapshot) -> None:
    """Stop what is shown and what is computed meanwhile."""
    keys = [each.key for each in snapshot.pending]
    stopped().update(_latest(snapshot.jobs, keys))
    stopped().update(_latest(snapshot.later, snapshot.later_keys))


def _latest(jobs: Sequence[Job], keys: Sequence[Key]) -> dict[Key, HeatMaps | None]:
    """The latest drafts, which may be newer than those drawn."""
    drafts: dict[Key, HeatMaps | None] = dict.fromkeys(keys)
    for job in jobs:
        drafts |= {key: result for key, result in tuple(job.results.items()) if key in drafts}
    return drafts


def _resume(snapshot: Snapshot) -> None:
    for key in snapshot.stopped:
        with suppress(KeyError):
            del stopped()[key]
