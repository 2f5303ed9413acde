"""Every picture of a mask shows the same regions: the canvas, the command line's figures, the other pages."""

import re
from dataclasses import replace

import numpy as np
import pytest

from cxrbench.app.compare.scene import scene
from cxrbench.app.phantom.view import drawing, regions
from cxrbench.app.preparation.preprocessing import with_mask
from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings
from cxrbench.data.phantom import Phantom, render
from cxrbench.figures import outline_polygons, panels
from cxrbench.preprocess import Preprocessing

SHAPE = (320, 352)


@pytest.fixture
def ragged() -> np.ndarray:
    """A region with pinholes and a hole, a thin line, and specks."""
    mask = np.zeros(SHAPE, bool)
    mask[50:150, 50:150] = True
    mask[90:110, 90:110] = mask[60, 60] = mask[70:72, 70:72] = False
    mask[200:203, 20:300] = True
    mask[250, 250] = mask[280:284, 300:304] = True
    return mask


def comparison(mask: np.ndarray) -> Comparison:
    half = np.full(1, 0.5, np.float32)
    maps = np.random.default_rng(0).random((1, 7, 7)).astype(np.float32)
    heat = HeatMaps("m", "cam", "last", ("Edema",), maps, Preprocessing(size=8), 0.1, title="CAM")
    return Comparison(
        np.zeros(mask.shape, np.float32),
        "s",
        Settings(("m",), ("cam",)),
        {"m": Prediction("m", "r", ("Edema",), half, half, half, 0.1)},
        {("m", "cam"): heat},
        {"Edema": mask},
        {"Edema": 1},
    )


def sent(made: Comparison) -> list[list[np.ndarray]]:
    """The polygons of each panel of the canvas, in pixels of the film."""
    data = scene({"Edema": made}, cells={}, titles={}, link=None, file="f")
    scale = data["picture"]["width"] / made.image.shape[1]
    return [[np.array(polygon) / scale for polygon in panel["outline"] or []] for panel in data["panels"]]


def assert_same(found: list[np.ndarray], polygons: list[np.ndarray], tolerance: float = 1e-6) -> None:
    assert len(found) == len(polygons)
    for one, other in zip(found, polygons, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance)


def test_the_canvas_and_the_figure_draw_the_same_polygons(ragged: np.ndarray) -> None:
    polygons = outline_polygons(ragged)
    assert len(polygons) == 3  # the region, its hole, the line
    made = comparison(ragged)
    for panel in sent(made):
        assert_same(panel, polygons)
    for axes in panels(made, "Edema").axes:
        white = [patch for patch in axes.patches if patch.get_edgecolor() == (1, 1, 1, 1)]
        assert_same([patch.get_xy()[:-1] + 0.5 for patch in white], polygons)  # type: ignore[attr-defined]


def test_a_film_that_is_sent_smaller_keeps_its_polygons(ragged: np.ndarray) -> None:
    large = ragged.repeat(8, 0).repeat(8, 1)
    for panel in sent(comparison(large)):
        assert_same(panel, outline_polygons(large), tolerance=0.2)


def test_all_captions_mention_the_same_omission(ragged: np.ndarray) -> None:
    note = "regions under 49 pixels omitted"
    made = comparison(ragged)
    data = scene({"Edema": made}, cells={}, titles={}, link=None, file="f")
    assert any(note in fact for fact in data["panels"][0]["facts"])
    texts = [text.get_text() for axes in panels(made, "Edema").axes for text in axes.texts]
    assert note in " ".join(" ".join(texts).split())
    whole = ragged.copy()
    whole[240:] = False
    plain = replace(made, masks={"Edema": whole})
    data = scene({"Edema": plain}, cells={}, titles={}, link=None, file="f")
    assert not any("omitted" in fact for fact in data["panels"][0]["facts"])


def test_the_preparation_page_draws_the_same_regions(ragged: np.ndarray) -> None:
    picture = with_mask(np.zeros(SHAPE, np.float32), ragged)
    coloured = np.asarray(picture.any(axis=2))
    assert not coloured[245:].any()  # the specks
    assert coloured[200:203, 20:300].any(0).all()
    corners = np.vstack(outline_polygons(ragged)).astype(int)
    assert coloured[corners[:, 1], corners[:, 0]].all()


@pytest.fixture(scope="module")
def phantom() -> Phantom:
    return render(1, {"Pleural Effusion": 0.6}, size=96)


def test_the_phantom_page_draws_the_same_polygons(phantom: Phantom) -> None:
    for name, mask in regions(phantom).items():
        paths = set(re.findall(r'<path d="([^"]+)"', drawing(phantom, [name])))
        assert len(paths) == 1  # a halo and a line, along the same path
        found = [
            np.array([[float(number) for number in point.split()] for point in part.split("L")])
            for part in re.findall(r"M([^MZ]+)Z", paths.pop())
        ]
        assert_same(found, outline_polygons(mask))
