"""Which maps are computed together, and in which order."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cxrbench.app.services import job_queue, map_jobs, model_registry, radiographs
from cxrbench.app.services.job_queue import Queue
from cxrbench.app.services.map_keys import joined, map_keys
from cxrbench.app.services.map_snapshot import Cell, FoundMaps
from cxrbench.app.services.model_registry import LoadedModels
from cxrbench.app.services.radiographs import Source
from cxrbench.app.services.result_cache import ResultCache
from cxrbench.compare import HeatMaps, Settings, notes
from cxrbench.compare.run import collect, compare
from cxrbench.models import Classifier
from cxrbench.preprocess import Preprocessing

FINDINGS = ("No Finding", "Cardiomegaly", "Pleural Effusion")
FEW = "integrated_gradients(steps=12)"


@pytest.fixture
def source() -> Source:
    image = np.random.default_rng(0).random((80, 70), np.float32)
    return Source("film", "", image, "sha of the film")


@pytest.fixture
def models(
    small_assets: Path, monkeypatch: pytest.MonkeyPatch, no_models_loaded: None
) -> Iterator[Mapping[str, Classifier]]:
    """The loaded models; the queue has one worker and an empty cache."""
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    monkeypatch.setenv("CXRBENCH_MODELS", str(small_assets / "own"))
    monkeypatch.setattr(job_queue, "_TIMEOUT", 60.0)
    monkeypatch.setattr(map_jobs, "RESULTS", ResultCache())
    monkeypatch.setattr(map_jobs, "QUEUE", Queue(1))
    yield model_registry.loaded().models
    finish()


def finish() -> None:
    for _ in range(600):
        if not map_jobs.QUEUE.busy():
            return
        time.sleep(0.05)
    raise AssertionError("the work never ended")


def order_of(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    """(methods, findings) of every computation, in the order in which they begin."""
    begun: list[tuple[str, tuple[str, ...]]] = []

    def watched(image: np.ndarray, settings: Settings, **options: Any) -> Iterator[Any]:
        begun.append((" ".join(settings.methods), tuple(options["findings"] or ())))
        return compare(image, settings, **options)

    monkeypatch.setattr("cxrbench.compare.run.compare", watched)
    return begun


def test_the_finding_in_view_is_computed_first_and_the_others_after_it(
    source: Source, models: Mapping[str, Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = order_of(monkeypatch)
    settings = Settings(("small",), ("grad_cam", FEW))
    first = map_jobs.gather(source, settings, {}, ["Pleural Effusion"])
    assert [(each.title, each.finding) for each in first.pending] == [
        ("Grad-CAM", ""),
        ("Integrated gradients (steps 12)", "Pleural Effusion"),
    ]
    assert len(first.later_keys) == first.later_total == 2
    finish()
    assert begun == [
        ("grad_cam", ()),
        (FEW, ("Pleural Effusion",)),
        (FEW, ("No Finding",)),
        (FEW, ("Cardiomegaly",)),
    ]
    last = map_jobs.gather(source, settings, {}, ["Cardiomegaly"])
    assert not last.jobs + last.later
    assert not last.pending
    assert last.comparison.heat_maps["small", FEW].labels == FINDINGS


def test_a_finding_that_is_selected_moves_to_the_front(
    source: Source, models: Mapping[str, Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate = order_of(monkeypatch), threading.Event()
    blocker = map_jobs.QUEUE.submit("held", lambda: iter_until(gate))
    while map_jobs.QUEUE.ahead(blocker):
        time.sleep(0.01)
    settings = Settings(("small",), (FEW,))
    map_jobs.gather(source, settings, {}, ["No Finding"])
    map_jobs.gather(source, settings, {}, ["Pleural Effusion"])
    gate.set()
    finish()
    assert [findings for _, findings in begun] == [("Pleural Effusion",), ("Cardiomegaly",), ("No Finding",)]


def iter_until(gate: threading.Event) -> Any:
    gate.wait(20)
    yield "opened", None


def test_maps_that_come_one_by_one_are_those_that_come_together(
    source: Source, models: Mapping[str, Classifier]
) -> None:
    torch.set_num_threads(1)  # as in the queue's thread: another number rounds otherwise
    settings = Settings(("small",), ("saliency", FEW))
    map_jobs.gather(source, settings, {}, ["Cardiomegaly"])
    finish()
    found = map_jobs.gather(source, settings, {}, ["Cardiomegaly"]).comparison
    together = collect(compare(source.image, settings, models=models), image=source.image, settings=settings)
    assert found.heat_maps.keys() == together.heat_maps.keys()
    for cell, heat in together.heat_maps.items():
        assert found.heat_maps[cell].labels == heat.labels == FINDINGS
        np.testing.assert_array_equal(found.heat_maps[cell].maps, heat.maps)
        np.testing.assert_array_equal(found.heat_maps[cell].completeness, heat.completeness)
        assert found.heat_maps[cell].progress == 1


def test_a_finding_that_is_not_computed_yet_is_said_to_be_so(
    source: Source, models: Mapping[str, Classifier]
) -> None:
    settings = Settings(("small",), (FEW,))
    heat = collect(
        compare(source.image, settings, models=models, findings=["Cardiomegaly"]),
        image=source.image,
        settings=settings,
    )
    assert heat.heat_maps["small", FEW].labels == ("Cardiomegaly",)
    assert notes(heat, "small", FEW, "No Finding") == ("not computed",)
    assert notes(heat, "small", FEW, "Gout") == ("not applicable: small has no output for Gout",)


def test_the_comparison_holds_finished_maps_and_the_drafts_that_are_shown() -> None:
    heat = HeatMaps("m", "ig", None, ("A",), np.ones((1, 2, 2), np.float32), Preprocessing(size=8), 1.0)
    found = FoundMaps({})
    for finding, progress in (("A", 1.0), ("B", 0.4), ("C", 0.2)):
        made = HeatMaps(**{**vars(heat), "labels": (finding,), "progress": progress})
        found.add(("m", "ig"), finding, made)
    assert found.together(["A"])["m", "ig"].labels == ("A",)
    assert found.together(["A"])["m", "ig"].progress == 1
    both = found.together(["B"])["m", "ig"]
    assert (both.labels, both.progress, both.seconds) == (("A", "B"), 0.4, 2.0)
    assert both.maps.shape == (2, 2, 2)
    assert found.of("C")["m", "ig"].labels == ("C",)
    assert joined({"A": heat}) is heat


def test_only_methods_that_are_dearer_with_every_finding_are_split(models: Mapping[str, Classifier]) -> None:
    def split(method: str) -> bool:
        settings = Settings(("small",), (method,))
        return len(map_keys("sha", [("small", method)], settings, models)) > 1

    apart = [name for name in ("saliency", "integrated_gradients", "smooth_grad") if split(name)]
    assert apart == ["saliency", "integrated_gradients", "smooth_grad"]
    assert not any(split(name) for name in ("grad_cam", "eigen_cam", "rise", "occlusion", "random", "edges"))


def test_where_one_findings_map_is_stored_the_others_are_computed_with_it(
    models: Mapping[str, Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stored = order_of(monkeypatch), radiographs.case("heart")
    settings = replace(stored.precomputed.settings, methods=("saliency", "eigen_cam"))  # type: ignore[union-attr]
    first = map_jobs.gather(stored, settings, {}, ["Cardiomegaly"])
    assert first.comparison.heat_maps["small", "saliency"].labels == ("Cardiomegaly",)
    assert {cell.origin for cell in first.cells.values()} == {"pre-computed"}
    assert not first.jobs + first.later
    both = ["Cardiomegaly", "Pleural Effusion"]
    waiting = map_jobs.gather(stored, settings, {}, both)
    assert [each.finding for each in waiting.pending] == both
    finish()
    last = map_jobs.gather(stored, settings, {}, both)
    assert {methods for methods, _ in begun} == {"saliency"}
    assert last.comparison.heat_maps["small", "saliency"].labels == FINDINGS
    assert last.cells["small", "saliency", "Cardiomegaly"].origin == "computed on demand"
    assert last.cells["small", "eigen_cam", "Cardiomegaly"].origin == "pre-computed"


def test_a_stored_map_is_shown_beside_what_a_missing_model_cannot_compute(
    models: Mapping[str, Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = radiographs.case("heart")
    monkeypatch.setattr(model_registry, "loaded", LoadedModels)
    settings = replace(stored.precomputed.settings, methods=("saliency",))  # type: ignore[union-attr]
    found = map_jobs.gather(stored, settings, {}, ["Cardiomegaly", "Pleural Effusion"])
    assert found.cells["small", "saliency", "Cardiomegaly"] == Cell("pre-computed")
    assert "not installed" in found.cells["small", "saliency", "Pleural Effusion"].note
    assert found.shown["Cardiomegaly"].heat_maps["small", "saliency"].map_of("Cardiomegaly") is not None


def test_what_another_job_has_computed_since_the_page_was_drawn_is_not_computed_again(
    source: Source, models: Mapping[str, Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, settings = order_of(monkeypatch), Settings(("small",), ("grad_cam", "layer_cam"))
    look_up, raced = map_jobs.RESULTS.heat_maps, list[int]()

    def late(key: Any) -> HeatMaps | None:
        """As if the maps came between the look-up and the job."""
        if threading.current_thread() is threading.main_thread() and not raced:
            raced.append(1)
            map_jobs.gather(source, settings, {}, ["Cardiomegaly"])
            finish()
            return None
        return look_up(key)

    monkeypatch.setattr(map_jobs.RESULTS, "heat_maps", late)
    map_jobs.gather(source, settings, {}, ["Cardiomegaly"])
    finish()
    assert begun == [("grad_cam layer_cam", ())]


def test_a_model_is_asked_for_its_scores_once(
    source: Source, models: Mapping[str, Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def watched(image: np.ndarray, settings: Settings, **options: Any) -> Iterator[Any]:
        asked.append(options["with_predictions"])
        return compare(image, settings, **options)

    monkeypatch.setattr("cxrbench.compare.run.compare", watched)
    map_jobs.gather(source, Settings(("small",), ("saliency",)), {}, ["Cardiomegaly"])
    finish()
    assert asked == [True, False, False]
