"""The Train page's view of a run: controls, progress, curves."""

import math
import os
import time
from pathlib import Path
from typing import Final

import streamlit as st

from cxrbench.app.navigation import page_file
from cxrbench.app.widgets import charts
from cxrbench.errors import InputError
from cxrbench.figures.course import run_curves
from cxrbench.training.run import launcher
from cxrbench.training.run.launcher import Run
from cxrbench.training.run.recipes import recipes, summary

__all__ = ["ABOUT", "choose", "follow", "pick", "show", "watch"]

ABOUT: Final = (
    "Train a model by one of the recipes in `train/configs`, in the background: close the page, come back, "
    "or watch from another computer. What comes out can be chosen on Compare as soon as the run has ended."
)
_WORDS: Final = {
    "running": (":material/autorenew:", "running"),
    "stopped": (":material/pause_circle:", "stopped; its state is kept"),
    "failed": (":material/error:", "failed"),
    "done": (":material/check_circle:", "finished"),
}
GLANCE: Final = 2.0  # seconds between two looks at a run's files


def choose() -> None:
    """A recipe, how many processes, and the button that starts it."""
    known = recipes()
    if not known:
        st.info(
            "There is no recipe here: `train/configs` comes with the project's repository. "
            "Start the bench from there."
        )
        return
    busy = launcher.active()
    names = list(known)
    name = st.selectbox("Recipe", names, index=names.index("smoke") if "smoke" in names else 0, key="recipe")
    cores = os.cpu_count() or 1
    processes = st.number_input(
        "Processes",
        1,
        cores,
        1,
        key="processes",
        help="How many share the work, one core each. On a CPU, four processes of one thread train several "
        "times faster than one process of four threads. The recipe's batch must divide by it.",
    )
    with st.expander("What this recipe says of itself"):
        st.code(summary(known[name]), language=None, wrap_lines=True)
    if st.button(
        "Start training",
        type="primary",
        icon=":material/play_arrow:",
        key="start",
        disabled=busy is not None,
    ):
        start(known[name], name, int(processes))
    if busy:
        st.caption(f"{busy.name} is being trained; one run at a time on this machine.")
    else:
        st.caption(_before(name))


def _before(name: str) -> str:
    """Where a run of this recipe goes, and how long the last one took."""
    new, took = launcher.new_name(name), launcher.duration(name)
    words = (
        f"`{name}` was trained here before: this begins a new run, `{new}`, with a model of its own. A run "
        "that was stopped goes on by Resume, beside it. "
        if new != name
        else ""
    )
    if took is None:
        return f"{words}How long it takes here is said as soon as it runs."
    return f"{words}The last run of it took {_clock(took)} here."


def start(recipe: Path, name: str, processes: int) -> None:
    """Begin, or say why not."""
    try:
        folder = launcher.begin_new(recipe, name, processes=processes)
    except InputError as error:
        st.error(str(error))
        return
    follow_next(folder.name)
    st.rerun()


def follow_next(name: str) -> None:
    """Show this run from the next drawing on."""
    st.session_state["followed"] = name


def show(run: Run) -> None:
    """How a run stands: words, buttons, curves and its last lines."""
    icon, words = _WORDS[run.status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{icon} **{run.name}** is {words}.", width="content")
        if run.running:
            st.button("Stop", icon=":material/stop:", key="stop_run", on_click=launcher.stop, args=(run,))
        elif run.status.state != "done" and run.recipe:
            st.button("Resume", icon=":material/play_arrow:", key="resume_run", on_click=_resume, args=(run,))
    if run.status.state == "failed":
        st.error(run.status.message)
    elif run.running:
        st.caption(f"For {_clock(time.time() - run.status.started)}. {run.last}")
    elif run.status.state == "done":
        st.caption(f"It took {_clock(run.status_written - run.status.started)}.")
    if run.status.state == "done":
        _ended(run)
    _curves(run)
    with st.expander("Its last lines", expanded=run.status.state == "failed"):
        st.code(launcher.tail(run) or "It has said nothing yet.", language=None, wrap_lines=True)
        st.caption(f"Everything it keeps lies in `{run.folder}`.")


def pick() -> str | None:
    """Which run is shown: the one that was picked or started here, else the one at work, else the latest."""
    names = [run.name for run in launcher.runs()]
    if not names:
        return None
    wanted = st.session_state.get("followed")
    shown = wanted if wanted in names else names[0]
    st.session_state["run_shown"] = shown
    st.selectbox(
        "Run", names, key="run_shown", on_change=_picked, help="The one at work first, then the latest."
    )
    busy = launcher.active()
    if busy and busy.name != shown:
        label = f"Watch {busy.name}, which is being trained"
        st.button(label, icon=":material/visibility:", key="watch", on_click=follow_next, args=(busy.name,))
    return shown


def _picked() -> None:
    follow_next(st.session_state["run_shown"])


def follow(name: str) -> None:
    """A run, drawn again every other second while it is at work."""
    run = _run(name)
    pace = GLANCE if run is not None and run.running else None

    @st.fragment(run_every=pace)
    def live() -> None:
        now = _run(name)
        if now is not None:
            show(now)

    live()


def watch() -> None:
    """Draw the page anew for everybody who looks at it, when a run begins or ends: here or elsewhere."""
    drawn = launcher.glance()

    @st.fragment(run_every=GLANCE)
    def look() -> None:
        if launcher.glance() != drawn:
            st.rerun()

    look()


def _run(name: str) -> Run | None:
    return next((run for run in launcher.runs() if run.name == name), None)


def _resume(run: Run) -> None:
    if run.recipe:
        try:
            launcher.begin(run.recipe, run.name, processes=run.status.processes)
        except InputError as error:
            st.toast(str(error))


def _curves(run: Run) -> None:
    if not run.epochs:
        st.info("The curves begin with the end of the first epoch.")
        return
    labels = [label for label in run.epochs[-1].auroc if run.epochs[-1].auroc[label] is not None]
    finding = st.selectbox(
        "Beside the mean", ["–", *labels], key="curve_finding", help="AUROC of one finding, dotted."
    )
    means = [None if math.isnan(epoch.mean_auroc) else epoch.mean_auroc for epoch in run.epochs]
    figure = run_curves(
        [epoch.loss for epoch in run.epochs],
        means,
        [epoch.size for epoch in run.epochs],
        finding=None if finding == "–" else [epoch.auroc.get(finding) for epoch in run.epochs],
        name=finding,
    )
    charts.show(figure, alt_text=f"Training loss and validation AUROC of {run.name} by epoch.", key="curves")
    st.caption(
        "Loss: mean over the epoch's steps. AUROC: of the averaged weights on the validation studies; 0.5 is "
        "a guess, and a finding without a positive study has none." + _best(run)
    )


def _best(run: Run) -> str:
    """Whose weights are kept: those of the best epoch of the latest phase."""
    phase = run.epochs[-1].phase
    own = [(epoch.mean_auroc, at) for at, epoch in enumerate(run.epochs, 1) if epoch.phase == phase]
    known = [(value, -at) for value, at in own if not math.isnan(value)]
    if not known:
        return ""
    value, at = max(known)  # of equals the first
    words = f" Best of phase {phase + 1}: {value:.3f}" if phase else f" Best: {value:.3f}"
    return f"{words}, epoch {-at} of {len(run.epochs)}; its weights are kept."


def _clock(seconds: float) -> str:
    """Such as “45 s”, “2 min 5 s” or “3 h 20 min”."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _ended(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"The model is in `{run.folder / 'model'}`, and on the bench.", width="content")
        st.page_link(page_file("compare"), label="Open Compare")
