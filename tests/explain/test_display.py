"""From relevance to what is drawn."""

import torch

from cxrbench.explain import heatmap, upsample


def test_upsampling_is_bilinear_with_aligned_pixel_centres():
    ramp = torch.tensor([[[[0.0, 4.0]]]])
    assert upsample(ramp, (1, 8)).flatten().tolist() == [0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4]
    assert upsample(ramp, (1, 2)) is ramp


def test_a_heatmap_is_what_speaks_for_the_finding_over_the_largest_value():
    relevance = torch.tensor([[[-3.0, 0], [1, 2]], [[0, 0], [0.5, 4]]])
    assert torch.equal(heatmap(relevance), torch.tensor([[[0, 0], [0.5, 1]], [[0, 0], [0.125, 1]]]))


def test_a_heatmap_without_anything_to_show_is_zero_and_nan_stays_nan():
    assert not heatmap(torch.full((2, 3, 3), -1.0)).any()
    found = heatmap(torch.tensor([[float("nan"), 1.0]]))
    assert torch.isnan(found[0, 0])
    assert found[0, 1] == 1
