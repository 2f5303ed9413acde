from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from functools import cache

import numpy as np
import pytest
import torch

from cxrbench.errors import InputError
from cxrbench.inference import predict, rescale, sigmoid, stream
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing

LABELS = ("Edema", "Cardiomegaly", "Fracture")


@pytest.fixture(scope="module")
def model() -> Classifier:
    return create("vit_tiny", LABELS, seed=1)


@cache
def _resnet() -> Classifier:
    return create("resnet50", LABELS, preprocessing=Preprocessing(size=64), seed=1)


def small() -> Classifier:
    """A ResNet of one's own: copying is faster than initialising."""
    return deepcopy(_resnet())


def radiographs(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.random((250 + 7 * i, 230), dtype=np.float32) for i in range(count)]


def test_one_radiograph_is_preprocessed_and_passed_through_the_model(model: Classifier) -> None:
    (picture,) = radiographs(1)
    with torch.no_grad():
        expected = model(model.spec.preprocessing(picture)[None]).numpy()
    outputs = predict(model, picture)
    np.testing.assert_array_equal(outputs.logits, expected)
    assert outputs.logits.shape == outputs.scores.shape == (1, 3)
    np.testing.assert_allclose(outputs.scores, 1 / (1 + np.exp(-expected.astype(np.float64))), atol=1e-6)


def test_several_radiographs_of_several_sizes_give_one_row_each(model: Classifier) -> None:
    pictures = radiographs(5)
    batched = predict(model, pictures, batch_size=2)
    single_logits = np.concatenate([predict(model, picture).logits for picture in pictures])
    np.testing.assert_allclose(batched.logits, single_logits, atol=1e-5)
    stacked = predict(model, np.stack([pictures[0]] * 2)).logits
    np.testing.assert_allclose(stacked, batched.logits[[0, 0]], atol=1e-5)


def test_no_radiographs_give_no_rows(model: Classifier) -> None:
    outputs = predict(model, [])
    assert outputs.logits.shape == outputs.scores.shape == (0, 3)


def test_a_stream_holds_one_batch_at_a_time(model: Classifier) -> None:
    asked: list[int] = []

    def source() -> Iterator[np.ndarray]:
        for index in range(7):
            asked.append(index)
            yield np.full((30, 30), index / 10, np.float32)

    rows = stream(model, source(), batch_size=3)
    next(rows)
    assert asked == [0, 1, 2]
    assert len(list(rows)) == 6


def test_the_consumer_of_a_stream_keeps_its_gradients(model: Classifier) -> None:
    for _ in stream(model, radiographs(3), batch_size=2):
        assert torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    with torch.no_grad():
        predict(model, radiographs(1))
        assert not torch.is_grad_enabled()


def test_the_model_is_unchanged_and_threads_get_the_same_bits(model: Classifier) -> None:
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    generator = torch.get_rng_state()
    (picture,) = radiographs(1)
    single_logits = predict(model, picture).logits
    with ThreadPoolExecutor(8) as pool:
        for logits in pool.map(lambda _: predict(model, picture).logits, range(16)):
            np.testing.assert_array_equal(logits, single_logits)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert torch.equal(generator, torch.get_rng_state())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_model_in_train_mode_is_refused_and_stays_in_train_mode() -> None:
    training = create("alexnet", LABELS).train()
    with pytest.raises(InputError, match=r"train mode; call its eval\(\)"):
        predict(training, radiographs(1))
    assert training.training


@pytest.mark.parametrize("part", ["", "layer4", "layer4.0.bn1"])
def test_a_model_with_any_part_in_train_mode_is_refused_and_unchanged(part: str) -> None:
    model = small()
    module = model.backbone.get_submodule(part)
    module.train()
    statistics = {name: value.clone() for name, value in model.named_buffers()}
    with pytest.raises(InputError, match=r"train mode; call its eval\(\) first"):
        predict(model, radiographs(1))
    assert module.training
    assert all(torch.equal(value, statistics[name]) for name, value in model.named_buffers())


def test_a_colour_image_is_not_mistaken_for_several_radiographs(model: Classifier) -> None:
    (grey,) = radiographs(1)
    for wrong in (np.dstack([grey] * 3), np.dstack([grey] * 4), grey[:, :, None], grey[None, None], grey[0]):
        with pytest.raises(InputError, match=r"\(H, W\), or several \(N, H, W\); got shape"):
            predict(model, wrong)
    with pytest.raises(InputError, match="must be grey"):
        predict(model, [np.dstack([grey] * 3)])
    outputs = predict(model, torch.from_numpy(grey))  # a tensor instead of an array
    np.testing.assert_array_equal(outputs.logits, predict(model, grey).logits)


def test_a_model_in_double_precision_predicts_and_one_in_half_is_refused() -> None:
    single, double = predict(small(), radiographs(2)), predict(small().double(), radiographs(2))
    assert double.logits.dtype == np.float32
    np.testing.assert_allclose(single.logits, double.logits, atol=1e-4)
    mixed = small()
    mixed.backbone.layer4.half()
    for rough, dtypes in (
        (small().half(), "float16"),
        (small().bfloat16(), "bfloat16"),
        (mixed, "float16 and"),
    ):
        with pytest.raises(InputError, match=rf"float32 or float64, and has {dtypes}.*call its float\(\)"):
            predict(rough, radiographs(1))


def test_a_constant_film_gets_a_note(model: Classifier) -> None:
    (grey,) = radiographs(1)
    outputs = predict(model, [np.zeros_like(grey), grey, np.full_like(grey, 0.3)])
    assert outputs.notes == ("every pixel has the same value", "", "every pixel has the same value")
    assert predict(model, np.ones_like(grey)).notes == ("every pixel has the same value",)


def test_an_invalid_image_is_refused(model: Classifier) -> None:
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        predict(model, np.full((30, 30), 255, np.uint8))
    with pytest.raises(InputError, match="batch_size"):
        predict(model, radiographs(1), batch_size=0)


def test_scores_neither_overflow_nor_leave_the_unit_interval() -> None:
    scores = sigmoid(np.array([-1e4, -30.0, 0.0, 30.0, 1e4], np.float32))
    assert scores[0] == 0
    assert scores[2] == 0.5
    assert scores[-1] == 1
    assert (np.diff(scores) >= 0).all()


def test_rescaled_scores_are_half_at_the_threshold_and_keep_the_order() -> None:
    scores = np.linspace(0, 1, 101)[:, None]
    moved = rescale(scores, np.array([0.2]))[:, 0]
    np.testing.assert_allclose(moved[[0, 10, 20, 60, 100]], [0, 0.25, 0.5, 0.75, 1])
    assert (np.diff(moved) > 0).all()
