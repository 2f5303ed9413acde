import gzip
import io
import zipfile

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrbench.data import delimited
from cxrbench.data.delimited import parse, text_of
from cxrbench.errors import InputError

TEXT = "Path,Patient\na,00012\nb,1e5\n"


def refused(data: bytes) -> str:
    with pytest.raises(InputError) as caught:
        parse(text_of(data, "labels.csv"), "labels.csv")
    assert str(caught.value).startswith("labels.csv: ")
    return str(caught.value)


def test_every_cell_is_kept_as_text() -> None:
    table = parse("patient,age,empty\n00012,1.0,\n12,NA,\n1e5,007,\n100000,True,\n", "labels.csv")
    assert table["patient"].tolist() == ["00012", "12", "1e5", "100000"]
    assert table["age"].tolist() == ["1.0", "NA", "007", "True"]
    assert table["empty"].tolist() == [""] * 4


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_every_usual_separator_is_read(separator: str) -> None:
    expected = parse(TEXT, "labels.csv")
    pd.testing.assert_frame_equal(parse(TEXT.replace(",", separator), "labels.csv"), expected)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_byte_order_mark_is_not_part_of_a_name(encoding: str) -> None:
    table = parse(text_of("Päth,b\nä,1\n".encode(encoding), "labels.csv"), "labels.csv")
    assert table.columns.tolist() == ["Päth", "b"]
    assert table["Päth"].tolist() == ["ä"]


def test_packed_files_are_unpacked() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("labels.csv", TEXT)
    assert text_of(gzip.compress(TEXT.encode()), "x") == text_of(archive.getvalue(), "x") == TEXT


def test_line_ends_blank_lines_and_quotes_do_not_shift_rows() -> None:
    for end in ("\n", "\r\n", "\r"):
        text = end.join(["", "a,b", "", '"1, or 2","x ""y"" z"', "3,4"])
        table = parse(text, "labels.csv")
        assert table.to_numpy().tolist() == [["1, or 2", 'x "y" z'], ["3", "4"]]
    assert parse('a,b\n"two\nlines",1\n', "labels.csv")["a"].tolist() == ["two\nlines"]


def test_a_column_that_occurs_twice_is_refused_by_its_name() -> None:
    assert "'Edema' occurs 2 times" in refused(b"Path,Edema,Fracture, Edema \na,0,0,1\n")


def test_a_row_of_another_length_is_refused_with_its_line() -> None:
    sentence = refused(b"path,score Edema,Edema\n\na,0.9,1,\nb,0.2,0,\n")
    assert "line 3 has 4 entries, but the header names 3 columns (a comma too many" in sentence
    assert "needs quotes" in refused(b"a,b\n1,2\n1,2,3\n")
    assert "line 2 has 1 entries" in refused(b"a,b\n1\n")


def test_columns_without_a_name_are_left_out_and_may_be_missing_at_the_end() -> None:
    for row in ("1,x,2", "1,x,2,", "1,x,2,,"):
        assert parse(f"a,,b,,\n{row}\n", "labels.csv").to_dict("list") == {"a": ["1"], "b": ["2"]}


def test_only_the_requested_columns_are_read() -> None:
    assert parse("a,b,c\n1,2,3\n", "labels.csv", ["c", "a"]).to_dict("list") == {"c": ["3"], "a": ["1"]}
    with pytest.raises(InputError, match="expected the column 'd', got the columns a, b, c"):
        parse("a,b,c\n1,2,3\n", "labels.csv", ["d"])


def test_the_cause_is_named_for_files_that_are_not_csv(monkeypatch: pytest.MonkeyPatch) -> None:
    workbook = io.BytesIO()
    with zipfile.ZipFile(workbook, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
    assert "an Excel workbook" in refused(workbook.getvalue())
    assert "got a PNG picture" in refused(b"\x89PNG\r\n\x1a\n")
    assert "0xe9 in line 2" in refused("Path,b\nPaté,1\n".encode("latin-1"))
    assert "no text" in refused(b"a,b\n\0,1\n")
    assert "an empty file" in refused(b"")
    assert "an empty file" in refused(b"\xef\xbb\xbf \n\n")
    assert "at least one row" in refused(b"a,b\n\n")
    assert "without column names" in refused(b",,\n1,2,3\n")
    assert "line 3 is no CSV (a quotation mark is never closed)" in refused(b'a,b\n1,2\n3,"4\n')
    assert "packed file cannot be read" in refused(gzip.compress(b"a,b\n1,2\n")[:-9])
    monkeypatch.setattr(delimited, "MAX_BYTES", 1 << 20)
    assert "more than 1 MiB" in refused(gzip.compress(bytes(2 << 20)))


ENTRY = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8) | st.from_regex(
    r"0*\d{1,6}", fullmatch=True
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(ENTRY, ENTRY), min_size=1, max_size=8))
def test_written_tables_are_read_back_unchanged(rows: list[tuple[str, str]]) -> None:
    written = pd.DataFrame([["start", *row] for row in rows], columns=["first", "a", "b"], dtype="str")
    read = parse(text_of(written.to_csv(index=False).encode(), "x"), "x")
    assert read.to_numpy().tolist() == written.to_numpy().tolist()
