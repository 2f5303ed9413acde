import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.lungs import films, iou
from cxrbench import assets
from cxrbench.data.phantom import render
from cxrbench.data.phantom.view import draw_geometry
from cxrbench.errors import InputError
from cxrbench.preprocess.lungs import Lungs, crop_box, net, segment, share_inside
from train.lungs import marked

REAL = Path(__file__).resolve().parents[4] / "shared" / "real"


@cache
def phantom(seed: int, view: str = "PA") -> tuple[np.ndarray, np.ndarray]:
    """A film and its lungs, read-only: several tests share them."""
    shot = render(seed, view=view, size=256)
    truth = marked(shot.patient, draw_geometry(shot.patient, view, 256, 0))
    shot.image.setflags(write=False)
    truth.setflags(write=False)
    return shot.image, truth


@cache
def lungs_of(seed: int, view: str = "PA") -> Lungs:
    return segment(phantom(seed, view)[0])


@pytest.mark.parametrize("view", ["PA", "AP"])
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_a_phantoms_lungs_are_found(seed: int, view: str) -> None:
    _, truth = phantom(seed, view)
    lungs = lungs_of(seed, view)
    assert lungs.sure, lungs.reason
    assert lungs.reason == ""
    assert lungs.mask.dtype == bool
    assert iou(lungs.mask, truth) > 0.85


def test_the_mirror_image_has_the_mirrored_lungs() -> None:
    film, _ = phantom(11)
    there, back = lungs_of(11).mask, segment(np.ascontiguousarray(film[:, ::-1])).mask[:, ::-1]
    assert iou(there, back) > 0.98


@pytest.mark.parametrize("change", [lambda x: x * 0.5 + 0.2, lambda x: x**1.7, lambda x: x**0.6, np.sqrt])
def test_another_exposure_has_the_same_lungs(change: Callable[..., Any]) -> None:
    film, _ = phantom(12)
    assert iou(lungs_of(12).mask, segment(change(film)).mask) > 0.93


@pytest.mark.parametrize("shape", [(1, 1), (2, 700), (300, 5), (90, 400), (700, 300)])
def test_a_film_of_any_shape_has_a_mask_of_that_shape(shape: tuple[int, int]) -> None:
    film = np.random.default_rng(0).random(shape, dtype=np.float32)
    lungs = segment(film)
    assert lungs.mask.shape == shape
    assert not lungs.sure
    assert lungs.reason.endswith(".")


def test_a_wide_film_and_a_tall_one_keep_their_lungs() -> None:
    film, truth = phantom(13)
    for pad in (((0, 0), (120, 120)), ((120, 120), (0, 0)), ((0, 0), (0, 60))):
        lungs = segment(np.pad(film, pad))
        assert iou(lungs.mask, np.pad(truth, pad)) > 0.8


@pytest.mark.parametrize("film", [np.zeros((200, 200)), np.full((200, 200), 0.7), np.eye(150)])
def test_a_film_without_a_chest_is_not_cropped(film: np.ndarray) -> None:
    lungs = segment(film)
    assert not lungs.sure
    assert crop_box(lungs) == (0, 0, *film.shape)


@pytest.mark.parametrize("film", [np.zeros((3, 20, 20)), np.zeros((0, 20)), np.full((20, 20), np.nan)])
def test_an_invalid_film_is_refused(film: np.ndarray) -> None:
    with pytest.raises(InputError, match="A film must"):
        segment(film)


def test_eight_threads_get_the_same_bits_as_one() -> None:
    pictures = [phantom(seed)[0] for seed in (11, 12, 13, 14)] * 2
    alone = [segment(picture).mask for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = [lungs.mask for lungs in pool.map(segment, pictures)]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_box_contains_the_lungs_and_extends_to_the_lower_border() -> None:
    mask = np.zeros((100, 200), bool)
    mask[20:60, 40:90] = mask[25:70, 110:150] = True
    lungs = Lungs(mask, sure=True, reason="")
    assert crop_box(lungs, margin=0) == (20, 40, 100, 150)
    assert crop_box(lungs, margin=0, lower_border=False) == (20, 40, 70, 150)
    assert crop_box(lungs, margin=0.05, lower_border=False) == (15, 30, 75, 160)
    assert crop_box(lungs, margin=0.9) == (0, 0, 100, 200)
    assert crop_box(Lungs(mask, sure=False, reason="Why.")) == (0, 0, 100, 200)


def test_the_share_inside_counts_positive_relevance_only() -> None:
    mask = np.array([[True, False], [False, False]])
    assert share_inside(np.array([[3.0, 1.0], [-5.0, np.nan]]), mask) == 0.75
    assert share_inside(np.ones((2, 2)), mask) == 0.25
    assert np.isnan(share_inside(np.zeros((2, 2)), mask))
    with pytest.raises(InputError, match="the same shape"):
        share_inside(np.ones((2, 3)), mask)


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import cxrbench.preprocess.lungs, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_the_weights_are_small() -> None:
    assert (assets.lungs() / "model.safetensors").stat().st_size <= 2e6


def test_missing_weights_and_those_of_another_network_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors.numpy import save_file

    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    net.shipped.cache_clear()
    with pytest.raises(InputError, match="restore the folder"):
        net.shipped()
    (tmp_path / "lungs").mkdir()
    save_file({"mark.bias": np.zeros(1, np.float16)}, tmp_path / "lungs" / "model.safetensors")
    with pytest.raises(InputError, match="another network"):
        net.shipped()
    net.shipped.cache_clear()


@pytest.mark.skipif(not (REAL / "lungs").is_dir(), reason="needs ../shared/real/lungs")
def test_lungs_of_real_films_agree_with_manual_masks() -> None:
    scores = [iou(segment(film).mask, truth) for _, film, truth in films(REAL / "lungs") if truth is not None]
    assert np.mean(scores) > 0.8


@pytest.mark.slow
@pytest.mark.skipif(not (REAL / "nih").is_dir(), reason="needs ../shared/real/nih")
def test_most_real_films_pass_the_checks() -> None:
    sure = [segment(film).sure for _, film, _ in films(REAL / "nih" / "images")]
    assert np.mean(sure) > 0.85


def test_loading_the_network_leaves_the_global_random_generator_alone() -> None:
    net.shipped.cache_clear()
    state = torch.get_rng_state()
    network = net.shipped()
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(tensor.is_meta for tensor in [*network.parameters(), *network.buffers()])
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
