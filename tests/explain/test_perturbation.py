"""Occlusion and RISE: captum, derivations with loops, and linear models."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from captum.attr import Occlusion
from torch import nn

from cxrbench.explain import explain
from cxrbench.explain.perturbation import RiseParameters, rise_masks
from cxrbench.preprocess import Preprocessing

PLAIN = Preprocessing(size=8, mean=0.0, std=1.0)


@pytest.fixture
def curved(chain: Callable[..., Any]) -> Any:
    torch.manual_seed(1)
    layers = {"flat": nn.Flatten(), "a": nn.Linear(64, 16), "act": nn.GELU(), "b": nn.Linear(16, 3)}
    return chain("flat", labels=3, preprocessing=PLAIN, **layers), torch.randn(2, 1, 8, 8)


@pytest.fixture
def straight(chain: Callable[..., Any]) -> Any:
    return chain("flat", preprocessing=PLAIN, flat=nn.Flatten(), fc=nn.Linear(64, 2))


def final(model: Any, images: torch.Tensor, key: str, findings: Sequence[int] = (0,)) -> torch.Tensor:
    *_, last = explain(model, images, findings, [key])
    assert last.progress == 1
    return last.maps


@pytest.mark.parametrize(("window", "stride"), [(2, 2), (4, 2), (4, 1), (8, 8)])
def test_occlusion_is_captums_where_the_squares_fit(curved: Any, window: int, stride: int) -> None:
    model, images = curved
    captum = Occlusion(model)
    for finding in (0, 2):
        expected = captum.attribute(images, (1, window, window), (1, stride, stride), 0, target=finding)
        maps = final(model, images, f"occlusion(window={window},stride={stride})", (0, 2))
        torch.testing.assert_close(maps[:, finding // 2], expected[:, 0], rtol=1e-4, atol=1e-6)


def test_squares_that_do_not_fit_are_moved_back_and_cover_every_pixel(straight: Any) -> None:
    images = torch.ones(1, 1, 8, 8)
    maps = final(straight, images, "occlusion(window=3,stride=3)")
    fell = (straight.chain["fc"].weight[0].detach().view(8, 8)).unfold(0, 3, 1).unfold(1, 3, 1).sum((2, 3))
    torch.testing.assert_close(maps[0, 0, 0, 0], fell[0, 0])
    torch.testing.assert_close(maps[0, 0, 7, 7], fell[5, 5])
    torch.testing.assert_close(maps[0, 0, 5, 0], (fell[3, 0] + fell[5, 0]) / 2)


def test_a_square_larger_than_the_image_hides_all_of_it(curved: Any) -> None:
    model, images = curved
    maps = final(model, images, "occlusion(window=99)", (1,))
    fall = (model(images) - model(torch.zeros_like(images)))[:, 1].detach()
    torch.testing.assert_close(maps[:, 0], fall.view(-1, 1, 1).expand(-1, 8, 8))


def test_rise_is_the_sum_over_masks_derived_with_loops(curved: Any) -> None:
    model, images = curved
    parameters = RiseParameters(masks=30, cells=3, visible=0.4, seed=2)
    masks = rise_masks(30, (8, 8), parameters, torch.Generator().manual_seed(2))
    logits = torch.stack([model(images * mask)[:, 1] for mask in masks]).detach()  # (30, 2)
    expected = torch.zeros(2, 8, 8)
    for place in range(2):
        for logit, mask in zip(logits[:, place], masks, strict=True):
            expected[place] += (logit - logits[:, place].mean()) * mask / (30 * 0.4)
    maps = final(model, images, "rise(masks=30,cells=3,visible=0.4,seed=2)", (1,))
    torch.testing.assert_close(maps[:, 0], expected, rtol=1e-4, atol=1e-6)


def test_masks_show_the_stated_share_and_are_shifted() -> None:
    parameters = RiseParameters(masks=400, cells=4, visible=0.3)
    masks = rise_masks(400, (32, 32), parameters, torch.Generator().manual_seed(0))
    assert masks.shape == (400, 32, 32)
    assert 0 <= masks.min() < masks.max() <= 1
    assert masks.mean().item() == pytest.approx(0.3, abs=0.02)
    assert masks.mean(0).std() < 0.05  # no pixel is seen more often than others
    assert len({tuple(mask.flatten().tolist()) for mask in masks}) > 390


def test_rise_finds_the_pixels_that_a_linear_model_reads(straight: Any) -> None:
    with torch.no_grad():
        straight.chain["fc"].weight.zero_()
        straight.chain["fc"].weight[0].view(8, 8)[1:3, 1:3] = 1
    maps = final(straight, torch.ones(1, 1, 8, 8), "rise(masks=2000,cells=4)")[0, 0]
    assert maps[1:3, 1:3].mean() > 3 * maps[5:, 5:].abs().mean()


def test_drafts_come_while_masks_are_drawn_and_another_seed_gives_another_map(curved: Any) -> None:
    model, images = curved
    drafts = list(explain(model, images, [0], ["rise(masks=40)"]))
    assert [each.progress for each in drafts] == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert not torch.equal(drafts[-1].maps, final(model, images, "rise(masks=40,seed=1)"))
