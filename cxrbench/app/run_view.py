"""What the Train page draws: the controls that start a run, and how one is going."""

import math
import os
import time
from pathlib import Path
from typing import Final

import streamlit as st

from cxrbench.app import runs
from cxrbench.app.runs import Run
from cxrbench.errors import InputError
from cxrbench.figures.course import run_curves

__all__ = ["ABOUT", "choose", "follow", "show"]

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
    known = runs.recipes()
    if not known:
        st.info(
            "There is no recipe here: `train/configs` comes with the project's repository. "
            "Start the bench from there."
        )
        return
    busy = runs.active()
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
        st.code(runs.summary(known[name]), language=None, wrap_lines=True)
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


def start(recipe: Path, name: str, processes: int) -> None:
    """Begin, or say why not."""
    try:
        folder = runs.begin(recipe, name, processes=processes)
    except InputError as error:
        st.error(str(error))
        return
    st.session_state["followed"] = folder.name
    with st.spinner("Starting the process: it loads PyTorch first, some seconds …"):
        until = time.monotonic() + 90
        while runs.starting(folder) and time.monotonic() < until:
            time.sleep(0.3)
    st.rerun()


def show(run: Run) -> None:
    """How a run stands: words, buttons, curves and its last lines."""
    icon, words = _WORDS[run.status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{icon} **{run.name}** is {words}.", width="content")
        if run.running:
            st.button("Stop", icon=":material/stop:", key="stop_run", on_click=runs.stop, args=(run,))
        elif run.status.state != "done" and run.recipe:
            st.button("Resume", icon=":material/play_arrow:", key="resume_run", on_click=_resume, args=(run,))
    if run.status.state == "failed":
        st.error(run.status.message)
    elif run.running and run.last:
        st.caption(run.last)
    if run.status.state == "done":
        _ended(run)
    _curves(run)
    with st.expander("Its last lines", expanded=run.status.state == "failed"):
        st.code(runs.tail(run) or "It has said nothing yet.", language=None, wrap_lines=True)
        st.caption(f"Everything it keeps lies in `{run.folder}`.")


def follow(name: str) -> None:
    """A run, drawn again every other second while it is at work."""
    run = _run(name)
    if run is None:
        st.info("The process is starting; its first line comes as soon as PyTorch is loaded.")
    pace = GLANCE if run is None or run.running else None

    @st.fragment(run_every=pace)
    def live() -> None:
        now = _run(name)
        if now is not None:
            show(now)
        if (now is None) != (run is None) or (now and run and now.status.state != run.status.state):
            st.rerun()  # the controls above change with it

    live()


def _run(name: str) -> Run | None:
    return next((run for run in runs.runs() if run.name == name), None)


def _resume(run: Run) -> None:
    if run.recipe:
        try:
            runs.begin(run.recipe, run.name, processes=run.status.processes)
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
    st.plotly_chart(figure, key="curves", config={"displaylogo": False})
    best = max((value, at) for at, value in enumerate(means, 1) if value is not None) if any(means) else None
    st.caption(
        "Loss: mean over the epoch's steps. AUROC: of the averaged weights on the validation studies; 0.5 is "
        "a guess, and a finding without a positive study has none."
        + (f" Best: {best[0]:.3f}, epoch {best[1]} of {len(run.epochs)}." if best else "")
    )


def _ended(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"The model is in `{run.folder / 'model'}`, and on the bench.", width="content")
        st.page_link(Path(__file__).resolve().parents[2] / "pages" / "compare.py", label="Open Compare")
