"""The user's own radiographs of a session: uploads, bundles and phantoms, each with a unique name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import streamlit as st

from cxrbench.app.services.radiographs import Source, own
from cxrbench.app.services.uploads import file_uploader
from cxrbench.compare.saved_settings import SavedSettings, is_settings, read_settings
from cxrbench.errors import InputError
from cxrbench.writing import free_name

__all__ = [
    "OWN",
    "film",
    "film_id",
    "films",
    "forget_problems",
    "keep",
    "show_problems",
    "titles",
    "uploader",
    "warn",
]

OWN: Final = "own-"  # prefix of the ids; reserved, so that no gallery case has it
MOST_BYTES: Final = 384 * 2**20  # pixels and maps of one session: eight films of 12 megapixels
_FILMS: Final = "own_films"  # session state: id → Source, oldest first
_WARNINGS: Final = "own_films_warnings"  # session state: what is to be known of films and uploaded settings


def films() -> dict[str, Source]:
    """Id → film, oldest first."""
    session_films: dict[str, Source] = st.session_state.setdefault(_FILMS, {})
    return session_films


def film_id(sha256: str) -> str:
    """The id of the film of this hash, whether or not this session has it."""
    return f"{OWN}{sha256[:16]}"


def film(film_id: str) -> Source | None:
    """Return the film of this id; None if this session has none."""
    return films().get(film_id)


def titles() -> dict[str, str]:
    """Id → title in a list of radiographs."""
    return {film_id: f"Yours: {source.title}" for film_id, source in films().items()}


def keep(source: Source) -> str:
    """Keep a film for this session and return its id; the same content is kept once.

    If there is no space the oldest films are removed; `show_problems` reports it.
    """
    session_films, kept = films(), film_id(source.sha256)
    taken = {other.title for other_id, other in session_films.items() if other_id != kept}
    session_films.pop(kept, None)
    session_films[kept] = replace(source, title=free_name(source.title, taken))
    while len(session_films) > 1 and sum(map(_size, session_films.values())) > MOST_BYTES:
        oldest = session_films.pop(next(iter(session_films)))
        warn(
            f"{oldest.title} was removed: a session keeps at most {MOST_BYTES // 2**20} MB of own images. "
            "Upload it again to see it."
        )
    return kept


def uploader(
    label: str,
    key: str,
    on_new: Callable[[str], None],
    *,
    on_settings: Callable[[SavedSettings, str], None] | None = None,
    about: str,
) -> None:
    """Draw an uploader that keeps every uploaded film; two files of the same name are two films.

    Args:
        label: label of the widget.
        key: key of the widget, and prefix of its session-state keys.
        on_new: called with the id of the last readable film, before the page is drawn.
        on_settings: called with the last readable settings and the name of their file, after that; None where
            the page has no use for settings.
        about: appended to the help text.
    """
    file_uploader(
        label,
        key=key,
        accept_multiple_files=True,
        on_change=_take,
        args=(key, on_new, on_settings),
        help=f"At most {st.get_option('server.maxUploadSize')} MB each. {about}",
    )


def show_problems(key: str) -> None:
    """Show the problems of the last upload, until the next one or until another radiograph is selected."""
    for problem in st.session_state.get(f"{key}_problems", ()):
        st.error(problem)
    for sentence in st.session_state.get(_WARNINGS, ()):
        st.warning(sentence)


def warn(*sentences: str) -> None:
    """Say something of the last upload, as long as its problems are shown."""
    st.session_state.setdefault(_WARNINGS, []).extend(sentences)


def forget_problems(key: str) -> None:
    """Remove the problems of the last upload."""
    st.session_state[f"{key}_problems"], st.session_state[_WARNINGS] = [], []


def _take(
    key: str, on_new: Callable[[str], None], on_settings: Callable[[SavedSettings, str], None] | None
) -> None:
    seen: set[str] = st.session_state.setdefault(f"{key}_seen", set())
    files = [file for file in st.session_state.get(key) or () if file.file_id not in seen]
    if not files:  # a file was removed from the uploader: its film stays
        return
    seen.update(file.file_id for file in files)
    forget_problems(key)
    problems, kept, settings = st.session_state[f"{key}_problems"], [], []
    for file in files:
        data, name = file.getvalue(), file.name[:80]
        try:
            if on_settings is not None and is_settings(data, name):
                settings.append((read_settings(data, name=name), name))
            else:
                kept.append(keep(own(data, name)))
        except InputError as error:
            problems.append(str(error))
    if kept:
        on_new(kept[-1])
    if settings and on_settings is not None:
        on_settings(*settings[-1])


def _size(source: Source) -> int:
    maps = source.precomputed.heat_maps.values() if source.precomputed is not None else ()
    return source.image.nbytes + sum(heat.maps.nbytes for heat in maps)
