"""What is remembered of data sets: names, changes, removal; nothing of the user's is touched."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cxrbench.data.datasets import add, check, find, find_folder, remove, scan
from cxrbench.errors import InputError


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CXRBENCH_DATA", str(tmp_path / "own"))
    return tmp_path / "own"


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_data_set_is_added_checked_and_removed_without_a_change_to_its_folder(
    write_set: Callable[..., Path], own: Path
) -> None:
    folder = write_set("nih")
    before = contents(folder)
    entry = add(folder)
    assert (entry.name, entry.form, entry.report, entry.change()) == ("nih", "nih", None, "")
    _, report = check(entry)
    assert report.complete
    assert find("nih").report == report
    assert [each.name for each in scan()] == ["nih"]
    remove("nih")
    assert scan() == []
    assert list(own.iterdir()) == []
    assert contents(folder) == before


def test_a_second_folder_of_the_same_kind_gets_a_number(write_set: Callable[..., Path]) -> None:
    add(write_set("nih", "one"))
    assert add(write_set("nih", "two")).name == "nih-2"


def test_a_folder_that_is_known_keeps_its_name(write_set: Callable[..., Path]) -> None:
    folder = write_set("nih")
    added = add(folder, "mine").added
    assert (add(folder).name, add(folder).added) == ("mine", added)
    with pytest.raises(InputError, match="is the data set mine already"):
        add(folder, "other")


@pytest.mark.parametrize("name", ["", "../x", "A", "a b", "-a", "a" * 65])
def test_names_that_are_no_folder_names_everywhere_are_refused(
    name: str, write_set: Callable[..., Path]
) -> None:
    with pytest.raises(InputError, match="Expected a name"):
        add(write_set("nih"), name)


def test_a_name_of_another_data_set_is_refused(write_set: Callable[..., Path]) -> None:
    add(write_set("nih", "one"), "mine")
    with pytest.raises(InputError, match="The name mine belongs to the data set in"):
        add(write_set("rsna", "two"), "mine")


def test_a_folder_that_changed_or_is_gone_is_said(write_set: Callable[..., Path]) -> None:
    folder = write_set("nih")
    entry = add(folder)
    table = folder / "Data_Entry_2017_v2020.csv"
    table.write_text(table.read_text() + "00000003_000.png,Mass,0,3,50,M,PA\n")
    assert "Data_Entry_2017_v2020.csv in" in find("nih").change()
    assert check(entry)[1].missing.count == 1
    assert find("nih").change() == ""
    folder.rename(folder.with_name("elsewhere"))
    assert "is gone" in find("nih").change()
    for use in (lambda: check(find("nih")), lambda: find_folder("nih")):
        with pytest.raises(InputError, match="is gone; bring it back"):
            use()
    remove("nih")


def test_a_name_or_a_folder_is_found(
    write_set: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_set("nih")
    add(folder, "films")
    monkeypatch.chdir(tmp_path)  # the folder "films" is the data set's own
    assert find_folder("films") == (folder, "nih")
    assert find_folder(str(folder)) == (folder, None)
    (tmp_path / "below" / "films").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "below")
    with pytest.raises(InputError, match=r"is a folder here and the name"):
        find_folder("films")
    with pytest.raises(InputError, match=r"neither a folder nor the name of a data set \(films\)"):
        find_folder("nothing")


def test_an_unknown_name_lists_the_known_ones(write_set: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="none was added yet"):
        find("x")
    add(write_set("nih"))
    with pytest.raises(InputError, match="choose from: nih"):
        find("x")


def test_what_else_lies_in_the_folder_of_what_is_remembered_stays(
    write_set: Callable[..., Path], own: Path
) -> None:
    add(write_set("nih"))
    (own / "nih" / "notes.txt").write_text("mine")
    remove("nih")
    assert [path.name for path in (own / "nih").iterdir()] == ["notes.txt"]
    assert scan() == []


def test_a_damaged_record_counts_as_none(write_set: Callable[..., Path], own: Path) -> None:
    add(write_set("nih"))
    (own / "nih" / "data_set.json").write_text("{")
    assert scan() == []
    assert add(write_set("nih")).name == "nih"


def test_a_data_set_whose_table_cannot_be_read_is_not_remembered(write_set: Callable[..., Path]) -> None:
    folder = write_set("nih")
    table = folder / "Data_Entry_2017_v2020.csv"
    table.write_text(table.read_text().replace("Effusion", "Sunburn"))
    with pytest.raises(InputError, match="got 'Sunburn'"):
        add(folder)
    assert scan() == []
