"""One recipe, saved with the model, applied alike by training, page, command line and API."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from cxrbench.cli import main
from cxrbench.compare import Settings
from cxrbench.compare.run import collect, compare
from cxrbench.data import read_image
from cxrbench.explain.fast_copy import fast_copy
from cxrbench.inference import predict
from cxrbench.models import Classifier, Features, create, hub
from cxrbench.preprocess import Preprocessing
from cxrbench.training import Images, decode

Trunk = Callable[[torch.Tensor, str | None], Features]
RECIPES = {
    "plain": Preprocessing(size=96),
    "clahe": Preprocessing(size=96, fit="pad", window=1.0, contrast="clahe"),
    "equalised": Preprocessing(size=96, fit="crop", contrast="equalise", interpolation="bicubic"),
    "lungs": Preprocessing(size=96, crop="lungs", contrast="clahe"),
}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from cxrbench.data import phantom

    image = phantom.render(11, size=256).image[:, 10:230]
    path = tmp_path_factory.mktemp("film") / "film.png"
    cv2.imwrite(str(path), np.rint(image * 255).astype(np.uint8))
    return path


def seen_by(model: Classifier, monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """What the model is fed with from now on, for scores."""
    fed: list[torch.Tensor] = []
    features = model.all_features

    def look(images: torch.Tensor) -> Iterator[Features]:
        fed.append(images.detach().clone())
        return features(images)

    monkeypatch.setattr(model, "all_features", look)
    return fed


@pytest.mark.parametrize("name", list(RECIPES))
def test_training_page_command_line_and_library_give_the_same_tensor(
    name: str, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = RECIPES[name]
    hub.save(create("efficientnet_b0", ("a", "b"), name="small", preprocessing=recipe), tmp_path / "small")
    model = hub.load(tmp_path / "small")
    assert model.spec.preprocessing == recipe
    pixels = read_image(film).pixels
    api = model.spec.preprocessing(pixels)[None]

    with monkeypatch.context() as patch:
        fed = seen_by(model, patch)
        outputs = predict(model, pixels)
    assert torch.equal(fed[-1], api)

    # The page's path: scores and maps of one radiograph.
    settings = Settings(("small",), ("grad_cam",))
    seen: list[torch.Tensor] = []
    for network in (model, fast_copy(model, api.shape[1:])):  # for scores, and for maps
        monkeypatch.setattr(network, "trunk", watched(network.trunk, seen))
    page = collect(compare(pixels, settings, models={"small": model}), image=pixels, settings=settings)
    assert seen
    assert all(torch.equal(image, api) for image in seen)
    np.testing.assert_array_equal(page.predictions["small"].logits, outputs.logits[0])
    heat = page.heat_maps["small", "grad_cam"]
    assert heat.on_film(heat.maps, pixels.shape).shape == (2, *pixels.shape)

    # Training reads bytes: half a grey level is what they cost.
    trained = Images(decode([film], recipe, tmp_path / "cache"), torch.zeros(1, 2), recipe)[0][0]
    assert (trained - api[0]).abs().max() <= 0.5 / 255 / recipe.std + 1e-5


def watched(trunk: Trunk, seen: list[torch.Tensor]) -> Trunk:
    """A model's trunk that notes what it is given."""

    def look(images: torch.Tensor, stage: str | None = None) -> Features:
        seen.append(images.detach().clone())
        return trunk(images, stage)

    return look


def test_the_command_line_says_what_the_library_says(film: Path, tmp_path: Path) -> None:
    recipe = RECIPES["clahe"]
    hub.save(create("efficientnet_b0", ("a", "b"), name="small", preprocessing=recipe), tmp_path / "small")
    table = tmp_path / "scores.csv"
    assert main(["predict", str(film), "--model", str(tmp_path / "small"), "--csv", str(table)]) == 0
    with table.open(newline="") as file:
        (row,) = csv.DictReader(file)
    ours = predict(hub.load(tmp_path / "small"), read_image(film).pixels).scores[0]
    said = [float(row[label]) for label in ("a", "b")]
    np.testing.assert_allclose(said, ours, atol=1e-4)
