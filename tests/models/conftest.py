from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from huggingface_hub import constants

from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing

LABELS = ("Cardiomegaly", "Edema", "Pleural Effusion")


@pytest.fixture(scope="session")
def classifier() -> Callable[[str], Classifier]:
    """One random classifier per architecture, for small images, shared: nothing may change it."""
    return cache(lambda name: create(name, LABELS, preprocessing=Preprocessing(size=128), seed=1))


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty Hub cache and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture
def place(hub_cache: Path) -> Callable[..., Path]:
    """Lay a file into the Hub cache, as a download would."""

    def put(repository: str, filename: str, source: Path, *, revision: str = "0" * 40) -> Path:
        root = hub_cache / f"models--{repository.replace('/', '--')}"
        path = root / "snapshots" / revision / filename
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes())
        (root / "refs").mkdir(exist_ok=True)
        (root / "refs" / "main").write_text(revision)
        return path

    return put
