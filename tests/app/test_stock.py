import pytest

from cxrbench.app import stock
from cxrbench.models import create, hub
from cxrbench.preprocess import Preprocessing


@pytest.fixture
def bench(small_assets, tmp_path, monkeypatch):
    """A process that has just started, with an empty folder of runs; each look finds it rested."""
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_RUNS", str(tmp_path))
    monkeypatch.delenv("CXRBENCH_MODELS", raising=False)
    for name, value in {"_found": [], "_failed": [], "_done": stock.threading.Event(), "_seen": {}}.items():
        monkeypatch.setattr(stock, name, value)
    monkeypatch.setattr(stock, "_started", False)
    monkeypatch.setattr(stock, "_PAUSE", 0.0)
    return tmp_path


def leave(runs, name, seed=5):
    """What a finished run leaves."""
    model = create("efficientnet_b0", ("Edema",), name=name, preprocessing=Preprocessing(size=64), seed=seed)
    folder = hub.save(model, runs / f"run of {name}" / "model", card="Trained just now.")
    return folder / "predictions.csv"


def test_a_model_joins_the_bench_as_soon_as_its_run_has_ended(bench):
    assert set(stock.stock().models) == {"small", "other"}
    predictions = leave(bench, "fresh")
    assert set(stock.stock().models) == {"small", "other"}  # still being judged
    predictions.write_text("path\n")
    found = stock.stock()
    assert set(found.models) == {"small", "other", "fresh"}
    assert "Trained just now" in found.cards["fresh"]
    assert stock.stock() is found
    first = found.models["fresh"].revision
    leave(bench, "fresh", seed=6).write_text("path again\n")
    assert stock.stock().models["fresh"].revision != first


def test_a_shipped_name_stays_the_shipped_model_and_damage_is_said(bench):
    leave(bench, "small").write_text("path\n")
    shipped = stock.stock().models["small"]
    assert shipped.spec.labels != ("Edema",)
    broken = leave(bench, "broken")
    broken.write_text("path\n")
    (broken.parent / "config.json").write_text("{}")
    assert any("config.json" in problem for problem in stock.stock().problems)
    assert "broken" not in stock.stock().models
