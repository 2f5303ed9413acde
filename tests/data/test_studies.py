from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxrbench.data.studies import COLUMNS, Problem, Studies, check_files

Writer = Callable[..., bytes]


def studies_of(paths: list[Path]) -> Studies:
    count = len(paths)
    table = pd.DataFrame(
        {
            "path": [str(path) for path in paths],
            "patient": [f"patient{i}" for i in range(count)],
            "study": "",
            "view": ["frontal", "lateral"] * (count // 2) + ["frontal"] * (count % 2),
            "projection": "",
            "sex": "",
            "age": np.nan,
            "Edema": np.arange(count) % 2 * 1.0,
        }
    )
    return Studies(table, ("Edema",), "test")


def test_a_table_of_other_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="table must have the columns"):
        Studies(pd.DataFrame({"path": ["a"]}), ("Edema",), "test")
    assert COLUMNS[0] == "path"


def test_studies_are_taken_by_position_and_by_mask() -> None:
    studies = studies_of([Path(f"/{i}.png") for i in range(4)])
    by_position = studies.take([2, 0])
    assert [path.name for path in by_position.paths] == ["2.png", "0.png"]
    np.testing.assert_array_equal(by_position.targets, [[0], [0]])
    assert [path.name for path in studies.take(np.array([False, True, False, True])).paths] == [
        "1.png",
        "3.png",
    ]
    assert len(studies.take([])) == 0
    assert [path.name for path in studies.frontal().paths] == ["0.png", "2.png"]
    assert len(studies) == 4


def test_all_problems_come_at_once_in_the_tables_order(
    tmp_path: Path, write_image: Writer, film: np.ndarray
) -> None:
    good, empty, cut, text = (tmp_path / name for name in ("good.png", "empty.png", "cut.jpg", "text.png"))
    good.write_bytes(write_image(film))
    empty.touch()
    whole = write_image(film, "JPEG")
    cut.write_bytes(whole[: len(whole) // 2])
    text.write_text("no picture")
    missing = tmp_path / "missing.png"
    calls: list[tuple[int, int]] = []
    problems = check_files(
        studies_of([missing, good, cut, good, text, empty]),
        progress=lambda done, all_: calls.append((done, all_)),
    )
    assert [problem.path for problem in problems] == [missing, cut, text, empty]
    assert all(problem.reason.startswith(problem.path.name) for problem in problems)
    assert calls == [(done, 5) for done in range(1, 6)]  # the file that occurs twice is read once
    assert isinstance(problems[0], Problem)


def test_no_problem_is_an_empty_list(tmp_path: Path, write_image: Writer, film: np.ndarray) -> None:
    (tmp_path / "good.png").write_bytes(write_image(film))
    assert check_files(studies_of([tmp_path / "good.png"])) == []
