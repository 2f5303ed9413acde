"""The copy of a model that explanations run on computes what the model computes, and follows its changes."""

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import Tensor

from cxrbench.explain.cam import gradients_at, trunk_features
from cxrbench.explain.fast_copy import fast_copy
from cxrbench.labels import CHEXPERT
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing

SIZE = 64
CNNS = ("densenet121", "efficientnet_b0", "inception_v3")


def settled(name: str, size: int = SIZE) -> Classifier:
    """A network in double precision whose batch norms have statistics other than 0 and 1."""
    torch.manual_seed(0)
    model = create(name, CHEXPERT, preprocessing=Preprocessing(size=size)).eval().double()
    model.requires_grad_(False)
    for path, values in model.named_buffers():
        if path.endswith("running_mean"):
            values.normal_(0, 0.1)
        elif path.endswith("running_var"):
            values.uniform_(0.5, 1.5)
    return model


def image(size: int = SIZE, seed: int = 0) -> Tensor:
    return torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(seed)).double()


def copy_of(model: Classifier) -> Classifier:
    return fast_copy(model, (1, *model.spec.preprocessing.input_shape))


def batch_norms(model: Classifier) -> int:
    return sum(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())


@pytest.mark.parametrize("name", CNNS)
def test_batch_norms_behind_convolutions_are_left_out_and_nothing_else_changes(name: str) -> None:
    model = settled(name, 96)
    before = batch_norms(model)
    copy = copy_of(model)
    # In a DenseNet every second batch norm reads a concatenation, which no convolution wrote.
    assert batch_norms(copy) == {"densenet121": 62}.get(name, 0) < before == batch_norms(model)
    for stage in (model.stages[0], model.stages[-1]):
        ours, expected = (
            gradients_at(net, trunk_features(net, image(96), stage), [0, 5]) for net in (copy, model)
        )
        for one, other in zip(ours, expected, strict=True):
            assert torch.allclose(one, other, rtol=1e-9, atol=1e-12 + 1e-9 * float(other.abs().max()))
    assert torch.allclose(copy(image(96)), model(image(96)), rtol=1e-10)


@pytest.mark.parametrize("stage", [0, -1])
def test_a_transformer_computes_only_the_class_token_in_its_last_block(stage: int) -> None:
    model = settled("vit_tiny", 32)
    copy = copy_of(model)
    assert copy is not model
    name = model.stages[stage]
    ours, expected = (gradients_at(net, trunk_features(net, image(32), name), [3]) for net in (copy, model))
    assert torch.allclose(ours[0], expected[0])
    assert torch.allclose(ours[1], expected[1], rtol=1e-9, atol=1e-12)
    assert torch.allclose(copy(image(32)), model(image(32)), rtol=1e-10)


def test_a_changed_weight_or_statistic_is_followed() -> None:
    model = settled("efficientnet_b0")
    first = copy_of(model)
    assert copy_of(model) is first
    with torch.no_grad():
        next(model.parameters()).mul_(1.5)
    second = copy_of(model)
    assert second is not first
    assert torch.allclose(second(image()), model(image()))
    next(values for path, values in model.named_buffers() if path.endswith("running_var")).fill_(2)
    assert torch.allclose(copy_of(model)(image()), model(image()))
    model.load_state_dict(settled("efficientnet_b0").state_dict())
    assert torch.allclose(copy_of(model)(image()), model(image()))


def test_a_convolution_that_is_called_twice_keeps_its_batch_norm() -> None:
    model = settled("efficientnet_b0")
    backbone: Any = model.backbone
    backbone.conv_head = torch.nn.Sequential(backbone.conv_head, torch.nn.Identity())
    norms = batch_norms(model)
    shared = backbone.blocks[1][1]
    backbone.blocks[1] = torch.nn.Sequential(backbone.blocks[1][0], shared, shared)
    copy = copy_of(model)
    assert torch.allclose(copy(image()), model(image()), rtol=1e-9)
    assert 0 < batch_norms(copy) < norms


def test_a_model_is_not_changed_and_not_kept_alive() -> None:
    model = settled("efficientnet_b0")
    state = {name: values.clone() for name, values in model.state_dict().items()}
    flags = [parameter.requires_grad for parameter in model.parameters()]
    random = torch.get_rng_state()
    copy = copy_of(model)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(values, state[name]) for name, values in model.state_dict().items())
    assert [parameter.requires_grad for parameter in model.parameters()] == flags
    assert not any(module.training for module in copy.modules())
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
