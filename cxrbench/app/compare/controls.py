"""Controls of the Compare page; their state is one value, ``Choice``."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from cxrbench.app.compare.options import (
    finding_names,
    method_titles,
    model_titles,
    start,
    turn_to,
    turn_to_own,
)
from cxrbench.app.compare.selection import MAX_STEPS, Choice
from cxrbench.app.services import model_registry, own_radiographs
from cxrbench.app.services.radiographs import Source, case
from cxrbench.app.widgets.multi_select import some
from cxrbench.compare import gallery
from cxrbench.models import catalog

__all__ = ["UPLOAD", "chosen", "empty", "forget_picks", "pick", "show_own", "shown_own", "source"]

UPLOAD: Final = "upload"  # key of the uploader
_SHOWN: Final = "own_shown"  # session state: id of the own film that is shown where no case is
_BASELINES: Final = {"black": "Black", "mean": "Mean grey of the film", "blur": "The film, blurred"}


def chosen() -> Choice:
    """What this session chose so far."""
    choice: Choice = st.session_state.setdefault("choice", start())
    return choice


def source() -> Source | None:
    """The radiograph that is chosen; None where there is none."""
    if chosen().case is None:
        film = own_radiographs.film(shown_own())
        if film is not None:
            return film
        st.session_state["choice"] = start()
    now = chosen().case
    return case(now) if now is not None else None


def shown_own() -> str:
    """Id of the own film that is shown where no case is."""
    film_id: str = st.session_state.get(_SHOWN, "")
    return film_id


def show_own(film_id: str, choice: Choice | None = None) -> None:
    """Turn to a film of the reader's own, a bundle with its own settings; or to what a link asks of it."""
    film = own_radiographs.films()[film_id]
    st.session_state.update({_SHOWN: film_id, "choice": choice or turn_to_own(film, chosen())})
    forget_picks()


def forget_picks() -> None:
    """Let the controls show what the choice says."""
    for key in [str(key) for key in st.session_state if str(key).startswith("pick_")]:
        del st.session_state[key]


def pick(now: Source) -> Choice:
    """Draw the row of controls.

    Args:
        now: the radiograph that is shown.

    Returns:
        The choice, also kept for the session.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", key="controls"):
        _pick_case()
        choice = chosen()
        names = finding_names(now, choice) or choice.findings  # none are known while the models are loading
        findings = tuple(name for name in choice.findings if name in names) or names[:1]
        main = _pick_finding(names, findings)
        models = some(
            "Models",
            model_titles(now),
            choice.models,
            "pick_models",
            about="Every model chosen gets its own row of maps.",
        )
        methods = some(
            "Methods",
            method_titles(now),
            choice.methods,
            "pick_methods",
            about="Every method chosen gets its own picture; the About page says what each does.",
        )
        with st.popover("Your own image", icon=":material/upload:", key="open_upload", on_change="rerun"):
            _upload()
        with st.popover("More", icon=":material/tune:", key="open_more", on_change="rerun") as more:
            rest = findings[1:]
            if more.open:
                rest = _pick_more_findings(names, main, findings)
                choice = _pick_settings(now, choice, models)
    choice = replace(
        choice,
        models=models,
        methods=methods,
        findings=(main, *(name for name in rest if name != main)),
    )
    st.session_state["choice"] = choice
    return choice


def empty() -> None:
    """What to say where there is no radiograph yet."""
    if not model_titles(None):
        st.info(f"No model was found. {catalog.how_to_add()}")
    else:
        st.info("There are no gallery cases here: build them with train/gallery.py, or open your own image.")
    _upload()


def _pick_case() -> None:
    titles = {entry.id: entry.title for entry in gallery.cases()} | own_radiographs.titles()
    options = list(titles)
    at = _at()
    st.session_state["pick_case"] = at if at in titles else None
    st.selectbox(
        "Radiograph",
        options,
        format_func=lambda option: titles.get(option, str(option)),
        key="pick_case",
        on_change=_take_case,
        width=260,
        help="Gallery cases were chosen by rule from simulated radiographs whose truth is known.",
    )


def _at() -> str:
    """Id of the radiograph that is shown, a case's or an own film's."""
    return chosen().case or shown_own()


def _take_case() -> None:
    picked = st.session_state["pick_case"]
    if picked is None or picked == _at():
        return
    own_radiographs.forget_problems(UPLOAD)
    if picked in own_radiographs.films():
        show_own(picked)
    else:
        film = own_radiographs.film(shown_own()) if chosen().case is None else None
        st.session_state["choice"] = turn_to(picked, chosen(), film)
        forget_picks()


def _pick_finding(names: Sequence[str], findings: Sequence[str]) -> str:
    now = st.session_state.get("pick_finding")
    # Told anew at every run: a browser too busy to draw the first one would show the first of the list.
    st.session_state["pick_finding"] = now if now in names else findings[0] if findings else None
    picked: str | None = st.selectbox(
        "Finding",
        list(names),
        key="pick_finding",
        width=230,
        help="Which score the maps explain. All findings are computed at once: switching costs nothing.",
    )
    return picked or ""  # while the models are loading nothing can be picked yet


def _pick_more_findings(names: Sequence[str], main: str, findings: Sequence[str]) -> tuple[str, ...]:
    others = [name for name in names if name != main]
    if "pick_more" not in st.session_state:
        st.session_state["pick_more"] = [name for name in findings[1:] if name in others]
    st.session_state["pick_more"] = [name for name in st.session_state["pick_more"] if name in others]
    return tuple(
        st.multiselect("Further findings", others, key="pick_more", help="Each gets its own row of maps.")
    )


def _pick_settings(now: Source, choice: Choice, models: Sequence[str]) -> Choice:
    if not now.computes:
        st.caption("A bundle keeps the settings it was computed with.")
        return choice
    stages = _stages(models)
    for key, value in (("stage", choice.stage), ("baseline", choice.baseline), ("steps", choice.steps)):
        st.session_state.setdefault(f"pick_{key}", value)
    if st.session_state["pick_stage"] not in stages:
        st.session_state["pick_stage"] = 0
    stage = st.selectbox(
        "Stage read by CAMs",
        list(stages),
        format_func=lambda index: stages[index],
        key="pick_stage",
        help="Which feature map the CAM methods read, counted from the last. Earlier ones are finer, "
        "but less is decided there.",
    )
    baseline = st.selectbox(
        "Baseline of integrated gradients",
        list(_BASELINES),
        format_func=lambda name: _BASELINES[name],
        key="pick_baseline",
        help="The picture from which the path starts. What equals it gets no relevance.",
    )
    steps = st.number_input(
        "Steps of integrated gradients",
        1,
        MAX_STEPS,
        key="pick_steps",
        help="Points along the path: more make the completeness error smaller and take longer.",
    )
    return replace(choice, stage=stage, baseline=baseline, steps=int(steps))


def _stages(models: Sequence[str]) -> dict[int, str]:
    """Stage, counted from the last → its name with the grids of these models."""
    loaded = model_registry.stock().models
    grids = [
        [grid for _, grid in list(loaded[name].grids.items())[::-1]] for name in models if name in loaded
    ]
    words = {}
    for index in range(max(map(len, grids), default=1)):
        sizes = dict.fromkeys(f"{grid[index][1]} × {grid[index][0]}" for grid in grids if index < len(grid))
        place = {0: "last", 1: "1 before the last"}.get(index, f"{index} before the last")
        words[index] = f"{place}: {' or '.join(sizes)}" if sizes else place
    return words


def _upload() -> None:
    own_radiographs.uploader(
        "Radiographs (PNG, JPEG, TIFF, DICOM) or saved bundles (ZIP)",
        UPLOAD,
        _show_upload,
        about="They stay in this server's memory, and are gone when you leave; "
        "nothing of a DICOM's patient data is kept.",
    )
    st.caption("Take patients' names off a picture before you upload it to a machine that is not yours.")


def _show_upload(film_id: str) -> None:
    show_own(film_id)
    st.session_state["open_upload"] = False
