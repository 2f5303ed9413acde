"""From relevance to what is drawn."""

import pytest
import torch

from cxrbench.errors import InputError
from cxrbench.explain import heatmap, state, upsample


def test_upsampling_is_bilinear_with_aligned_pixel_centres():
    ramp = torch.tensor([[[[0.0, 4.0]]]])
    assert upsample(ramp, (1, 8)).flatten().tolist() == [0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4]
    assert upsample(ramp, (1, 2)) is ramp


def test_a_heatmap_is_what_speaks_for_the_finding_over_the_largest_value():
    relevance = torch.tensor([[[-3.0, 0], [1, 2]], [[0, 0], [0.5, 4]]])
    assert torch.equal(heatmap(relevance), torch.tensor([[[0, 0], [0.5, 1]], [[0, 0], [0.125, 1]]]))
    shared = heatmap(relevance, scale="shared")
    assert torch.equal(shared, torch.tensor([[[0, 0], [0.25, 0.5]], [[0, 0], [0.125, 1]]]))
    assert torch.equal(heatmap(relevance, scale=1.0)[1], torch.tensor([[0, 0], [0.5, 1]]))


def test_a_heatmap_without_anything_to_show_is_zero_and_nan_stays_nan():
    assert not heatmap(torch.full((2, 3, 3), -1.0)).any()
    found = heatmap(torch.tensor([[float("nan"), 1.0]]))
    assert torch.isnan(found[0, 0])
    assert found[0, 1] == 1


@pytest.mark.parametrize("scale", ["max", 0.0, -1.0])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(InputError, match="scale must be 'map', 'shared' or a number above 0"):
        heatmap(torch.ones(1, 2, 2), scale=scale)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[0.0, 0], [0, 0]], "empty after ReLU"),
        ([[-1.0, -2], [-3, 0]], "empty after ReLU"),
        ([[2.0, 2], [2, 2 + 1e-7]], "constant"),
        ([[2.0, float("nan")], [2, 2]], "undefined"),
        ([[-2.0, 1e-9], [0, 0]], "ok"),
    ],
)
def test_a_map_that_shows_nothing_says_so(values, said):
    assert state(torch.tensor(values)) == said
