import pytest

from cxrbench.data.json_lines import is_json, parse
from cxrbench.errors import InputError


def test_objects_become_rows_and_numbers_stay_as_they_are_written() -> None:
    lines = (
        '{"path": "a", "Edema": 1.0, "patient": 1e5}\n\n{"path": "b", "Fracture": null, "patient": 100000}\n'
    )
    table = parse(lines, "labels.json")
    assert table.to_dict("list") == {
        "path": ["a", "b"],
        "Edema": ["1.0", ""],
        "patient": ["1e5", "100000"],
        "Fracture": ["", ""],
    }
    assert parse('[{"path": "a"},\n {"path": "b"}]', "labels.json", ["path"])["path"].tolist() == ["a", "b"]
    assert is_json(lines)
    assert not is_json("Path,Edema\n")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('{"path": "a"}\n{"path": \n', "something else in line 2"),
        ('{"Edema": 1, "Edema": 0}', "'Edema' occurs twice"),
        ('{"Edema": [1]}', r"a label or a text for each key, got \['1'\]"),
        ("[1, 2]", "JSON objects"),
        ("[]", "at least one"),
        ("[" * 100_000, "something else in line 1"),
    ],
)
def test_other_json_is_refused(text: str, cause: str) -> None:
    with pytest.raises(InputError, match=f"labels.json: .*{cause}"):
        parse(text, "labels.json")


def test_a_requested_key_must_be_present() -> None:
    with pytest.raises(InputError, match="expected the key 'Path', got the keys path"):
        parse('{"path": "a"}', "labels.json", ["Path"])
