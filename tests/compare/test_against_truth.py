"""A map against the mask of its finding."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cxrbench.compare import Comparison, HeatMaps, Settings
from cxrbench.compare.against_truth import (
    AgainstTruth,
    KnownTruth,
    against_truth,
    prior_inside,
    truth_line,
    truth_meaning,
)
from cxrbench.data.phantom import phantom_priors
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
    assert found is not None
    assert (found.hit, found.inside, found.chance) == (True, 0.75, 0.25)
    assert truth_line(found) == "Hit: 75% inside, chance 25"
    other = against_truth(heat(relevance), comparison(~mask), "Edema")
    assert other is not None
    assert truth_line(other) == "Miss: 25% inside, chance 75"


def test_the_line_states_prior_and_true_effect_where_they_are_known() -> None:
    found = AgainstTruth(True, 0.754, 0.0042, prior=0.31, effect=3.14, logit=2.04)
    assert truth_line(found) == "Hit: 75% inside, prior 31, chance 0.4 · Δlogit −3.1"
    assert truth_meaning(found, "Edema") == (
        "Hit: the strongest point of the map lies in the dashed outline, the known extent of Edema. "
        "75% of the positive relevance lies inside; of the location prior, which marks where Edema lies on "
        "other films and never sees this one, 31%; of a map without structure 0.4%, the outline's share of "
        "the film. On the same film rendered without Edema the logit falls by 3.1 (2.0 → −1.1): so much of "
        "the score is truly due to it."
    )
    hardly = AgainstTruth(False, 0.1, 0.1, effect=0.03, logit=-1.0)
    assert truth_line(hardly).endswith("Δlogit ±0.0")
    assert "this model hardly uses it" in truth_meaning(hardly, "Edema")
    lowers = AgainstTruth(False, 0.1, 0.1, effect=-0.6)
    assert truth_line(lowers).endswith("Δlogit +0.6")
    assert "the logit rises by 0.6: the finding truly lowers the score" in truth_meaning(lowers, "Edema")


def test_what_is_known_of_a_finding_is_that_of_the_maps_model() -> None:
    mask = np.zeros((8, 8), bool)
    mask[:4, :4] = True
    known = KnownTruth({"Edema": 0.3}, {("m", "Edema"): 1.5, ("other", "Edema"): 9.0})
    found = against_truth(heat(np.ones((8, 8))), comparison(mask), "Edema", known)
    assert found is not None
    assert (found.prior, found.effect) == (0.3, 1.5)


def test_the_share_of_the_prior_is_the_judges() -> None:
    mask = np.zeros((96, 96), bool)
    mask[20:60, 10:40] = True
    prior = torch.from_numpy(phantom_priors()["Edema"])[None, None]
    enlarged = F.interpolate(prior, size=(96, 96), mode="bilinear", align_corners=False)[0, 0].numpy()
    assert prior_inside("Edema", mask) == pytest.approx(relevance_mass(enlarged, mask), rel=1e-5)
    assert np.isnan(prior_inside("Edema", np.zeros((96, 96), bool)))
    assert np.isnan(prior_inside("No Finding", mask))


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
