"""``CRITERIA``: the table of criteria."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from cxrbench.errors import look_up
from cxrbench.judge.faithfulness_records import FAITHFULNESS
from cxrbench.judge.interventional_records import INTERVENTIONAL
from cxrbench.judge.localisation_records import LOCALISATION
from cxrbench.judge.protocol import Criterion
from cxrbench.judge.sanity_records import SANITY, SHORTCUTS

__all__ = ["CRITERIA", "criterion"]


def _by_name(*families: Iterable[Criterion]) -> Mapping[str, Criterion]:
    return MappingProxyType({record.name: record for family in families for record in family})


CRITERIA: Final = _by_name(INTERVENTIONAL, LOCALISATION, SHORTCUTS, FAITHFULNESS, SANITY)


def criterion(name: str) -> Criterion:
    """The record of a criterion.

    Raises:
        InputError: an unknown name; the message lists the known ones.
    """
    return look_up("criterion", name, CRITERIA)
