from pathlib import Path

import pytest

from cxrbench.errors import InputError
from cxrbench.writing import OwnFolder


def test_own_files_are_overwritten_and_those_of_others_refused(tmp_path: Path) -> None:
    own = OwnFolder(tmp_path / "out")
    own.check(["a.txt", "deep/b.csv"])
    for text in ("one", "two"):
        own.write_text("a.txt", text)
        with own.open_text("deep/b.csv") as stream:
            stream.write(text)
        OwnFolder(tmp_path / "out").check(["a.txt", "deep/b.csv"])
    assert (own.folder / "deep" / "b.csv").read_text() == "two"
    (own.folder / "a.txt").write_text("two, and a note of mine")
    with pytest.raises(InputError, match=r"a\.txt exists already and may hold something of yours"):
        own.check(["a.txt", "deep/b.csv"])
    own.check(["a.txt"], force=True)
    (own.folder / "c.txt").write_text("mine")
    with pytest.raises(InputError, match="--force"):
        own.check(["c.txt"])


def test_after_an_interruption_the_file_is_still_known(tmp_path: Path) -> None:
    own = OwnFolder(tmp_path)
    own.write_text("a.txt", "one")
    with pytest.raises(KeyboardInterrupt), own.open_text("a.txt"):
        raise KeyboardInterrupt
    own.check(["a.txt"])
    assert (tmp_path / "a.txt").read_text() == "one"


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"a.txt": 3}'])
def test_a_damaged_list_claims_nothing(tmp_path: Path, damage: str) -> None:
    own = OwnFolder(tmp_path)
    own.write_text("a.txt", "one")
    (tmp_path / "written.json").write_text(damage)
    with pytest.raises(InputError, match=r"a\.txt"):
        own.check(["a.txt"])
