from pathlib import Path

import pytest

from cxrbench.app.services import model_registry
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing


@pytest.fixture
def runs(small_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_models_loaded: None) -> Path:
    """A process that has just started, with an empty folder of runs; each look finds it rested."""
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_RUNS", str(tmp_path))
    monkeypatch.setenv("CXRBENCH_MODELS", str(tmp_path / "own"))
    return tmp_path


def leave(runs: Path, name: str, seed: int = 5) -> Path:
    """What a finished run leaves."""
    model = create("efficientnet_b0", ("Edema",), name=name, preprocessing=Preprocessing(size=64), seed=seed)
    folder = hub.save(model, runs / f"run of {name}" / "model", card="Trained just now.")
    return folder / "predictions.csv"


def test_a_model_is_added_as_soon_as_its_run_has_finished(runs: Path) -> None:
    assert set(model_registry.loaded().models) == {"small", "other"}
    predictions = leave(runs, "fresh")
    assert set(model_registry.loaded().models) == {"small", "other"}  # still being judged
    predictions.write_text("path\n")
    found = model_registry.loaded()
    assert set(found.models) == {"small", "other", "fresh"}
    assert "Trained just now" in found.cards["fresh"]
    assert model_registry.loaded() is found
    first = found.models["fresh"].revision
    leave(runs, "fresh", seed=6).write_text("path again\n")
    assert model_registry.loaded().models["fresh"].revision != first


def test_a_run_does_not_replace_a_shipped_model_and_a_damaged_model_is_reported(runs: Path) -> None:
    leave(runs, "small").write_text("path\n")
    shipped = model_registry.loaded().models["small"]
    assert shipped.spec.labels != ("Edema",)
    broken = leave(runs, "broken")
    broken.write_text("path\n")
    (broken.parent / "config.json").write_text("{}")
    assert any("config.json" in problem for problem in model_registry.loaded().problems)
    assert "broken" not in model_registry.loaded().models
