"""From relevance to displayed values."""

import torch

from cxrbench.explain import heatmap, upsample


def test_upsampling_is_bilinear_with_aligned_pixel_centres() -> None:
    ramp = torch.tensor([[[[0.0, 4.0]]]])
    assert upsample(ramp, (1, 8)).flatten().tolist() == [0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4]
    assert upsample(ramp, (1, 2)) is ramp


def test_a_heatmap_is_the_positive_part_over_the_largest_value() -> None:
    relevance = torch.tensor([[[-3.0, 0], [1, 2]], [[0, 0], [0.5, 4]]])
    assert torch.equal(heatmap(relevance), torch.tensor([[[0, 0], [0.5, 1]], [[0, 0], [0.125, 1]]]))


def test_a_heatmap_without_positive_values_is_zero_and_nan_stays_nan() -> None:
    assert not heatmap(torch.full((2, 3, 3), -1.0)).any()
    result = heatmap(torch.tensor([[float("nan"), 1.0]]))
    assert torch.isnan(result[0, 0])
    assert result[0, 1] == 1
