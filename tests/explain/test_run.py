"""Several methods in one call, and arguments that are refused before the first map."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from cxrbench.errors import InputError
from cxrbench.explain import METHODS, explain, identical_by_construction, integrated_gradients, stage_name
from cxrbench.explain.fast_copy import fast_copy
from cxrbench.models import Classifier


@pytest.fixture
def small(chain: Callable[..., Any]) -> Any:
    torch.manual_seed(0)
    layers = {"conv": nn.Conv2d(1, 3, 3), "act": nn.GELU(), "flat": nn.Flatten(), "fc": nn.Linear(12, 3)}
    return chain("act", labels=3, **layers), torch.randn(1, 1, 4, 4)


def test_explanations_follow_the_order_of_methods_each_with_its_stage(small: Any) -> None:
    model, images = small
    found = list(explain(model, images, [0, 2], ["layer_cam", "grad_cam"], stage=1))
    assert [(each.method, each.stage) for each in found] == [("layer_cam", "conv"), ("grad_cam", "conv")]
    assert all(each.maps.shape == (1, 2, 2, 2) and each.relevance.shape == (1, 2, 4, 4) for each in found)
    assert all(each.seconds > 0 and each.progress == 1 for each in found)
    assert all(torch.isnan(each.completeness).all() for each in found)


def test_drafts_precede_the_final_map_which_equals_that_of_the_method_alone(small: Any) -> None:
    model, images = small
    found = list(explain(model, images, [1], ["grad_cam", "integrated_gradients"], steps=30, baseline="mean"))
    drafts = [each for each in found if each.method == "integrated_gradients"]
    assert drafts[0].progress < 1 == drafts[-1].progress
    assert drafts[0].stage is None
    assert [each.seconds for each in drafts] == sorted(each.seconds for each in drafts)
    copy = fast_copy(model, images.shape[1:])
    *_, alone = integrated_gradients(copy, images, [1], steps=30, baseline="mean")
    assert torch.equal(drafts[-1].maps, alone.maps)
    assert torch.equal(drafts[-1].completeness, alone.completeness)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"methods": ["gradcam"]}, "Unknown method 'gradcam'.*grad_cam"),
        ({"findings": [14]}, "between 0 and 13.*got 14"),
        ({"stage": "layer9"}, "layer9"),
        ({"baseline": "white"}, "Unknown baseline 'white'"),
        ({"steps": 0}, "steps must be at least 1"),
    ],
)
def test_invalid_arguments_are_refused_before_anything_is_computed(
    random_model: Callable[[str], Classifier], image: torch.Tensor, arguments: dict[str, Any], message: str
) -> None:
    arguments = {"findings": [0], "methods": list(METHODS), **arguments}
    with pytest.raises(InputError, match=message):
        explain(random_model("efficientnet_b0"), image, **arguments)


def test_methods_that_coincide_at_the_last_stage_of_a_pooled_network_are_named(
    random_model: Callable[[str], Classifier],
) -> None:
    pooled, tokens = random_model("efficientnet_b0"), random_model("vit_tiny")
    same = ("grad_cam", "hires_cam", "xgrad_cam", "cam")
    assert identical_by_construction(pooled, None, list(METHODS)) == (same,)
    assert identical_by_construction(pooled, 0, ["xgrad_cam", "layer_cam", "grad_cam"]) == (
        ("xgrad_cam", "grad_cam"),
    )
    assert identical_by_construction(pooled, 1, list(METHODS)) == ()
    assert identical_by_construction(pooled, None, ["grad_cam", "layer_cam"]) == ()
    assert identical_by_construction(tokens, None, list(METHODS)) == ()


def test_exactly_the_methods_named_identical_give_the_same_map(
    random_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
) -> None:
    model = random_model("efficientnet_b0")
    sharing = {name: record for name, record in METHODS.items() if record.shares_passes}
    cams = [name for name, record in sharing.items() if record.reads_stage or record.same_when_pooled]
    maps = {each.method: each.maps for each in explain(model, image, [0, 3], cams)}
    (group,) = identical_by_construction(model, stage_name(model), cams)
    for name, map_ in maps.items():
        assert (relative(map_, maps["grad_cam"]) <= 2e-6) == (name in group)
