"""An inspection finds every kind of fault, goes on where it stopped, and reads only what is new."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cxrbench.data import Radiograph, read_image
from cxrbench.data.datasets import inspect, inspection, problems, read_data_set, read_report, recognise
from cxrbench.data.datasets.inspection import Report
from cxrbench.data.studies import Studies


@pytest.fixture
def splits(write_set: Callable[..., Path]) -> dict[str, Studies]:
    return read_data_set(recognise(write_set("nih")))


def test_a_data_set_without_faults_has_none(splits: dict[str, Studies], tmp_path: Path) -> None:
    report = inspect(splits, tmp_path / "known")
    assert report.complete
    assert report.faults == {}
    assert report.images == {"train": 2, "test": 1}
    assert (report.inspected, report.patients) == (3, 2)
    assert read_report(tmp_path / "known") == report


def test_every_kind_of_fault_is_counted_with_an_example(splits: dict[str, Studies], tmp_path: Path) -> None:
    first, second = splits["train"].paths
    shutil.copy(first, splits["test"].paths[0])
    second.write_bytes(b"no picture")
    both = {**splits, "valid": splits["train"].take([0])}
    report = inspect(both, tmp_path / "known")
    assert {name: issue.count for name, issue in report.faults.items()} == {
        "unreadable": 1,
        "duplicated": 1,
        "duplicated across splits": 1,
        "patients in more than one split": 1,
    }
    assert "00000001_001.png: expected a PNG" in report.unreadable.examples[0]
    assert "has the same bytes as" in report.duplicated.examples[0]
    assert report.leaking.examples == ("patient 1 has images in train and valid",)
    second.unlink()
    report = inspect(splits, tmp_path / "known")
    assert (report.missing.count, report.unreadable.count) == (1, 0)
    assert [problem.path for problem in problems(tmp_path / "known")] == [second]


def test_a_stopped_inspection_goes_on_and_reads_each_file_once(
    splits: dict[str, Studies], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counting(path: Path) -> Radiograph:
        read.append(path.name)
        return read_image(path)

    monkeypatch.setattr(inspection, "_BATCH", 1)
    monkeypatch.setattr(inspection, "read_image", counting)
    # Files this new could change again within a tick of the clock, so their times are not trusted.
    monkeypatch.setattr("cxrbench.data.reading._RECENT", 0)
    seen: list[tuple[int, int]] = []
    stopped = inspect(
        splits, tmp_path / "known", progress=lambda *at: seen.append(at), should_stop=lambda: len(seen) == 3
    )
    assert seen == [(0, 3), (1, 3), (2, 3)]
    assert (stopped.inspected, stopped.complete) == (2, False)
    assert inspect(splits, tmp_path / "known").complete
    assert sorted(read) == sorted(path.name for studies in splits.values() for path in studies.paths)
    splits["test"].paths[0].write_bytes(b"changed")
    assert inspect(splits, tmp_path / "known").unreadable.count == 1
    assert len(read) == 4


def test_a_damaged_database_is_made_anew(splits: dict[str, Studies], tmp_path: Path) -> None:
    (tmp_path / "known").write_bytes(b"no database" * 1000)
    assert read_report(tmp_path / "known") is None
    assert isinstance(inspect(splits, tmp_path / "known"), Report)
