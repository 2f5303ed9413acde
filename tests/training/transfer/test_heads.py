import copy

import pytest
import torch
from torch import nn

from cxrbench.errors import InputError
from cxrbench.models import ARCHITECTURES, create
from cxrbench.preprocess import Preprocessing
from cxrbench.training.transfer.heads import ThreeClass, fold, last_layer, replace_last, widen, without_last


def small() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


def test_the_folded_logit_is_the_softmax_over_absent_and_present() -> None:
    model = small()
    widen(model)
    nn.init.normal_(last_layer(model)[1].weight)
    images = torch.randn(5, 1, 4, 4)
    three = model.train()(images).unflatten(1, (3, 3))  # (image, class, finding)
    present = three[:, :2].softmax(dim=1)[:, 1]
    torch.testing.assert_close(model.eval()(images).sigmoid(), present)
    fold(model)
    assert type(last_layer(model)[1]) is nn.Linear
    torch.testing.assert_close(model(images).sigmoid(), present)


def test_widening_keeps_the_scores_and_the_uncertain_logit_is_zero() -> None:
    model, images = small(), torch.randn(5, 1, 4, 4)
    before = model(images)
    widen(model)
    torch.testing.assert_close(model(images), before)
    assert (model.train()(images)[:, 6:] == 0).all()
    assert model.training


@pytest.mark.parametrize("name", ["efficientnet_b0", "alexnet", "swin_tiny"])
def test_the_last_layer_of_a_backbone_computes_its_logits(name: str) -> None:
    size = 224 if name == "swin_tiny" else 64
    model = create(name, ("A", "B", "C"), preprocessing=Preprocessing(size=size))
    path, layer = last_layer(model)
    assert layer.out_features == 3
    before = copy.deepcopy(model.state_dict())
    bare = without_last(model)
    images = torch.zeros(1, 1, size, size)
    with torch.no_grad():
        torch.testing.assert_close(layer(bare(images)), model(images))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert path.startswith("backbone.")
    assert name in ARCHITECTURES


def test_widen_and_fold_do_not_use_the_global_generator() -> None:
    model = small()
    state = torch.get_rng_state()
    widen(model)
    fold(model)
    assert torch.equal(torch.get_rng_state(), state)


def test_models_without_a_suitable_last_layer_are_refused() -> None:
    with pytest.raises(InputError, match="no three classes"):
        fold(small())
    with pytest.raises(InputError, match="no linear layer"):
        last_layer(nn.Conv2d(1, 1, 1))
    model = small()
    replace_last(model, nn.Identity())
    assert isinstance(model[3], nn.Identity)
    assert not isinstance(last_layer(model)[1], ThreeClass)
