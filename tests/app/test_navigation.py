"""The navigation: every page of it has its script, and every script in pages/ draws its page."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app.navigation import PAGES, open_pages, page_file

SCRIPTS = Path(__file__).resolve().parents[2] / "pages"


def test_every_page_of_the_navigation_has_a_script() -> None:
    assert sorted(PAGES) == sorted(path.stem for path in SCRIPTS.glob("*.py"))
    assert all(page_file(name).is_file() for name in PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_script_in_pages_draws_its_page_alone(
    name: str, small_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_RUNS", str(tmp_path / "runs"))
    at = AppTest.from_file(str(SCRIPTS / f"{name}.py"), default_timeout=120).run()
    assert not at.exception
    assert len(at.main) > 0


def test_in_class_mode_there_is_no_training_and_no_upload(
    small_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_CLASS", "1")
    assert set(PAGES) - set(open_pages()) == {"data", "models", "train"}
    at = AppTest.from_file(str(SCRIPTS / "imbalance.py"), default_timeout=120).run()
    assert not at.exception
    assert not at.get("file_uploader")
    assert any("switched off in this class" in caption.value for caption in at.caption)
    monkeypatch.setenv("CXRBENCH_CLASS", "0")
    assert open_pages() == PAGES
