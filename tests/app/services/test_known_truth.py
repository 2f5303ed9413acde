"""The true effects of a phantom's findings: stored ones are read, others computed in the queue."""

import time
from collections.abc import Iterator
from dataclasses import replace
from math import isnan
from pathlib import Path

import pytest

from cxrbench.app.services import map_jobs, model_registry, phantoms
from cxrbench.app.services.job_queue import Queue
from cxrbench.app.services.known_truth import add_known_truth
from cxrbench.app.services.map_snapshot import Snapshot
from cxrbench.app.services.phantom_settings import PhantomSettings
from cxrbench.app.services.radiographs import Source
from cxrbench.app.services.result_cache import ResultCache
from cxrbench.compare import Comparison, Settings
from cxrbench.compare.run import prediction
from cxrbench.models import Classifier

FINDING = "Cardiomegaly"


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    monkeypatch.setattr(phantoms, "SIZE", 96)
    phantoms.simulate.cache_clear()
    yield phantoms.radiograph(PhantomSettings(seed=7, findings=((FINDING, 0.6),)))
    phantoms.simulate.cache_clear()


@pytest.fixture
def small(small_assets: Path, monkeypatch: pytest.MonkeyPatch, no_models_loaded: None) -> Classifier:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_MODELS", str(small_assets / "own"))
    monkeypatch.setattr(map_jobs, "RESULTS", ResultCache())
    monkeypatch.setattr(map_jobs, "QUEUE", Queue(1))
    return model_registry.loaded().models["small"]


def snapshot_of(source: Source, model: Classifier) -> Snapshot:
    scored = {"small": prediction("small", model, source.image)}
    settings = Settings(("small",), ("grad_cam",))
    return Snapshot(Comparison(source.image, source.sha256, settings, scored, {}), {}, {})


def test_an_effect_is_computed_once_and_is_the_change_of_the_logit(source: Source, small: Classifier) -> None:
    snapshot = snapshot_of(source, small)
    followed, known = add_known_truth(snapshot, source, (FINDING, "Pleural Effusion"))
    assert len(followed.jobs) == len(followed.state) == 1
    assert isnan(known.effects["small", FINDING])
    for _ in range(600):
        if not map_jobs.QUEUE.busy():
            break
        time.sleep(0.05)
    followed, known = add_known_truth(snapshot, source, (FINDING,))
    assert followed.jobs == ()
    assert source.twins is not None
    after = prediction("small", small, source.twins[FINDING])
    before = snapshot.comparison.predictions["small"]
    index = before.labels.index(FINDING)
    assert known.effects["small", FINDING] == pytest.approx(before.logits[index] - after.logits[index])


def test_a_stored_effect_needs_no_job(source: Source, small: Classifier) -> None:
    stored = replace(source, effects={"small": {FINDING: 2.5}})
    followed, known = add_known_truth(snapshot_of(source, small), stored, (FINDING,))
    assert followed.jobs == ()
    assert known.effects == {("small", FINDING): 2.5}


def test_of_a_film_that_is_no_phantom_nothing_is_known(source: Source, small: Classifier) -> None:
    snapshot = snapshot_of(source, small)
    followed, known = add_known_truth(snapshot, replace(source, twins=None), (FINDING,))
    assert followed is snapshot
    assert not known.priors
    assert not known.effects
