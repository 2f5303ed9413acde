"""The recipe behind the weights: what the network is shown, and that it runs from end to end."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cxrbench.data.phantom import plan, render
from cxrbench.data.phantom.view import draw_geometry
from cxrbench.preprocess.lungs import components
from cxrbench.preprocess.lungs.net import LungNet
from cxrbench.preprocess.lungs.window import SIDE, prepare
from train import lungs as recipe
from train.films import Beam, film, warped


@pytest.fixture(scope="module")
def beam() -> Beam:
    return recipe.shot(plan(3, seed=5)[0], "PA", 96)


def test_what_is_marked_are_two_lungs_and_the_heart_before_them() -> None:
    phantom = render(5, size=192)
    lungs = recipe.marked(phantom.patient, draw_geometry(phantom.patient, "PA", 192, 0))
    assert len(components(lungs)) == 2
    heart = phantom.outlines["heart"]
    assert (heart & lungs).sum() > 0.4 * heart.sum()


def test_a_film_keeps_its_range_and_follows_its_generator(beam: Beam) -> None:
    for seed in range(40):
        picture, lungs = film(beam, np.random.default_rng(seed))
        again, same = film(beam, np.random.default_rng(seed))
        assert picture.shape == lungs.shape == (96, 96)
        assert picture.min() >= 0
        assert picture.max() <= 1
        assert lungs.dtype == bool
        np.testing.assert_array_equal(picture, again)
        np.testing.assert_array_equal(lungs, same)


def test_the_mask_goes_where_the_film_goes(beam: Beam) -> None:
    marks = beam.lungs.astype(np.float32)
    for seed in range(20):
        moved, mask = warped(marks, marks, np.random.default_rng(seed))
        inside = mask > 0.5
        assert (moved[inside] > 0.49).all()
        assert inside.any()


def test_on_a_lateral_film_nothing_is_marked() -> None:
    assert not recipe.shot(plan(3, seed=5)[0], "LATERAL", 96).lungs.any()


def test_a_film_is_prepared_alike_whatever_its_greys_are_scaled_by() -> None:
    picture = render(5, size=192).image
    prepared = prepare(picture)
    assert prepared.shape == (2, SIDE, SIDE)
    np.testing.assert_allclose(prepare(picture * 0.4 + 0.3), prepared, atol=0.15)
    assert np.isfinite(prepare(np.zeros((30, 30)))).all()


def test_the_loss_is_least_for_the_truth() -> None:
    masks = (torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    right, wrong = recipe.loss_of(20 * (masks - 0.5), masks), recipe.loss_of(-20 * (masks - 0.5), masks)
    assert right < 0.001
    assert wrong > 5
    half = torch.nn.functional.binary_cross_entropy_with_logits(torch.zeros_like(masks), masks)
    dice = (masks.sum((1, 2, 3)) + 1) / (32 + masks.sum((1, 2, 3)) + 1)
    torch.testing.assert_close(recipe.loss_of(torch.zeros_like(masks), masks), half + (1 - dice).mean())


@pytest.mark.slow
def test_the_recipe_runs_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text(
        "seed = 1\npatients = 4\nfilms = 5\nlaterals = 1\nheld_out = 2\nside = 96\nsteps = 2\nbatch = 2\n"
        "rate = 1e-3\nweight_decay = 0.0\nema = 0.5\nthreads = 1\nworkers = 0\n"
    )
    monkeypatch.setattr(sys, "argv", ["lungs", str(config), "--out", str(tmp_path), "--run", str(tmp_path)])
    recipe.main()
    LungNet().load_state_dict(load_file(tmp_path / "model.safetensors"))
