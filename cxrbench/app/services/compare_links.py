"""Addresses of films on the Compare page, relative to the address of any other page."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlencode

__all__ = ["LISTED", "MAX_LISTED", "case_list_parameters", "film_address"]

LISTED: Final = "list"  # query parameter of the Compare page: a film of its case list, in order
MAX_LISTED: Final = 30  # films of a case list


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


def case_list_parameters(films: Sequence[str], finding: str, models: Sequence[str]) -> list[tuple[str, str]]:
    """The query parameters of a case list on the Compare page.

    Args:
        films: ids of gallery cases or paths of films of the shipped models' data set, in order.
        finding: to show first.
        models: names; empty for the page's own choice.
    """
    return [
        *((LISTED, film) for film in films),
        *(("models", name) for name in models),
        ("findings", finding),
    ]
