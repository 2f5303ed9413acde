"""The user's own radiographs of a session: uploads, bundles and phantoms, each with a unique name."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import streamlit as st

from cxrbench.app.services.radiographs import Source, own
from cxrbench.errors import InputError
from cxrbench.writing import free_name

__all__ = ["OWN", "film", "films", "forget_problems", "keep", "say_problems", "titles", "uploader"]

OWN: Final = "own-"  # how ids of own films begin; no gallery case may be called so
MOST_BYTES: Final = 384 * 2**20  # of pixels and maps in one session: eight films of 12 megapixels
_FILMS: Final = "own_films"  # session state: id → Source, oldest first
_GONE: Final = "own_films_gone"  # session state: a sentence about each film that had to make room


def films() -> dict[str, Source]:
    """Id → film, oldest first."""
    held: dict[str, Source] = st.session_state.setdefault(_FILMS, {})
    return held


def film(film_id: str) -> Source | None:
    """The film of that id; None where this session holds none."""
    return films().get(film_id)


def titles() -> dict[str, str]:
    """Id → how a list of radiographs calls it."""
    return {film_id: f"Yours: {source.title}" for film_id, source in films().items()}


def keep(source: Source) -> str:
    """Hold a film for this session and return its id; the same content is held once.

    Where there is no room the oldest go, which `say_problems` says.
    """
    held, film_id = films(), f"{OWN}{source.sha256[:16]}"
    taken = {other.title for other_id, other in held.items() if other_id != film_id}
    held.pop(film_id, None)
    held[film_id] = replace(source, title=free_name(source.title, taken))
    gone: list[str] = st.session_state.setdefault(_GONE, [])
    while len(held) > 1 and sum(map(_size, held.values())) > MOST_BYTES:
        oldest = held.pop(next(iter(held)))
        gone.append(
            f"{oldest.title} was put away: a session holds {MOST_BYTES // 2**20} MB of its own images. "
            "Open it again to see it."
        )
    return film_id


def uploader(label: str, key: str, on_new: Callable[[str], None], *, about: str) -> None:
    """Draw an uploader that keeps every film it is given; two files of one name are two films.

    Args:
        label: what may be uploaded.
        key: of the widget, and of what is remembered about it.
        on_new: called with the id of the last film that could be read, before the page is drawn.
        about: what else its help says.
    """
    st.file_uploader(
        label,
        key=key,
        accept_multiple_files=True,
        on_change=_take,
        args=(key, on_new),
        help=f"At most {st.get_option('server.maxUploadSize')} MB each. {about}",
    )


def say_problems(key: str) -> None:
    """What went wrong with the last upload; it stays until the next one, or until another film is chosen."""
    for problem in st.session_state.get(f"{key}_problems", ()):
        st.error(problem)
    for sentence in st.session_state.get(_GONE, ()):
        st.warning(sentence)


def forget_problems(key: str) -> None:
    """The reader has gone on to something else."""
    st.session_state[f"{key}_problems"], st.session_state[_GONE] = [], []


def _take(key: str, on_new: Callable[[str], None]) -> None:
    seen: set[str] = st.session_state.setdefault(f"{key}_seen", set())
    files = [file for file in st.session_state.get(key) or () if file.file_id not in seen]
    if not files:  # one was taken off the list: its film stays
        return
    seen.update(file.file_id for file in files)
    forget_problems(key)
    problems, kept = st.session_state[f"{key}_problems"], []
    for file in files:
        try:
            source = own(file.getvalue(), file.name[:80])
        except InputError as error:
            problems.append(str(error))
            continue
        kept.append(keep(source))
    if kept:
        on_new(kept[-1])


def _size(source: Source) -> int:
    maps = source.given.heat_maps.values() if source.given is not None else ()
    return source.image.nbytes + sum(heat.maps.nbytes for heat in maps)
