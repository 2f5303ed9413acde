"""Points on the path: rules against known integrals, and integrated gradients that stop by themselves."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cxrbench.errors import InputError
from cxrbench.explain import METHODS, Draft, configured_method, explain, integrated_gradients
from cxrbench.explain.quadrature import gauss_legendre, nested_trapezoid, typical_nodes
from cxrbench.models import Classifier
from cxrbench.preprocess import Preprocessing

PLAIN = Preprocessing(size=4, mean=0.0, std=1.0)  # black is 0


class Powers(nn.Module):
    """Logits Σ x^p, one per power: along the path from zero the derivative is Σ p·x^p·α^(p − 1)."""

    def __init__(self, *powers: float) -> None:
        super().__init__()
        self.powers = powers

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return torch.stack([(values**power).sum(1) for power in self.powers], 1)


def powers(chain: Callable[..., Any], *exponents: float) -> Any:
    return chain(
        "flat", labels=len(exponents), preprocessing=PLAIN, flat=nn.Flatten(), powers=Powers(*exponents)
    )


def drafts_of(
    model: Any, images: torch.Tensor, findings: Sequence[int], tolerance: float, **options: Any
) -> list[Draft]:
    return list(integrated_gradients(model, images, findings, tolerance=tolerance, **options))


@pytest.mark.parametrize("place", range(5))
def test_each_check_of_the_nested_rule_is_the_trapezoid_rule(place: int) -> None:
    rule = nested_trapezoid()
    assert rule.checks == (17, 33, 65, 129, 257)
    count = rule.checks[place]
    values = np.exp(rule.nodes[:count]) * rule.weights[:count] / rule.covered(count)
    grid = np.linspace(0, 1, count)
    assert values.sum() == pytest.approx(np.trapezoid(np.exp(grid), grid), abs=1e-14)
    assert sorted(rule.nodes[:count]) == pytest.approx(grid)


def test_chunks_end_at_the_checks_and_visit_each_node_once() -> None:
    for rule in (nested_trapezoid(), gauss_legendre(50)):
        chunks = list(rule.chunks(10))
        assert [start for start, _ in chunks[1:]] == [end for _, end in chunks[:-1]]
        assert chunks[0] == (0, 4)
        assert max(end - start for start, end in chunks) <= 10
        assert set(rule.checks) <= {end for _, end in chunks}


def test_a_rule_of_fixed_nodes_sums_to_one() -> None:
    rule = gauss_legendre(7)
    assert rule.covered(7) == 1
    assert rule.weights.sum() == pytest.approx(1)
    assert (rule.weights * rule.nodes**13).sum() == pytest.approx(1 / 14)  # exact up to degree 2n − 1


@pytest.mark.parametrize("tolerance", [0.1, 0.01, 0.003])
def test_the_map_is_complete_within_the_tolerance(chain: Callable[..., Any], tolerance: float) -> None:
    model = powers(chain, 2.0, 9.0, 40.0)
    images = torch.linspace(0.5, 1, 16).view(1, 1, 4, 4)
    *earlier, last = drafts_of(model, images, [0, 1, 2], tolerance)
    assert last.completeness.abs().max() <= tolerance
    change = model(images).detach()
    torch.testing.assert_close(last.maps.sum((2, 3)), change, rtol=tolerance, atol=0)
    assert last.done == last.total
    progress = [draft.done / draft.total for draft in earlier]
    assert progress == sorted(progress)
    assert all(value < 1 for value in progress)


def test_each_finding_stops_at_the_trapezoid_rule_that_it_needs(chain: Callable[..., Any]) -> None:
    """The derivative along the path is p·α^(p − 1), and the trapezoid rule of it is known."""
    model = powers(chain, 2.0, 40.0)
    *_, last = drafts_of(model, torch.ones(1, 1, 4, 4), [0, 1], 0.01)
    for place, (power, intervals) in enumerate(((2, 16), (40, 128))):
        grid = np.linspace(0, 1, intervals + 1)
        expected = np.trapezoid(power * grid ** (power - 1), grid)
        assert last.maps[0, place].numpy() == pytest.approx(expected, rel=1e-5)
        assert last.completeness[0, place] == pytest.approx(expected - 1, abs=1e-5)
        coarser = grid[::2]
        assert intervals == 16 or abs(float(np.trapezoid(power * coarser ** (power - 1), coarser)) - 1) > 0.01


def test_findings_and_images_stop_as_they_do_alone(chain: Callable[..., Any]) -> None:
    model = powers(chain, 2.0, 9.0, 40.0)
    images = torch.stack([torch.full((1, 4, 4), 1.0), torch.linspace(0, 1, 16).view(1, 4, 4)])
    *_, together = drafts_of(model, images, [0, 1, 2], 0.01)
    for finding in range(3):
        *_, alone = drafts_of(model, images, [finding], 0.01)
        assert torch.equal(alone.maps[:, 0], together.maps[:, finding])
        assert torch.equal(alone.completeness[:, 0], together.completeness[:, finding])
    for place in range(2):
        *_, alone = drafts_of(model, images[[place]], [0, 1, 2], 0.01)
        torch.testing.assert_close(alone.maps[0], together.maps[place])


def test_findings_of_a_network_have_the_bits_that_they_have_alone(
    random_model: Callable[[str], Classifier], image: torch.Tensor
) -> None:
    model = random_model("efficientnet_b0")
    key = "integrated_gradients(tolerance=0.2)"
    *_, together = explain(model, image, [0, 7], [key])
    for place, finding in enumerate((0, 7)):
        *_, alone = explain(model, image, [finding], [key])
        assert torch.equal(alone.maps[:, 0], together.maps[:, place])
    assert together.completeness.abs().max() <= 0.2


def test_a_linear_model_stops_at_the_first_check(chain: Callable[..., Any]) -> None:
    model = chain("flat", preprocessing=PLAIN, flat=nn.Flatten(), fc=nn.Linear(16, 2))
    images = torch.randn(1, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    *_, last = drafts_of(model, images, [0], 1e-4)
    assert last.done == 17
    torch.testing.assert_close(last.maps[0, 0], (images[0, 0] * model.chain["fc"].weight[0].view(4, 4)))


def test_the_error_that_was_reached_is_stated_where_the_nodes_do_not_suffice(
    chain: Callable[..., Any],
) -> None:
    *_, last = drafts_of(powers(chain, 900.0), torch.ones(1, 1, 4, 4), [0], 0.01)
    assert last.done == last.total == 257
    grid = np.linspace(0, 1, 257)
    reached = np.trapezoid(900 * grid**899, grid) - 1
    assert last.completeness.item() == pytest.approx(reached, rel=1e-3)
    assert reached > 0.01


def test_a_logit_that_does_not_change_stops_once_the_map_cancels_out(chain: Callable[..., Any]) -> None:
    model = chain("flat", preprocessing=PLAIN, flat=nn.Flatten(), fc=nn.Linear(16, 2, bias=False))
    with torch.no_grad():
        model.chain["fc"].weight[0] = torch.tensor([1.0, -1.0]).repeat(8)
        model.chain["fc"].weight[1] = 0
    *_, last = drafts_of(model, torch.ones(1, 1, 4, 4), [0, 1], 0.01)
    assert last.completeness.isnan().all()
    assert last.done == 17
    assert not last.maps[0, 1].any()


def test_the_callers_mode_may_change_between_drafts(chain: Callable[..., Any]) -> None:
    model, images = powers(chain, 3.0), torch.ones(1, 1, 4, 4)
    *_, expected = drafts_of(model, images, [0], 0.001)
    with torch.inference_mode():
        drafts = integrated_gradients(model, images, [0], tolerance=0.001)
        last = next(drafts)
    for each in drafts:
        last = each
    assert torch.equal(last.maps, expected.maps)


def test_a_tolerance_is_a_parameter_like_any_other(chain: Callable[..., Any]) -> None:
    model = powers(chain, 5.0)
    *_, last = explain(model, torch.ones(1, 1, 4, 4), [0], ["integrated_gradients(tolerance=0.01)"])
    assert last.method == "integrated_gradients(tolerance=0.01)"
    assert abs(last.completeness.item()) <= 0.01
    configured = configured_method("grad_cam_integrated_gradients(tolerance=0.01)")
    assert configured.parameters.tolerance == 0.01
    with pytest.raises(InputError, match=r"tolerance must be a relative error in \[0, 1\); got -1"):
        integrated_gradients(model, torch.ones(1, 1, 4, 4), [0], tolerance=-1)


def test_the_price_follows_the_tolerance() -> None:
    record = METHODS["integrated_gradients"]
    passes = [
        record.passes(1, configured_method(f"integrated_gradients(tolerance={value})").parameters)
        for value in (0.5, 0.05, 0.01, 0.001)
    ]
    assert passes == sorted(passes)
    assert len(set(passes)) >= 3
    assert typical_nodes(50, 0.0) == 50
    assert typical_nodes(50, 0.01) in nested_trapezoid().checks
    assert math.isfinite(typical_nodes(1, 1e-9))
