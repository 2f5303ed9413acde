"""A training run on the Train page: controls, progress and curves."""

import math
import os
import time
from pathlib import Path
from typing import Final

import streamlit as st

from cxrbench.app.widgets import charts, terms
from cxrbench.app.widgets.page_links import page_link
from cxrbench.errors import InputError
from cxrbench.figures.course import run_curves
from cxrbench.training.run import launcher
from cxrbench.training.run.launcher import Run
from cxrbench.training.run.recipes import recipes, summary

__all__ = ["choose", "follow", "pick", "rerun_on_change", "show"]

_STATES: Final = {
    "running": (":material/autorenew:", "running"),
    "stopped": (":material/pause_circle:", "stopped; it can be resumed"),
    "failed": (":material/error:", "failed"),
    "done": (":material/check_circle:", "finished"),
}
REFRESH_SECONDS: Final = 2.0  # between two reads of a run's files


def choose() -> None:
    """Draw the choice of a recipe and the number of processes, and the start button."""
    known = recipes()
    if not known:
        st.info(
            "No recipe was found: `train/configs` is part of the project's repository. "
            "Start the workbench from there."
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
        help="Number of processes, one core each. On a CPU, four processes with one thread each train "
        "several times faster than one process with four threads. The recipe's batch size must be "
        "divisible by it.",
    )
    with st.expander("About this recipe"):
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
        st.caption(f"{busy.name} is running. Only one run at a time on this machine.")
    else:
        terms.caption(_expectation(name))


def _expectation(name: str) -> str:
    """Name of the next run of a recipe, and duration of its last run."""
    new, took = launcher.new_name(name), launcher.duration(name)
    text = (
        f"`{name}` was trained here before: this starts a new run, `{new}`, with its own model. To continue "
        "a stopped run, choose it and press Resume. "
        if new != name
        else ""
    )
    if took is None:
        return f"{text}The remaining time is shown once it runs."
    return f"{text}Its last run took {_duration(took)} on this machine."


def start(recipe: Path, name: str, processes: int) -> None:
    """Start a new run, or show why it cannot start."""
    try:
        folder = launcher.begin_new(recipe, name, processes=processes)
    except InputError as error:
        st.error(str(error))
        return
    select_run(folder.name)
    st.rerun()


def select_run(name: str) -> None:
    """Show this run from the next rerun on."""
    st.session_state["followed"] = name


def show(run: Run) -> None:
    """Draw the state of a run, its buttons, curves and last log lines."""
    icon, state = _STATES[run.status.state]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{icon} **{run.name}** is {state}.", width="content")
        if run.running:
            st.button("Stop", icon=":material/stop:", key="stop_run", on_click=launcher.stop, args=(run,))
        elif run.status.state != "done" and run.recipe:
            st.button("Resume", icon=":material/play_arrow:", key="resume_run", on_click=_resume, args=(run,))
    if run.status.state == "failed":
        st.error(run.status.message)
    elif run.running:
        st.caption(f"Running for {_duration(time.time() - run.status.started)}. {run.last}")
    elif run.status.state == "done":
        st.caption(f"It took {_duration(run.status_written - run.status.started)}.")
    if run.status.state == "done":
        _link_to_model(run)
    _curves(run)
    with st.expander("Log", expanded=run.status.state == "failed"):
        st.code(launcher.tail(run) or "The log is empty.", language=None, wrap_lines=True)
        st.caption(f"Folder of the run: `{run.folder}`.")


def pick() -> str | None:
    """Draw the choice of a run; by default the one chosen or started last, the running one, or the latest."""
    names = [run.name for run in launcher.runs()]
    if not names:
        return None
    wanted = st.session_state.get("followed")
    shown = wanted if wanted in names else names[0]
    st.session_state["run_shown"] = shown
    st.selectbox(
        "Run",
        names,
        key="run_shown",
        on_change=_picked,
        help="The running one first, then by start time, latest first.",
    )
    busy = launcher.active()
    if busy and busy.name != shown:
        label = f"Show {busy.name}, which is running"
        st.button(label, icon=":material/visibility:", key="watch", on_click=select_run, args=(busy.name,))
    return shown


def _picked() -> None:
    select_run(st.session_state["run_shown"])


def follow(name: str) -> None:
    """Draw a run, again every two seconds while it is running."""
    run = _run(name)
    interval = REFRESH_SECONDS if run is not None and run.running else None

    @st.fragment(run_every=interval)
    @terms.part
    def refreshed() -> None:
        current = _run(name)
        if current is not None:
            show(current)

    refreshed()


def rerun_on_change() -> None:
    """Rerun the page in every open session when a run starts or ends, here or elsewhere."""
    shown = launcher.states()

    @st.fragment(run_every=REFRESH_SECONDS)
    def check() -> None:
        if launcher.states() != shown:
            st.rerun()

    check()


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
        st.info("The curves start after the first epoch.")
        return
    labels = [label for label in run.epochs[-1].auroc if run.epochs[-1].auroc[label] is not None]
    finding = st.selectbox(
        "Finding",
        ["–", *labels],
        key="curve_finding",
        help="Adds the AUROC of one finding, dotted, beside the mean.",
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
    terms.caption(
        "Loss: mean over the steps of an epoch. AUROC: of the averaged weights on the validation studies; "
        "0.5 "
        "is chance level. It is undefined for a finding without positive studies." + _best(run)
    )


def _best(run: Run) -> str:
    """The best epoch of the latest phase, whose weights are kept."""
    phase = run.epochs[-1].phase
    aurocs = [
        (epoch.mean_auroc, -number) for number, epoch in enumerate(run.epochs, 1) if epoch.phase == phase
    ]
    defined = [(value, number) for value, number in aurocs if not math.isnan(value)]
    if not defined:
        return ""
    value, number = max(defined)  # the first of equal ones
    best = f" Best of phase {phase + 1}: {value:.3f}" if phase else f" Best: {value:.3f}"
    return f"{best}, epoch {-number} of {len(run.epochs)}; its weights are kept."


def _duration(seconds: float) -> str:
    """A duration as text, for example “45 s”, “2 min 5 s” or “3 h 20 min”."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _link_to_model(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"The model is in `{run.folder / 'model'}`, and available on every page.", width="content")
        page_link("compare", "Open Compare", icon=None)
