"""Addresses of films on the Compare page, relative to the address of any other page."""

from collections.abc import Sequence
from urllib.parse import urlencode

__all__ = ["film_address"]


def film_address(
    film: tuple[str, str], finding: str, models: Sequence[str], methods: Sequence[str] = ()
) -> str:
    """The address of a film.

    Args:
        film: query parameter and value that name it.
        finding: to show first.
        models: names; empty for the page's own choice.
        methods: keys; empty for the page's own choice.
    """
    parameters = [
        film,
        *(("models", name) for name in models),
        *(("methods", key) for key in methods),
        ("findings", finding),
    ]
    return f"compare?{urlencode(parameters)}"
