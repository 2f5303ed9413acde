from dataclasses import replace
from typing import Any

import pytest

from cxrbench.errors import InputError
from cxrbench.models import ModelSpec
from cxrbench.preprocess import Preprocessing

GOOD = ModelSpec("a-model_1", "resnet50", ("Edema", "", "Mass"), Preprocessing(), (0.1, 0.5, 0.9), "A model")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "-x", "a b", "é", "a" * 81, "a\n", None, 7])
def test_a_name_that_is_no_file_name_is_refused(name: Any) -> None:
    with pytest.raises(InputError, match="name must be"):
        replace(GOOD, name=name)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"architecture": "resnet9000"}, "Unknown architecture"),
        ({"labels": ("Edema", "Mass")}, "2 labels, but 3 thresholds"),
        ({"labels": ("", "", "")}, "at least one named label"),
        ({"labels": ["Edema", "", "Mass"]}, "in a tuple"),
        ({"labels": ("Edema", "", "edema")}, "same finding"),
        ({"labels": ("Effusion", "", "Pleural Effusion")}, "same finding"),
        ({"labels": ("Edema", "", "Ma\nss")}, "printable"),
        ({"labels": ("Edema", "", 3)}, "printable"),
        ({"labels": tuple(map(str, range(1001)))}, "at most 1000 labels"),
        ({"thresholds": (0.0, 0.5, 0.5)}, "'Edema' must lie in"),
        ({"thresholds": (0.5, 0.5, 1.0)}, "'Mass' must lie in"),
        ({"thresholds": (float("nan"), 0.5, 0.5)}, "'Edema' must lie in"),
        ({"thresholds": ("0.5", 0.5, 0.5)}, "'Edema' must lie in"),
        ({"title": "x" * 201}, "title"),
        ({"title": None}, "title"),
        ({"preprocessing": None}, "Preprocessing"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        replace(GOOD, **change)


def test_a_spec_survives_json_and_shows_its_trained_outputs_only() -> None:
    assert ModelSpec.from_dict(GOOD.as_dict()) == GOOD
    assert GOOD.findings == (0, 2)


@pytest.mark.parametrize("field", ["name", "title", "architecture", "labels", "thresholds", "preprocessing"])
@pytest.mark.parametrize("value", [None, 7, "missing"])
def test_a_field_that_is_missing_or_of_the_wrong_type_is_named(field: str, value: object) -> None:
    values = {**GOOD.as_dict(), field: value}
    if value == "missing":
        del values[field]
    with pytest.raises(InputError, match=f"'{field}' must be a"):
        ModelSpec.from_dict(values)
