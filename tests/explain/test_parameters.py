"""Parameters of methods: read from text, written as text, refused with a sentence."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import torch

from cxrbench.errors import InputError
from cxrbench.explain import METHODS, Draft, Method, Passes, configured_method, explain, parameters_of
from cxrbench.explain.gradient import draft_of
from cxrbench.explain.parameters import number
from cxrbench.models import Classifier


@pytest.mark.parametrize(
    ("key", "canonical"),
    [
        ("grad_cam", "grad_cam"),
        ("grad_cam()", "grad_cam"),
        (" grad_cam( stage = 1 ) ", "grad_cam(stage=1)"),
        (
            "integrated_gradients(steps=20,baseline=blur)",
            "integrated_gradients(baseline=blur,steps=20)",
        ),
        ("integrated_gradients(steps=50)", "integrated_gradients(steps=50)"),
    ],
)
def test_a_method_is_written_with_the_parameters_that_it_states(key: str, canonical: str) -> None:
    assert configured_method(key).key == canonical
    assert configured_method(canonical).key == canonical


def test_parameters_in_the_key_take_precedence_over_shared_ones() -> None:
    shared = {"stage": 1, "baseline": "mean", "steps": 9}
    assert configured_method("integrated_gradients", **shared).parameters.steps == 9
    own = configured_method("integrated_gradients(steps=50)", **shared).parameters
    assert (own.baseline, own.steps) == ("mean", 50)
    assert configured_method("grad_cam", **shared).parameters.stage == 1


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("magic", "Unknown method 'magic'; choose from: grad_cam"),
        ("grad_cam(", "written as name or name"),
        ("grad_cam(steps=3)", "Grad-CAM has no parameter 'steps'; choose from: stage"),
        ("grad_cam(stage=ten)", "stage must be a whole number; got 'ten'"),
        ("grad_cam(stage=1.5)", "stage must be a whole number; got '1.5'"),
        ("grad_cam(stage=10)", "stage must lie between 0 and 9; got 10"),
        ("integrated_gradients(baseline=pink)", "Unknown baseline 'pink'; choose from: black, mean, blur"),
    ],
)
def test_an_invalid_key_is_refused_with_cause_and_remedy(key: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        configured_method(key)


@pytest.mark.parametrize("name", METHODS)
def test_every_parameter_has_a_default_in_its_range_and_a_sentence(name: str) -> None:
    for parameter in parameters_of(METHODS[name].parameters):
        assert parameter.read(parameter.default) == parameter.default
        assert parameter.read(str(parameter.default)) == parameter.default
        assert parameter.about.endswith(".")


def test_one_method_at_two_settings_stands_side_by_side(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    keys = ["grad_cam", "grad_cam(stage=1)", "integrated_gradients(steps=2)", "integrated_gradients(steps=3)"]
    final = {each.method: each for each in explain(model, image, [0], keys)}
    assert list(final) == keys
    alone = [next(iter(explain(model, image, [0], ["grad_cam"], stage=stage))) for stage in (0, 1)]
    for key, each in zip(keys, alone, strict=False):
        assert torch.equal(final[key].maps, each.maps)
        assert final[key].stage == each.stage
    assert not torch.equal(final[keys[2]].maps, final[keys[3]].maps)


@dataclass(frozen=True)
class FlatParameters:
    level: float = number(1.0, 0.0, 10.0, "The value of every pixel.")


def flat(passes: Passes, parameters: FlatParameters) -> Iterator[Draft]:
    yield draft_of(torch.full((len(passes.images), len(passes.findings), 2, 2), parameters.level))


def test_one_function_and_one_record_make_a_method(
    random_model: Callable[[str], Classifier], image: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Method(
        name="flat",
        title="Flat",
        family="control",
        compute=flat,
        reference="",
        cost="no pass of the network",
        supports=lambda model: None,
        caveat="For this test.",
        passes=lambda findings, parameters: 0.0,
        parameters=FlatParameters,
    )
    monkeypatch.setattr("cxrbench.explain.methods.METHODS", {**METHODS, "flat": record})
    keys = ["flat", "flat(level=2.5)", "grad_cam"]
    found = {each.method: each for each in explain(random_model("efficientnet_b0"), image, [0, 3], keys)}
    assert list(found) == keys
    assert found["flat"].maps.unique().tolist() == [1.0]
    assert found["flat(level=2.5)"].maps.unique().tolist() == [2.5]
    assert configured_method("flat(level=2.5)").title == "Flat (level 2.5)"
    assert record.price(14) == "fast"
    with pytest.raises(InputError, match="level must lie between 0 and 10; got 11"):
        configured_method("flat(level=11)")
