"""Controls of the Compare page; their state is one ``Choice``."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cxrbench.app.compare import own_set_picker
from cxrbench.app.compare.method_picker import pick_methods
from cxrbench.app.compare.options import (
    choice_for_case,
    choice_for_own,
    configured_titles,
    default_choice,
    finding_names,
    method_titles,
    model_titles,
)
from cxrbench.app.compare.parameters import pick_parameters
from cxrbench.app.compare.selection import MAX_STEPS, Choice
from cxrbench.app.services import model_registry, own_radiographs
from cxrbench.app.services.radiographs import Source, case
from cxrbench.app.widgets.multi_select import multi_select
from cxrbench.app.widgets.versions import current_key, renew_all
from cxrbench.compare import gallery
from cxrbench.compare.saved_settings import SavedSettings
from cxrbench.models import catalog

__all__ = [
    "UPLOAD",
    "current_choice",
    "draw_controls",
    "reset_widgets",
    "show_empty",
    "show_own",
    "shown_own_id",
    "source",
    "take_uploaded_settings",
]

UPLOAD: Final = "upload"  # key of the uploader
_CASE: Final = "pick_case"  # name of the list of radiographs
_SHOWN: Final = "own_shown"  # session state: id of the own film that is shown if no case is
_UPLOADED: Final = "uploaded_settings"  # session state: settings to be applied, and the name of their file
_BASELINES: Final = {"black": "Black", "mean": "Mean grey of the radiograph", "blur": "Blurred radiograph"}


def current_choice() -> Choice:
    """Return the session's choice."""
    choice: Choice = st.session_state.setdefault("choice", default_choice())
    return choice


def source() -> Source | None:
    """Return the selected radiograph; None if there is none."""
    if current_choice().case is None:
        film = own_radiographs.film(shown_own_id())
        if film is not None:
            return film
        st.session_state["choice"] = default_choice()
    case_id = current_choice().case
    return case(case_id) if case_id is not None else None


def shown_own_id() -> str:
    """Return the id of the own film that is shown if no case is."""
    film_id: str = st.session_state.get(_SHOWN, "")
    return film_id


def show_own(film_id: str, choice: Choice | None = None, *, picked: bool = False) -> None:
    """Show one of the user's own films.

    Args:
        film_id: id of the film.
        choice: what is shown of it; default: a bundle's own settings, or the present ones.
        picked: whether the user has picked it in the list of radiographs.
    """
    film = own_radiographs.films()[film_id]
    st.session_state.update({_SHOWN: film_id, "choice": choice or choice_for_own(film, current_choice())})
    reset_widgets(picked=picked)


def reset_widgets(*, picked: bool = False) -> None:
    """Reset the widgets to the session's choice.

    Args:
        picked: whether the list of radiographs shows it already: the widget keeps its focus.
    """
    renew_all(but=(_CASE,) if picked else ())


def draw_controls(radiograph: Source) -> tuple[Choice, DeltaGenerator]:
    """Draw the row of controls.

    Args:
        radiograph: the radiograph that is shown.

    Returns:
        The choice, also stored in the session, and the row, where more can be drawn.
    """
    row = st.container(horizontal=True, vertical_alignment="bottom", key="controls")
    with row:
        _pick_case()
        choice = current_choice()
        names = finding_names(radiograph, choice) or choice.findings  # empty while the models are loading
        findings = tuple(name for name in choice.findings if name in names) or names[:1]
        main = _pick_finding(names, findings)
        models = multi_select(
            "Models",
            model_titles(radiograph),
            choice.models,
            current_key("pick_models"),
            popover_key="open_pick_models",
            about="Networks that were trained to score the findings. One row of heat maps per model.",
            one="Model",
        )
        titles = method_titles(radiograph) | configured_titles(choice.methods)
        methods = pick_methods(titles, choice.methods, models, radiograph)
        with st.popover("Your own image", icon=":material/upload:", key="open_upload", on_change="rerun"):
            _upload()
        own_set_picker.draw(show_own)
        with st.popover("More", icon=":material/tune:", key="open_more", on_change="rerun") as more:
            rest = findings[1:]
            if more.open:
                rest = _pick_more_findings(names, main, findings)
                choice = _pick_settings(radiograph, choice, models, methods)
    choice = replace(
        choice,
        models=models,
        models_chosen=choice.models_chosen or models != choice.models,
        methods=methods,
        findings=(main, *(name for name in rest if name != main)),
    )
    st.session_state["choice"] = choice
    return choice, row


def show_empty() -> None:
    """Say what to do if there is no radiograph."""
    if not model_titles(None):
        st.info(f"No model was found. {catalog.how_to_add()}")
    else:
        st.info("There are no gallery cases: build them with train/gallery.py, or upload your own image.")
    _upload()


def _pick_case() -> None:
    titles = {entry.id: entry.title for entry in gallery.cases()} | own_radiographs.titles()
    options = list(titles)
    shown = _shown_id()
    key = current_key(_CASE)
    st.session_state[key] = shown if shown in titles else None
    st.selectbox(
        "Radiograph",
        options,
        format_func=lambda option: titles.get(option, str(option)),
        key=key,
        on_change=_take_case,
        args=(key,),
        width=215,
        help="Gallery cases: simulated radiographs with known ground truth, selected by rules.",
    )


def _shown_id() -> str:
    """Id of the radiograph that is shown: of a case or of an own film."""
    return current_choice().case or shown_own_id()


def _take_case(key: str) -> None:
    picked = st.session_state.get(key)
    if key != current_key(_CASE) or picked is None or picked == _shown_id():
        return
    own_radiographs.forget_problems(UPLOAD)
    if picked in own_radiographs.films():
        show_own(picked, picked=True)
    else:
        film = own_radiographs.film(shown_own_id()) if current_choice().case is None else None
        st.session_state["choice"] = choice_for_case(picked, current_choice(), film)
        reset_widgets(picked=True)


def _pick_finding(names: Sequence[str], findings: Sequence[str]) -> str:
    key = current_key("pick_finding")
    value = st.session_state.get(key)
    # Set at every run: a browser that was too busy to draw the first run would show the first option.
    st.session_state[key] = value if value in names else findings[0] if findings else None
    picked: str | None = st.selectbox(
        "Finding",
        list(names),
        key=key,
        width=230,
        help="The finding whose score the heat maps explain. Its maps are computed first, those of the other "
        "findings after it, while you look.",
    )
    return picked or ""  # None while the models are loading


def _pick_more_findings(names: Sequence[str], main: str, findings: Sequence[str]) -> tuple[str, ...]:
    others = [name for name in names if name != main]
    key = current_key("pick_more")
    st.session_state[key] = [name for name in st.session_state.get(key, findings[1:]) if name in others]
    return tuple(
        st.multiselect("Further findings", others, key=key, help="One row of heat maps per finding.")
    )


def _pick_settings(
    radiograph: Source, choice: Choice, models: Sequence[str], methods: Sequence[str]
) -> Choice:
    if not radiograph.computes:
        st.caption("The settings of a bundle are fixed: its maps are stored.")
        return choice
    stages = _stages(models)
    keys = {name: current_key(f"pick_{name}") for name in ("stage", "baseline", "steps")}
    for name, key in keys.items():
        # Set at every run: a browser that missed the first one would show the lowest value.
        st.session_state[key] = st.session_state.get(key, getattr(choice, name))
    if st.session_state[keys["stage"]] not in stages:
        st.session_state[keys["stage"]] = 0
    stage = st.selectbox(
        "Stage of CAM methods",
        list(stages),
        format_func=lambda index: stages[index],
        key=keys["stage"],
        help="The stage whose feature map CAM methods use, counted from the last. Earlier stages have finer "
        "grids but less semantic features.",
    )
    baseline = st.selectbox(
        "Baseline of integrated gradients",
        list(_BASELINES),
        format_func=lambda name: _BASELINES[name],
        key=keys["baseline"],
        help="The image at which the integration path starts. Pixels equal to it get no relevance.",
    )
    steps = st.number_input(
        "Steps of integrated gradients",
        1,
        MAX_STEPS,
        key=keys["steps"],
        help="Points along the path: more steps reduce the completeness error and take longer.",
    )
    pick_parameters(methods, finding_names(radiograph, choice))
    return replace(choice, stage=stage, baseline=baseline, steps=int(steps))


def _stages(models: Sequence[str]) -> dict[int, str]:
    """Stage, counted from the last → label with the grid sizes of these models."""
    classifiers = model_registry.loaded().models
    grids = [
        [grid for _, grid in list(classifiers[name].grids.items())[::-1]]
        for name in models
        if name in classifiers
    ]
    labels = {}
    for index in range(max(map(len, grids), default=1)):
        sizes = dict.fromkeys(f"{grid[index][1]} × {grid[index][0]}" for grid in grids if index < len(grid))
        position = {0: "last"}.get(index, f"{index} before the last")
        labels[index] = f"{position}: {' or '.join(sizes)}" if sizes else position
    return labels


def _upload() -> None:
    own_radiographs.uploader(
        "Radiographs (PNG, JPEG, TIFF, DICOM), saved bundles (ZIP), settings (JSON) or reports (HTML)",
        UPLOAD,
        _show_upload,
        on_settings=_take_settings,
        about="Files stay in the memory of the server until you leave; patient data in DICOM headers are "
        "discarded.",
    )
    st.caption("Remove patient names from an image before you upload it to someone else's server.")


def take_uploaded_settings() -> tuple[SavedSettings, str] | None:
    """The settings of the last upload with the name of their file, once; None if there are none."""
    uploaded: tuple[SavedSettings, str] | None = st.session_state.pop(_UPLOADED, None)
    return uploaded


def _take_settings(saved: SavedSettings, name: str) -> None:
    st.session_state[_UPLOADED] = (saved, name)
    st.session_state["open_upload"] = False


def _show_upload(film_id: str) -> None:
    show_own(film_id)
    st.session_state["open_upload"] = False
