"""What every backbone of the zoo must do; explanations stand on it."""

from collections.abc import Callable

import pytest
import timm
import torch
import torchvision
from timm.data.config import resolve_data_config
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.models import ARCHITECTURES, Classifier, Features, create, default_preprocessing
from cxrbench.preprocess import Preprocessing

Make = Callable[[str], Classifier]
every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)


def images(model: Classifier, count: int = 1) -> Tensor:
    size = model.spec.preprocessing.input_shape
    return torch.randn(count, 1, *size, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
@every_architecture
def test_head_after_trunk_is_the_backbone_bit_for_bit_at_every_stage(name: str, classifier: Make) -> None:
    model = classifier(name)
    batch = images(model, 2)
    with torch.no_grad():
        whole = model.backbone(batch)
        assert whole.shape == (2, 3)
        assert torch.equal(model(batch), whole)
        for stage in model.stages:
            assert torch.equal(model.head(model.trunk(batch, stage)), whole), stage


@every_architecture
def test_every_stage_has_the_resolution_and_layout_it_declares(name: str, classifier: Make) -> None:
    model = classifier(name)
    assert list(model.grids) == list(model.stages)
    for stage in model.stages:
        with torch.no_grad():
            features = model.trunk(images(model), stage)
        assert features.grid == model.resolution(stage) == model.grids[stage]
        maps = features.as_maps(features.value)
        assert maps.shape[0] == 1
        assert maps.shape[2:] == features.grid
        # A view, so that what is read of it is read of the features themselves.
        assert maps.untyped_storage().data_ptr() == features.value.untyped_storage().data_ptr()
    assert model.resolution() == model.resolution(model.stages[-1])


@every_architecture
def test_maps_lie_over_the_image_the_right_way_up(name: str, classifier: Make) -> None:
    """A change in one corner of the image changes the earliest map most in that corner."""
    model = classifier(name)
    blank = images(model) * 0
    quarter = blank.shape[-1] // 4
    top_right, bottom_left = blank.clone(), blank.clone()
    top_right[..., :quarter, -quarter:] = 1
    bottom_left[..., -quarter:, :quarter] = 1
    with torch.no_grad():
        before, *after = (model.trunk(one, model.stages[0]) for one in (blank, top_right, bottom_left))
    for features, expected in zip(after, (1, 2), strict=True):
        change = (features.as_maps(features.value) - before.as_maps(before.value)).abs().sum(1)
        quarters = torch.nn.functional.adaptive_avg_pool2d(change, 2)
        assert quarters.argmax() == expected


@every_architecture
def test_the_gradient_at_the_last_map_is_constant_where_it_is_declared_so(
    name: str, classifier: Make
) -> None:
    model = classifier(name)
    with torch.no_grad():
        features = model.trunk(images(model))
    leaf = features.value.clone().requires_grad_()
    logits = model.head(Features(leaf, features.rest, features.stage, features.grid))
    (gradient,) = torch.autograd.grad(logits[0, 1], leaf)
    maps = features.as_maps(gradient)
    spread = (maps - maps.mean((2, 3), keepdim=True)).abs().max() / maps.abs().max()
    assert maps.abs().max() > 0
    assert (spread < 1e-5) == model.architecture.mean_pooled


@every_architecture
def test_the_head_leaves_the_features_as_they_were(name: str, classifier: Make) -> None:
    model = classifier(name)
    for stage in model.stages:
        with torch.no_grad():
            features = model.trunk(images(model), stage)
            before = [tensor.clone() for tensor in (features.value, *features.rest)]
            model.head(features)
        for old, new in zip(before, (features.value, *features.rest), strict=True):
            assert torch.equal(old, new), stage


@every_architecture
def test_an_image_gets_a_gradient(name: str, classifier: Make) -> None:
    model = classifier(name)
    batch = images(model).requires_grad_()
    (gradient,) = torch.autograd.grad(model(batch)[0, 0], batch)
    assert gradient.abs().sum() > 0
    assert all(parameter.grad is None for parameter in model.parameters())


@every_architecture
def test_the_preprocessing_is_that_of_the_backbones_own_configuration(name: str) -> None:
    recipe, record = default_preprocessing(name), ARCHITECTURES[name]
    if record.package == "timm":
        config = resolve_data_config(model=timm.create_model(record.pretrained))
        size, mean, std, mode = (config[key] for key in ("input_size", "mean", "std", "interpolation"))
        assert recipe.size == size[1] == size[2]
    else:
        config = torchvision.models.AlexNet_Weights.IMAGENET1K_V1.transforms()
        mean, std, mode = config.mean, config.std, config.interpolation.value
        assert [recipe.size] == config.crop_size
    assert recipe.mean == pytest.approx(sum(mean) / 3)
    assert recipe.std == pytest.approx(sum(std) / 3)
    assert recipe.interpolation == mode


def test_inception_sees_299_pixels_around_one_half() -> None:
    for name in ("inception_v3", "inception_resnet_v2"):
        recipe = default_preprocessing(name)
        assert (recipe.size, recipe.mean, recipe.std) == (299, 0.5, 0.5)
    grids = create("inception_v3", ["Edema"]).grids
    assert list(grids.values()) == [(71, 71), (35, 35), (17, 17), (8, 8)]


def test_an_unknown_stage_is_refused_with_the_known_ones(classifier: Make) -> None:
    with pytest.raises(InputError, match=r"layer9.*layer1, layer2, layer3, layer4"):
        classifier("resnet50").trunk(torch.zeros(1, 1, 224, 224), "layer9")


def test_asking_for_the_grids_touches_no_weight_and_no_random_number(classifier: Make) -> None:
    model = create("resnet50", ["Edema"])
    before = {name: (tensor.data_ptr(), tensor.device.type) for name, tensor in model.state_dict().items()}
    generator = torch.get_rng_state()
    del model.__dict__["grids"]
    assert model.grids["layer4"] == (7, 7)
    assert torch.equal(generator, torch.get_rng_state())
    assert before == {
        name: (tensor.data_ptr(), tensor.device.type) for name, tensor in model.state_dict().items()
    }


@pytest.mark.parametrize("size", [(96, 96), (64, 128)])
def test_a_transformer_says_how_its_tokens_lie_on_images_of_another_size(size: tuple[int, int]) -> None:
    model = create("vit_tiny", ["a"], preprocessing=Preprocessing(size=64))
    images = torch.randn(2, 1, *size)
    features = model.trunk(images)
    assert features.grid == (size[0] // 16, size[1] // 16)
    assert features.as_maps(features.value).shape[2:] == features.grid
    assert torch.equal(model.head(features), model.backbone(images))
