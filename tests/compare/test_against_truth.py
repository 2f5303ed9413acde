"""A map against the mask of its finding."""

from dataclasses import replace

import numpy as np
import pytest

from cxrbench.compare import Comparison, HeatMaps, Settings
from cxrbench.compare.against_truth import AgainstTruth, against_truth, truth_text
from cxrbench.judge import hit, relevance_mass
from cxrbench.preprocess import Preprocessing


def comparison(mask: np.ndarray) -> Comparison:
    image = np.zeros(mask.shape, np.float32)
    return Comparison(image, "film", Settings(("m",), ("grad_cam",)), {}, {}, masks={"Edema": mask})


def heat(relevance: np.ndarray) -> HeatMaps:
    preprocessing = Preprocessing(size=8)
    maps = relevance[None].astype(np.float32)
    return HeatMaps("m", "grad_cam", None, ("Edema",), maps, preprocessing, seconds=0.0)


def test_a_map_that_can_be_checked_by_hand() -> None:
    mask = np.zeros((8, 8), bool)
    mask[:4, :4] = True
    relevance = np.zeros((8, 8))
    relevance[0, 0], relevance[7, 7], relevance[4, 4] = 3, 1, -5
    found = against_truth(heat(relevance), comparison(mask), "Edema")
    assert found == AgainstTruth(hit=True, inside=0.75, chance=0.25)
    assert truth_text(found) == (
        "hit: the strongest point lies in the dashed outline, with 75% of the relevance inside: 3.0 × the "
        "outline's share of the film (25.0%)"
    )
    other = against_truth(heat(relevance), comparison(~mask), "Edema")
    assert other is not None
    assert not other.hit
    assert "miss: the strongest point lies outside" in truth_text(other)


@pytest.mark.parametrize("grid", [(7, 7), (14, 14), (64, 64)])
def test_the_values_are_those_of_the_judge(grid: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((64, 64), bool)
    mask[10:30, 20:50] = True
    each, film = heat(rng.normal(size=grid)), comparison(mask)
    found = against_truth(each, film, "Edema")
    assert found is not None
    relevance = each.on_film(each.maps, (64, 64))[0]
    assert found.hit == bool(hit(relevance, mask))
    assert found.inside == pytest.approx(relevance_mass(relevance, mask))
    assert found.chance == mask.mean()


def test_there_is_nothing_to_say_without_a_mask_a_finished_map_or_relevance() -> None:
    mask = np.ones((8, 8), bool)
    each = heat(np.ones((8, 8)))
    assert against_truth(each, replace(comparison(mask), masks={}), "Edema") is None
    assert against_truth(each, comparison(np.zeros((8, 8), bool)), "Edema") is None
    assert against_truth(replace(each, progress=0.5), comparison(mask), "Edema") is None
    assert against_truth(heat(-np.ones((8, 8))), comparison(mask), "Edema") is None
    assert against_truth(each, comparison(mask), "Fracture") is None
