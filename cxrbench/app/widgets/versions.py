"""Keys of widgets whose selection the server may change.

A browser sends the values of all its widgets with every message. While the answer that changes a selection is
under way, a message, such as that of a fragment that polls, still carries the former value, which Streamlit
takes for a choice of the user. A widget whose selection was changed by the server therefore gets a new key:
values of the old one have no widget any more.
"""

from typing import Any, Final

import streamlit as st

__all__ = ["current_key", "key_in", "renew", "renew_all"]

_VERSIONS: Final = "widget_versions"  # session state: name of a widget → how often the server has changed it


def current_key(name: str) -> str:
    """The key of a widget."""
    _versions().setdefault(name, 0)
    return key_in(st.session_state, name)


def key_in(session_state: Any, name: str) -> str:
    """The key of a widget in a session.

    Args:
        session_state: of the session.
        name: of the widget.
    """
    version = session_state[_VERSIONS].get(name, 0) if _VERSIONS in session_state else 0
    return f"{name} {version}" if version else name


def renew(*names: str) -> None:
    """Give widgets new keys, without a value: the server has changed what they select."""
    for name in names:
        st.session_state.pop(current_key(name), None)
        _versions()[name] += 1


def renew_all(*, prefix: str = "", but: tuple[str, ...] = ()) -> None:
    """Renew all widgets of this session whose names begin with a prefix.

    Args:
        prefix: of the names.
        but: names that are left alone, such as that of the widget that the user has just moved.
    """
    renew(*(name for name in _versions() if name.startswith(prefix) and name not in but))


def _versions() -> dict[str, int]:
    versions: dict[str, int] = st.session_state.setdefault(_VERSIONS, {})
    return versions
