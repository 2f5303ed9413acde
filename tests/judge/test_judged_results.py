"""Stored results: read and checked, written compactly, and the criteria that rank as the twins do."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxrbench.errors import InputError
from cxrbench.workflows.judge_agreement import agreement_with_truth
from cxrbench.workflows.judge_summary import verdict
from cxrbench.workflows.judged_results import COLUMNS, read_judged, write_judged

KEYS = list(COLUMNS[:6])


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows: list[dict[str, Any]] = [
        {"model": model, "film": f"test/{film}.png", "patient": film, "method": method, "finding": "Edema"}
        | {"criterion": criterion, "value": rng.normal(), "best": math.nan}
        for model in ("b", "a")
        for film in range(30)
        for method in ("grad_cam", "random", "edges")
        for criterion in ("single_deletion", "hit")
    ]
    rows[5]["value"] = math.nan
    return pd.DataFrame(rows)


def parquet(table: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    table.to_parquet(file, index=False)
    return file.getvalue()


def test_names_are_categories_and_values_are_those_of_the_file(table: pd.DataFrame) -> None:
    read = read_judged(parquet(table.assign(other=1)), "mine.parquet")
    assert list(read.columns) == list(COLUMNS)
    assert {str(read[key].dtype) for key in KEYS} == {"category"}
    assert read["value"].to_numpy() == pytest.approx(table["value"].to_numpy(), nan_ok=True)
    assert read["patient"].astype(str).tolist() == table["patient"].astype(str).tolist()


def test_the_compact_file_is_smaller_and_holds_the_same_values(table: pd.DataFrame, tmp_path: Path) -> None:
    many = pd.concat([table.assign(finding=str(part)) for part in range(40)], ignore_index=True)
    many["value"] = np.random.default_rng(0).random(len(many))
    many.loc[7, "value"] = math.nan
    write_judged(tmp_path / "new" / "compact.parquet", many)
    assert (tmp_path / "new" / "compact.parquet").stat().st_size < len(parquet(many)) / 2
    read = read_judged(tmp_path / "new" / "compact.parquet", "compact.parquet").astype(
        dict.fromkeys(KEYS, str)
    )
    expected = many.astype(dict.fromkeys(KEYS, str))
    both = expected.merge(read, on=KEYS, validate="one_to_one")
    assert len(both) == len(many)
    np.testing.assert_allclose(both["value_y"], both["value_x"], rtol=1 / 2000)
    write_judged(tmp_path / "again.parquet", read)
    assert read_judged(tmp_path / "again.parquet", "").astype(dict.fromkeys(KEYS, str)).equals(read)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns=["finding", "best"]), "has no column finding, best"),
        (lambda t: t.assign(value="high"), "The column value of mine must hold numbers"),
        (lambda t: t[:0], "has 0 rows"),
        (lambda t: t.assign(method=None).astype({"method": "string"}), "360 rows without a method"),
    ],
)
def test_another_table_is_refused_with_what_is_wrong(
    table: pd.DataFrame, change: object, message: str
) -> None:
    assert callable(change)
    with pytest.raises(InputError, match=message):
        read_judged(parquet(change(table)), "mine")


@pytest.mark.parametrize("data", [b"", b"path,score\n1,2\n", b"PAR1" + bytes(40) + b"PAR1"])
def test_a_file_that_is_no_parquet_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"mine is no readable Parquet file .* open a judged.parquet"):
        read_judged(data, "mine")


@pytest.mark.parametrize(
    ("low", "high", "higher", "expected"),
    [
        (0.1, 0.2, True, "better"),
        (0.1, 0.2, False, "worse"),
        (-0.2, -0.1, True, "worse"),
        (-0.2, -0.1, False, "better"),
        (-0.1, 0.1, True, "open"),
        (0.0, 0.1, True, "open"),
        (0.1, 0.2, None, None),
        (math.nan, math.nan, True, None),
    ],
)
def test_a_method_is_better_only_where_the_interval_excludes_zero(
    low: float, high: float, higher: bool | None, expected: str | None
) -> None:
    assert verdict(low, high, higher_is_better=higher) == expected


def test_a_criterion_that_ranks_as_the_truth_has_tau_one_and_its_reverse_minus_one() -> None:
    rows = []
    for film in range(12):
        for rank, method in enumerate(("a", "b", "c", "d")):
            common = {"model": "m", "film": film, "patient": film, "method": method, "finding": "x"}
            values = {"single_deletion": rank, "hit": rank, "distractibility": rank, "sparseness": rank}
            rows += [common | {"criterion": name, "value": v, "best": 0.0} for name, v in values.items()]
    methods, found = agreement_with_truth(
        pd.DataFrame(rows), "single_deletion", ("distractibility", "hit", "sparseness")
    )
    assert methods == ("a", "b", "c", "d")
    # Distractibility is better where it is lower; sparseness has no direction.
    assert {name: float(each.tau.estimate) for name, each in found.items()} == {
        "hit": 1.0,
        "distractibility": -1.0,
    }
