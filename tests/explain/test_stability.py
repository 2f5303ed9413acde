"""Maps that depend on rounding are flagged as unstable, and no others."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from cxrbench import assets
from cxrbench.compare import gallery
from cxrbench.explain import METHODS, Context, explain, heatmap
from cxrbench.explain.cam import grad_cam, grad_cam_plus_plus, xgrad_cam
from cxrbench.explain.passes import StageParameters, from_formula
from cxrbench.explain.stability import PERTURBATION, VISIBLE, perturbed, unchanged
from cxrbench.models import Classifier, hub


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def stable(
    formula: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    activations: torch.Tensor,
    gradients: torch.Tensor,
) -> torch.Tensor:
    passes: Any = SimpleNamespace(  # the part of Passes that a formula reads
        features=lambda stage: (activations, gradients),
        perturbed=lambda stage: tuple(perturbed(activations, gradients)),
    )
    (draft,) = from_formula(formula)(passes, StageParameters())
    return draft.stable


def near_a_pole(distance: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Activations and gradients for which Grad-CAM++'s denominator, 2 + S·g, comes this close to zero."""
    activations = noise(1, 3, 4, 4)
    activations[:, 0] -= activations[:, 0].mean() + 0.5  # sums up to −8
    gradients = noise(1, 1, 3, 4, 4, seed=1)
    gradients[0, 0, 0, 0, 0] = (distance - 2) / activations[0, 0].sum()
    return activations, gradients


def test_a_formula_is_unstable_where_its_denominator_is_nearly_zero_and_only_there() -> None:
    activations, gradients = near_a_pole(1e-5)
    ordinary = noise(1, 1, 3, 4, 4, seed=2).abs() / 100
    both = torch.cat([gradients, ordinary], dim=1)
    assert stable(grad_cam_plus_plus, activations, both).tolist() == [[False, True]]
    assert stable(grad_cam, activations, both).tolist() == [[True, True]]
    assert stable(grad_cam_plus_plus, *near_a_pole(0.5)).tolist() == [[True]]


def test_activations_that_cancel_make_xgrad_cam_unstable() -> None:
    activations, gradients = noise(1, 3, 4, 4), noise(1, 1, 3, 4, 4, seed=1)
    assert stable(xgrad_cam, activations, gradients).all()
    activations[:, 0] -= activations[:, 0].mean() - 1e-6
    assert not stable(xgrad_cam, activations, gradients).any()


def test_a_map_whose_positive_part_is_rounding_error_is_unstable() -> None:
    activations = torch.ones(1, 2, 3, 3)
    gradients = torch.stack([torch.full((3, 3), 1.0), torch.full((3, 3), -1.0)])[None, None]
    assert not stable(grad_cam, activations, gradients).any()
    assert stable(grad_cam, activations, -gradients.abs()).all()  # empty, and empty again
    assert stable(grad_cam, activations, torch.zeros_like(gradients)).all()


def test_the_comparison_is_of_displayed_values() -> None:
    maps = torch.tensor([[[[0.0, 5.0], [10.0, -3.0]]]])
    assert unchanged(maps, 1000 * maps).all()
    assert unchanged(maps, maps.clamp(min=0)).all()
    step = torch.tensor([[[[0.0, 1.0], [0.0, 0.0]]]]) * 10 * VISIBLE
    assert unchanged(maps, maps + 0.9 * step).all()
    assert not unchanged(maps, maps + 1.1 * step).any()
    assert not unchanged(maps, maps * torch.nan).any()


def test_several_findings_and_images_are_perturbed_as_each_alone() -> None:
    activations, gradients = noise(2, 3, 5, 4), noise(2, 6, 3, 5, 4, seed=1)
    together = list(perturbed(activations, gradients))
    for image in range(2):
        for finding in range(6):
            alone = perturbed(activations[[image]], gradients[[image], finding : finding + 1])
            for (many, slopes), (one, slope) in zip(together, alone, strict=True):
                assert torch.equal(many[[image]], one)
                assert torch.equal(slopes[[image], finding : finding + 1], slope)


def test_the_global_random_generator_is_not_used() -> None:
    state = torch.get_rng_state()
    list(perturbed(noise(1, 2, 3, 3), noise(1, 1, 2, 3, 3)))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_states_for_each_map_whether_it_is_stable(
    suitable_model: Callable[[str], Classifier], images: torch.Tensor, short: Callable[[str], str], name: str
) -> None:
    context = Context(twins=dict.fromkeys((0, 5, 9), images * 0.5))
    *_, last = explain(suitable_model(name), images, [0, 5, 9], [short(name)], context=context)
    assert last.stable.shape == (2, 3)
    assert last.stable.dtype == torch.bool


def test_integrated_gradients_of_a_shipped_network_are_stable_under_a_millionth_of_the_image() -> None:
    if not (assets.models() / "efficientnet_b0").is_dir() or not gallery.cases():
        pytest.skip("the model or the gallery does not ship with this checkout")
    model = hub.load(assets.models() / "efficientnet_b0")
    images = model.spec.preprocessing(gallery.load(gallery.cases()[0].id).image)[None]
    drawn = []
    for each in (images, images * (1 + PERTURBATION * noise(*images.shape))):
        *_, last = explain(model, each, [3, 5], ["integrated_gradients"], steps=8)
        assert last.stable.all()
        drawn.append(
            (last.maps / last.maps.abs().flatten(2).quantile(0.995, 2)[..., None, None]).clamp(-1, 1)
        )
    change = (drawn[0] - drawn[1]).abs()
    # A ReLU or a maximum that switches changes single pixels, too few and too little to be seen.
    assert (change > VISIBLE).float().mean() < 2e-3
    assert change.max() < 0.1


@pytest.mark.parametrize("case", ["several", "subtle-effusion"])
def test_maps_of_a_shipped_transformer_that_a_millionth_of_the_image_changes_are_unstable(case: str) -> None:
    if not (assets.models() / "vit_tiny").is_dir() or case not in {each.id for each in gallery.cases()}:
        pytest.skip("the transformer or the case does not ship with this checkout")
    model = hub.load(assets.models() / "vit_tiny")
    images = model.spec.preprocessing(gallery.load(case).image)[None]
    methods = [
        name for name, record in METHODS.items() if record.shares_passes and record.supports(model) is None
    ]
    found = {each.method: each for each in explain(model, images, model.spec.findings, methods)}
    changes = {name: torch.zeros(1, len(model.spec.findings)) for name in methods}
    for seed in range(3):
        other = images * (1 + PERTURBATION * noise(*images.shape, seed=seed))
        for each in explain(model, other, model.spec.findings, methods):
            change = (heatmap(each.maps) - heatmap(found[each.method].maps)).abs().amax((2, 3))
            changes[each.method] = torch.maximum(changes[each.method], change)
    unstable = {name: ~found[name].stable for name in methods}
    for name in methods:
        # A quarter more than a step: at the limit two draws of noise may disagree.
        assert unstable[name][changes[name] > 1.25 * VISIBLE].all(), name
    assert np.array([unstable[name].any() for name in ("grad_cam_plus_plus", "xgrad_cam")]).any()
    assert not any(unstable[name].any() for name in ("grad_cam", "hires_cam", "layer_cam"))
