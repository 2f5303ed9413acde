"""The package as a whole: a phantom data set goes through every reader."""

from pathlib import Path

import pytest

from cxrbench.data import check_files, phantom, read_chexpert, read_image, split
from cxrbench.labels import CHEXPERT
from cxrbench.targets import POLICIES


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("phantom")
    phantom.write(out, patients=12, seed=0, size=64, workers=1)
    return out


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_a_phantom_tree_is_read_as_chexpert(tree: Path, part: str) -> None:
    studies = read_chexpert(tree / f"{part}.csv")
    assert studies.labels == CHEXPERT
    assert check_files(studies) == []
    assert read_image(studies.paths[0]).size == (64, 64)
    assert set(studies.table["view"]) <= {"frontal", "lateral"}


def test_its_studies_are_split_and_get_targets(tree: Path) -> None:
    studies = read_chexpert(tree / "train.csv")
    fit, held_out = split(studies, (0.5, 0.5), seed=0)
    assert not set(studies.take(fit).table["patient"]) & set(studies.take(held_out).table["patient"])
    targets = POLICIES["ignore"](studies.targets, studies.labels, blank="zero")
    assert targets.shape == (len(studies), len(CHEXPERT))
