"""The label tables that Imbalance can open, by key and title; links name a table by its title."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from cxrbench.data import datasets
from cxrbench.data.datasets import OwnDataSet
from cxrbench.data.published import PUBLISHED

__all__ = ["LABEL_TABLES", "OWN", "PHANTOMS", "label_tables", "own_title"]

PHANTOMS: Final = 3000  # simulated patients in the phantom's table
OWN: Final = "own-"  # before the name of a data set of the user's

LABEL_TABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: entry.summary for name, entry in PUBLISHED.items()},
        "phantom": f"{PHANTOMS:,} phantom patients",
    }
)


def label_tables() -> dict[str, str]:
    """Key → title of every table: the published ones and the phantom's, then the user's data sets."""
    return {**LABEL_TABLES, **{f"{OWN}{entry.name}": own_title(entry) for entry in datasets.scan()}}


def own_title(entry: OwnDataSet) -> str:
    """Title of the tables of one of the user's data sets."""
    return f"{entry.name}: {datasets.FORMS[entry.form].title}"
