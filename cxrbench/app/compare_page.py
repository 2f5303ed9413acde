"""The Compare page's body: the canvas, the scores, and what is still being computed."""

import io
import uuid
from collections.abc import Sequence

import streamlit as st

from cxrbench.app import links
from cxrbench.app.bars import bars, rows
from cxrbench.app.canvas import canvas
from cxrbench.app.gather import Gathered, gather
from cxrbench.app.line import Order
from cxrbench.app.opened import show_problem, uploaders
from cxrbench.app.panels import scene
from cxrbench.app.pickers import Choice, catalogue, choose, pick_settings, pick_source
from cxrbench.compare import Comparison, bundle

__all__ = [
    "board",
    "catalogue",
    "choose",
    "links",
    "pick_settings",
    "pick_source",
    "show_problems",
    "uploaders",
]

READING = """
**A map shows what the score is sensitive to, not the lesion.** A model can be right for a wrong reason, and a map can
look right although the model is wrong. Compare it with the dashed outline, with other methods, and with a case where
the finding is absent.

- **Score**: the model's output between 0 and 1. It ranks radiographs; it is not the chance that the finding is there.
- **Threshold**: the score from which on the model calls the finding present.
- **Grid**: how finely the map was computed. A 7 × 7 grid cannot point at anything smaller than a seventh of the picture;
  what looks smooth between its points is interpolated.
- **Scale**: what full colour stands for. With a scale of its own, a map a thousand times weaker than its neighbour looks
  just as strong; one scale for all shows that. Units differ between methods, so compare strength within a method.
- **Grad-CAM and its kin** draw only what raises the score. **Integrated gradients** is signed: orange raises the score,
  blue lowers it, against the chosen baseline.
- **Completeness error**: the values of integrated gradients should add up to the change in score from the baseline to
  the radiograph. The error says by how much they miss it; more steps make it smaller.
- **Keys** on a picture: arrows move the cross-hair (with Shift in larger steps), + and − zoom, 0 shows all. Ctrl and the
  wheel zoom, dragging moves, a double click zooms in.
"""
_EVERY = 0.5  # seconds between two looks at a computation


def show_problems() -> None:
    """What the address asked for in vain, and a file that could not be opened: a sentence each."""
    for problem in links.problems():
        st.warning(problem, icon=":material/link_off:")
    show_problem()


def board(choice: Choice) -> None:
    """Maps side by side and the scores below; looks again by itself while something is being computed."""
    pending = gather(choice.source, choice.settings, watcher=_watcher(), stopped=_stopped()).pending
    st.fragment(_board, run_every=_EVERY if pending else None)(choice, pending)


def _board(choice: Choice, pending: bool) -> None:
    gathered = gather(choice.source, choice.settings, watcher=_watcher(), stopped=_stopped())
    if pending != gathered.pending:
        st.rerun()  # the whole page, so that it stops looking, or starts
    comparison = gathered.comparison(choice.source, choice.settings)
    title, status = st.columns([3, 2], vertical_alignment="center")
    title.markdown(f"# {choice.source.title}\n:small[{choice.source.about}]")
    with status:
        _progress(gathered)
    canvas(
        scene(
            comparison,
            choice.findings,
            cells=gathered.cells,
            titles=choice.catalogue.titles,
            link=[(key, value) for key, values in choice.link.items() for value in values],
            file="-".join(["cxrbench", _slug(choice.source.title), *map(_slug, choice.findings)]),
        ),
        key="canvas",
    )
    _scores(comparison, choice.findings)
    _save(comparison, choice)
    _reading()


def _progress(gathered: Gathered) -> None:
    """A button to stop what is under way, or to start again what was stopped."""
    running = [job.order for job in gathered.jobs if job.pending]
    halted = [job.order for job in gathered.jobs if job.state == "stopped"]
    if running:
        done = [heat.progress for heat in gathered.heat_maps.values() if heat.progress < 1]
        share = f" {min(done):.0%} of the steps." if done else ""
        row = st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center")
        row.markdown(f":material/hourglass_top: Computing all findings …{share}", width="content")
        row.button("Stop", key="stop", icon=":material/stop:", on_click=_stop, args=(running,))
    elif halted:
        row = st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center")
        row.markdown(":material/pause: Stopped; what was found so far is shown.", width="content")
        row.button("Start again", key="again", icon=":material/replay:", on_click=_again, args=(halted,))


def _scores(comparison: Comparison, findings: Sequence[str]) -> None:
    if not comparison.predictions:
        st.caption("Scores appear here as soon as a model has seen the radiograph.")
        return
    st.markdown(
        "**Scores** &nbsp; :small[Bar: the model's score, 0 to 1. Mark: its threshold, above which it calls the "
        "finding. Click one to see its maps.]",
        help="A score is not the chance that the finding is there: it ranks radiographs. The threshold is the "
        "operating point chosen for the model; ● and ○ say what is true, where that is known.",
    )
    bars(rows(comparison.predictions, comparison.truth, findings))


def _save(comparison: Comparison, choice: Choice) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    row.download_button(
        "Save bundle",
        data=lambda: _bundle(comparison),
        file_name=f"cxrbench-{_slug(choice.source.title)}.zip",
        mime="application/zip",
        key="save",
        icon=":material/archive:",
        on_click="ignore",
        help="Settings and scores as JSON, raw maps of every finding as NPZ, and the picture, in one ZIP. "
        "Open it again under “Open …”.",
    )


def _reading() -> None:
    """What the numbers mean, in plain words."""
    with st.expander("How to read this", icon=":material/help:"):
        st.markdown(READING)


def _bundle(comparison: Comparison) -> bytes:
    buffer = io.BytesIO()
    bundle.save(comparison, buffer)
    return buffer.getvalue()


def _watcher() -> str:
    return st.session_state.setdefault("watcher", uuid.uuid4().hex)


def _stopped() -> set[Order]:
    return st.session_state.setdefault("stopped", set())


def _stop(orders: Sequence[Order]) -> None:
    for order in orders:
        _stopped().add(order)
        job = st.session_state.get("jobs", {}).get(order)
        if job is not None:
            job.leave(_watcher())


def _again(orders: Sequence[Order]) -> None:
    _stopped().difference_update(orders)


def _slug(text: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in text.lower()).split())
