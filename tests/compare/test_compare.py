from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings, bundle, gallery, notes
from cxrbench.compare.run import collect, compare
from cxrbench.errors import InputError
from cxrbench.explain import METHODS, explain
from cxrbench.inference import predict
from cxrbench.models import Classifier, create

SHOWN = ("No Finding", "Cardiomegaly", "Pleural Effusion")


def settings_with(**changes: object) -> Settings:
    return Settings(**{"models": ("small",), "methods": ("grad_cam",), "steps": 4, **changes})  # type: ignore[arg-type]


def test_a_models_prediction_comes_first_then_its_maps_in_the_order_of_methods(
    model: Classifier, image: np.ndarray
) -> None:
    settings = settings_with(methods=("layer_cam", "integrated_gradients", "grad_cam"), steps=12)
    events = list(compare(image, settings, models={"small": model}))
    assert isinstance(events[0], Prediction)
    maps = [event for event in events[1:] if isinstance(event, HeatMaps)]
    assert list(dict.fromkeys(heat.method for heat in maps)) == list(settings.methods)
    drafts = [heat.progress for heat in maps if heat.method == "integrated_gradients"]
    assert len(drafts) > 1
    assert drafts == sorted(drafts)
    assert drafts[-1] == 1


def test_a_prediction_is_that_of_inference_without_unnamed_outputs(
    computed: Comparison, model: Classifier
) -> None:
    outputs = predict(model, computed.image)
    shown = [index for index, label in enumerate(model.spec.labels) if label]
    prediction = computed.predictions["small"]
    assert prediction.labels == SHOWN
    assert np.array_equal(prediction.logits, outputs.logits[0, shown])
    assert np.array_equal(prediction.scores, outputs.scores[0, shown])
    assert prediction.thresholds.tolist() == [0.5] * 3


@pytest.mark.parametrize("name", gallery.STORED_METHODS)
def test_maps_are_those_of_explain_for_every_named_label(
    name: str, computed: Comparison, model: Classifier
) -> None:
    images = model.spec.preprocessing(computed.image)[None]
    *_, alone = explain(model, images, list(model.spec.findings), [name], steps=6)
    heat = computed.heat_maps["small", name]
    assert heat.labels == SHOWN
    assert np.array_equal(heat.maps, alone.maps[0].numpy())
    assert heat.title == METHODS[name].title
    assert heat.signed == (METHODS[name].signed)


def test_a_stage_is_counted_from_the_last_on_every_model(model: Classifier, image: np.ndarray) -> None:
    models = {
        "small": model,
        "res": create("resnet50", model.spec.labels, name="res", preprocessing=model.spec.preprocessing),
    }
    settings = settings_with(models=("small", "res"), stage=1)
    found = collect(compare(image, settings, models=models), image=image, settings=settings)
    assert [found.heat_maps[name, "grad_cam"].stage for name in models] == ["blocks.4", "layer3"]


def test_a_stage_that_a_model_lacks_is_a_problem_of_that_cell_only(
    model: Classifier, image: np.ndarray
) -> None:
    settings = settings_with(methods=("grad_cam", "integrated_gradients"), stage=9)
    found = collect(compare(image, settings, models={"small": model}), image=image, settings=settings)
    problem = found.heat_maps["small", "grad_cam"].problem
    assert problem is not None
    assert "0 to 3" in problem
    assert notes(found, "small", "grad_cam", "Cardiomegaly") == (f"not applicable: {problem}",)
    assert found.heat_maps["small", "integrated_gradients"].problem is None


def test_maps_identical_by_construction_have_a_remark_at_the_last_stage_only(
    computed: Comparison, model: Classifier, image: np.ndarray
) -> None:
    same = ("grad_cam", "hires_cam", "xgrad_cam")
    for name in gallery.STORED_METHODS:
        remarks = " ".join(computed.heat_maps["small", name].remarks)
        assert ("Grad-CAM = HiResCAM = XGrad-CAM" in remarks) == (name in same)
    first = computed.heat_maps["small", "grad_cam"].maps
    for name in same:
        np.testing.assert_allclose(computed.heat_maps["small", name].maps, first, rtol=1e-4, atol=1e-9)
    settings = settings_with(methods=same, stage=1)
    earlier = collect(compare(image, settings, models={"small": model}), image=image, settings=settings)
    assert all(heat.remarks == () for heat in earlier.heat_maps.values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"models": ()}, "at least one model"),
        ({"methods": ()}, "at least one model"),
        ({"models": ("other",)}, "'other'"),
        ({"methods": ("magic",)}, "grad_cam"),
        ({"baseline": "pink"}, "black"),
        ({"steps": 0}, "steps"),
        ({"stage": -1}, "stage"),
    ],
)
def test_invalid_settings_are_refused_before_any_computation(
    changes: dict[str, object], message: str, model: Classifier, image: np.ndarray
) -> None:
    with pytest.raises(InputError, match=message):
        compare(image, settings_with(**changes), models={"small": model})


def test_closing_the_events_stops_integrated_gradients(model: Classifier, image: np.ndarray) -> None:
    calls = []
    events = compare(
        image, settings_with(methods=("integrated_gradients",), steps=200), models={"small": model}
    )
    assert isinstance(events, Generator)
    for event in events:
        calls.append(event)
        if isinstance(event, HeatMaps):
            events.close()
    assert len(calls) == 2
    assert isinstance(calls[1], HeatMaps)
    assert 0 < calls[1].progress < 1
    stopped = collect(
        calls, image=image, settings=settings_with(methods=("integrated_gradients",), steps=200)
    )
    texts = notes(stopped, "small", "integrated_gradients", "Cardiomegaly")
    assert any(note.startswith("unfinished") for note in texts)


def test_the_order_of_methods_is_kept_if_some_do_not_apply_or_occur_twice(
    model: Classifier, image: np.ndarray
) -> None:
    methods = ("integrated_gradients", "grad_cam", "integrated_gradients")
    settings = settings_with(methods=methods, stage=9)
    found = collect(compare(image, settings, models={"small": model}), image=image, settings=settings)
    assert list(found.heat_maps) == [("small", "integrated_gradients"), ("small", "grad_cam")]


@pytest.mark.slow
def test_threads_that_share_a_model_give_the_same_bits_as_one(model: Classifier, image: np.ndarray) -> None:
    settings = settings_with(methods=("grad_cam", "layer_cam", "integrated_gradients"))
    pictures = [np.roll(image, shift, axis=1) for shift in range(8)]

    def work(picture: np.ndarray) -> Comparison:
        return collect(compare(picture, settings, models={"small": model}), image=picture, settings=settings)

    threads = torch.get_num_threads()
    serial = [work(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        for one, other in zip(serial, pool.map(work, pictures), strict=True):
            for key, heat in one.heat_maps.items():
                assert np.array_equal(heat.maps, other.heat_maps[key].maps)
    assert torch.get_num_threads() == threads


def test_finer_cam_says_which_finding_it_compares_with(
    model: Classifier, image: np.ndarray, tmp_path: Path
) -> None:
    keys = ("finer_cam", "finer_cam(other=cardiomegaly)", "finer_cam(other=hernia)")
    settings = settings_with(methods=keys)
    found = collect(compare(image, settings, models={"small": model}), image=image, settings=settings)
    bundle.save(found, tmp_path / "file.zip")
    for each in (found, bundle.load(tmp_path / "file.zip")):
        closest, other, lacking = (each.heat_maps["small", key] for key in keys)
        for name, remark in zip(SHOWN, closest.finding_remarks, strict=True):
            assert remark.startswith("compared with ")
            assert remark.endswith(", whose weights are most alike")
            assert name not in remark
            assert remark in notes(each, "small", "finer_cam", name)
        assert other.title == "Finer-CAM (other cardiomegaly)"
        itself = "compared with itself: only the difference of the strengths is left"
        assert other.finding_remarks == ("", itself, "")
        assert lacking.problem == "other is hernia, and small has no such finding"
    (part,) = (
        heat
        for heat in compare(
            image, settings_with(methods=keys[:1]), models={"small": model}, findings=SHOWN[1:2]
        )
        if isinstance(heat, HeatMaps)
    )
    assert part.finding_remarks == found.heat_maps["small", "finer_cam"].finding_remarks[1:2]
