"""What tests of the Compare page share."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.services import map_jobs
from cxrbench.app.services.result_cache import ResultCache

MAIN = Path(main.__file__)


@pytest.fixture
def workbench(small_assets: Path, monkeypatch: pytest.MonkeyPatch, no_models_loaded: None) -> AppTest:
    """The Compare page with small models and a small gallery; no map is computed yet."""
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_MODELS", str(small_assets / "own"))
    monkeypatch.setattr(map_jobs, "RESULTS", ResultCache())
    return AppTest.from_file(str(MAIN), default_timeout=60).switch_page(
        str(MAIN.parents[2] / "pages" / "compare.py")
    )
