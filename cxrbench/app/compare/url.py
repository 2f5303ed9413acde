"""The URL of the Compare page: read when the page opens, updated while it is used.

A browser sends its address with every message, and that address is out of date while the answer that changes
it is under way. So the address is followed only in runs of the whole page, which is what opening it, Back and
Forward bring about, and never in runs of its fragments, which is what clicks bring about.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

import streamlit as st

from cxrbench.app.compare import case_list, controls
from cxrbench.app.compare.options import choice_for_own, choice_from_link, default_choice
from cxrbench.app.compare.selection import Choice, query_parameters, values_by_name
from cxrbench.app.services import own_radiographs, own_set_films, phantom_link, phantoms, shipped_films
from cxrbench.app.services.radiographs import Source
from cxrbench.app.widgets import presenter
from cxrbench.errors import InputError

__all__ = ["film_parameters", "follow_link", "follow_settings", "keep_link", "link_to", "redraw"]

Link = Mapping[str, Sequence[str]]

_OUTDATED: Final = "outdated_link"  # session state: the address with which a fragment asked to draw the page


def follow_link() -> None:
    """Apply the link in the address once; problems with it are kept for the page to show.

    Call it outside of fragments.
    """
    link, outdated = _link(), st.session_state.pop(_OUTDATED, None)
    if not link or link in (st.session_state.get("link"), outdated):
        return
    st.session_state["link"] = link
    film_link, problems = case_list.opened(link, ("own", *_FILM_PARAMETERS))
    st.session_state["link_problems"] = [*problems, *_show(film_link)]


def follow_settings() -> None:
    """Apply the settings of an uploaded file once, as a link to the same would be."""
    uploaded = controls.take_uploaded_settings()
    if uploaded is None:
        return
    saved, name = uploaded
    link = values_by_name(saved.query_parameters)
    missing = ""
    if not any(name in link for name in _FILM_PARAMETERS):
        own = own_radiographs.film_id(saved.source)
        if own_radiographs.film(own) is None:
            film = f"the radiograph {saved.film}" if saved.film else "a radiograph"
            missing = (
                f"{name} is of {film}, which is not part of it: open that file as well. The settings are "
                "applied to the radiograph that is shown."
            )
            own = controls.shown_own_id()
        case_id = controls.current_choice().case
        link |= {"case": [case_id]} if missing and case_id is not None else {"own": [own]}
    problems = [problem.replace("The link", name, 1) for problem in _show(link)]
    own_radiographs.warn(*([missing] if missing else []), *problems)


def film_parameters(choice: Choice, source: Source) -> list[tuple[str, str]]:
    """Query parameters that restore the radiograph and its edits; empty for an uploaded image."""
    if source.link is None:
        return []
    return [source.link, *(("edit", edit.text) for edit in choice.edits)]


def keep_link(choice: Choice, source: Source) -> list[tuple[str, str]] | None:
    """Write the choice into the address.

    Returns:
        Query parameters; None for an uploaded image, which a link restores in this session only.
    """
    parameters = query_parameters(choice, default_choice())
    if choice.case is None:
        parameters.insert(0, source.link or ("own", controls.shown_own_id()))
    parameters = [*case_list.parameters(), *parameters]
    link = values_by_name(parameters)
    if link != st.session_state.get("link") or not _link():  # it is empty after a visit to another page
        st.session_state["link"] = link
        view = st.query_params.get_all("view")
        st.query_params.from_dict(
            {**link, **({"view": view} if view else {}), **presenter.address_parameters()}
        )
    return parameters if source.link is not None else None


def link_to(film: Source) -> dict[str, list[str]]:
    """Query parameters that open the page with this film and the session's models, methods and settings.

    Args:
        film: a radiograph that a link restores (``Source.link``).
    """
    choice = choice_for_own(film, controls.current_choice())
    return values_by_name([*([film.link] if film.link else []), *query_parameters(choice, default_choice())])


def redraw() -> NoReturn:
    """Draw the whole page anew from within a fragment, without following the address."""
    st.session_state[_OUTDATED] = _link()
    st.rerun()


# Query parameter of a film that is simulated, or read from a data set → the film of its value.
_RENDERED: Final[Mapping[str, Callable[[str], Source]]] = {
    "phantom": lambda text: phantoms.radiograph(phantom_link.read(text)),
    shipped_films.PARAMETER: shipped_films.radiograph,
    own_set_films.PARAMETER: own_set_films.radiograph,
}
# Query parameters of films that settings and links restore anywhere.
_FILM_PARAMETERS: Final = ("case", *_RENDERED)


def _show(link: Link) -> list[str]:
    """Show what a link names; return a message for everything that is not available."""
    film_id, problem = _own_film(link)
    choice, problems = choice_from_link(link, own_radiographs.film(film_id))
    if film_id:
        controls.show_own(film_id, choice)
    else:
        st.session_state["choice"] = choice
        controls.reset_widgets()
    return [*([problem] if problem else []), *problems]


def _link() -> dict[str, list[str]]:
    link = {name: st.query_params.get_all(name) for name in st.query_params}
    for name in ("view", presenter.PARAMETER):  # how it is displayed, not what
        link.pop(name, None)
    return link


def _own_film(link: Link) -> tuple[str, str]:
    """Id of the user's radiograph that a link names, "" if none; and a message if it is missing."""
    for name, render in _RENDERED.items():
        if link.get(name):
            try:
                with st.spinner("Opening the radiograph …"):
                    film = render(link[name][-1])
            except InputError as error:
                return "", str(error)
            return own_radiographs.keep(film), ""
    film_id = (link.get("own") or [""])[-1]
    if film_id and own_radiographs.film(film_id) is None:
        return "", (
            "The link is to an uploaded image. Such an image stays in the session that opened it: "
            "upload the file again, or share it as a bundle."
        )
    return film_id, ""
