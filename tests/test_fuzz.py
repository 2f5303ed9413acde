"""A sample of what ``python -m benchmarks.fuzz`` does by hand with thousands of files."""

import pytest

from benchmarks.damage import damaged
from benchmarks.fuzz import READERS, outcome
from benchmarks.whole_files import WHOLE


@pytest.mark.parametrize("kind", READERS)
def test_whole_files_are_read(kind: str) -> None:
    for whole in WHOLE[kind]():
        READERS[kind](whole)


@pytest.mark.parametrize("kind", READERS)
def test_damaged_files_give_a_value_or_one_sentence_soon(kind: str) -> None:
    found = [outcome(kind, number) for number in range(40)]
    assert not [one for one in found if one.fault]
    assert {one.what for one in found} == {"read", "refused"}


def test_a_damaged_file_is_made_again_by_its_number() -> None:
    assert damaged("PNG", 7) == damaged("PNG", 7) != damaged("PNG", 8)
