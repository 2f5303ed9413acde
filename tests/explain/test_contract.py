"""The contract of every method, on every backbone."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from cxrbench.explain import FAMILIES, METHODS, Context, Explanation, Passes, explain, stage_name
from cxrbench.explain.fast_copy import fast_copy
from cxrbench.labels import CHEXPERT
from cxrbench.models import ARCHITECTURES, Classifier, Features, create
from cxrbench.preprocess import Preprocessing

FINDINGS = [0, 7, 13]
# Methods whose map may be zero everywhere: where Grad-CAM, or the map of any stage, is nowhere positive,
# where no lungs are found, and for a finding that the other films lack.
MAY_BE_EMPTY = {
    *("grad_cam_integrated_gradients", "guided_grad_cam", "refine_cam", "lung_mask", "location_prior"),
}
QUICK = ("efficientnet_b0", "swin_tiny", "vit_tiny")


def maps_of(
    model: Any, images: torch.Tensor, findings: Sequence[int], key: str, **options: Any
) -> Explanation:
    *_, last = explain(model, images, findings, [key], context=context_of(images), **options)
    return last


def context_of(images: torch.Tensor) -> Context:
    """Twins of each image for every finding, another one for each."""
    return Context(twins={finding: images * (0.3 + 0.05 * finding) for finding in range(len(CHEXPERT))})


def maps_of_all(
    model: Any, images: torch.Tensor, findings: Sequence[int], short: Callable[[str], str]
) -> dict[str, Explanation]:
    """Method → its final map, from one call whose methods share their passes."""
    methods = {short(name): name for name in METHODS if METHODS[name].supports(model) is None}
    explanations = explain(model, images, findings, list(methods), context=context_of(images))
    return {methods[each.method]: each for each in explanations}


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_method_meets_the_contract_on_every_backbone(
    random_model: Callable[[str], Classifier],
    images: torch.Tensor,
    short: Callable[[str], str],
    architecture: str,
) -> None:
    model = random_model(architecture)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    separately = {finding: maps_of_all(model, images, [finding], short) for finding in FINDINGS[::2]}
    for name, together in maps_of_all(model, images, FINDINGS, short).items():
        assert together.maps.shape[:2] == (2, len(FINDINGS)), name
        assert together.maps.dtype == torch.float32, name
        assert torch.isfinite(together.maps).all(), name
        # In a map of one cell no channel varies, and the cell is the mean.
        record, single = METHODS[name], together.maps.shape[2:] == (1, 1)
        one_cell = single and record.family == "cam" and not record.shares_passes
        if name not in MAY_BE_EMPTY and not one_cell:
            assert together.maps.abs().amax((2, 3)).min() > 0, name
        assert together.relevance.shape == (2, len(FINDINGS), 96, 96), name
        assert not together.maps.requires_grad, name
        assert together.progress == 1, name
        for finding, alone_maps in separately.items():
            index, alone = FINDINGS.index(finding), alone_maps[name]
            assert torch.equal(alone.maps[:, 0], together.maps[:, index]), f"{name}, finding {finding}"
            assert torch.equal(alone.stable[:, 0], together.stable[:, index]), f"{name}, finding {finding}"
    assert not model.training
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("architecture", QUICK)
def test_an_image_has_the_same_maps_alone_and_in_a_batch(
    random_model: Callable[[str], Classifier],
    images: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
    short: Callable[[str], str],
    architecture: str,
) -> None:
    model = random_model(architecture)
    alone = [maps_of_all(model, image, [4], short) for image in images.split(1)]
    for name, batch in maps_of_all(model, images, [4], short).items():
        one_by_one = torch.cat([each[name].maps for each in alone])
        # Other batch sizes use other kernels; Grad-CAM++ amplifies that where activations nearly cancel.
        assert relative(batch.maps, one_by_one) <= 1e-3, name


@pytest.mark.parametrize("name", METHODS)
def test_the_callers_gradient_mode_changes_no_bit(
    suitable_model: Callable[[str], Classifier],
    image: torch.Tensor,
    short: Callable[[str], str],
    name: str,
) -> None:
    model = suitable_model(name)
    expected = maps_of(model, image, FINDINGS, short(name)).maps
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            assert torch.equal(maps_of(model, image.clone(), FINDINGS, short(name)).maps, expected), mode


@pytest.mark.parametrize(
    "name", [name for name, record in METHODS.items() if record.passes(3, record.parameters()) < 200]
)
def test_a_method_called_alone_gives_the_map_of_the_last_stage_with_its_defaults(
    suitable_model: Callable[[str], Classifier], image: torch.Tensor, name: str
) -> None:
    model = suitable_model(name)
    context = context_of(image)
    relevance = METHODS[name].explain(model, image, torch.tensor(FINDINGS), context)
    assert relevance.shape == (1, len(FINDINGS), 96, 96)
    *_, last = explain(model, image, FINDINGS, [name], context=context)  # with the same defaults
    assert torch.equal(relevance, last.relevance)


@pytest.mark.parametrize("architecture", QUICK)
def test_every_stage_of_a_backbone_can_be_read_by_every_method_that_reads_one(
    random_model: Callable[[str], Classifier], image: torch.Tensor, architecture: str
) -> None:
    model = random_model(architecture)
    methods = [name for name, record in METHODS.items() if record.shares_passes and record.reads_stage]
    sides: dict[str, list[int]] = {name: [] for name in methods}
    for stage in model.stages:
        for explanation in explain(model, image, [0], methods, stage=stage):
            assert explanation.stage == stage
            sides[explanation.method].append(explanation.maps.shape[-1])
    for name in methods:
        assert len(sides[name]) == len(model.stages)
        assert sides[name] == sorted(sides[name], reverse=True)


@pytest.mark.parametrize("architecture", ["efficientnet_b0", "vit_tiny"])
def test_maps_of_a_rectangle_have_its_proportions(short: Callable[[str], str], architecture: str) -> None:
    model = create(architecture, CHEXPERT, preprocessing=Preprocessing(size=(96, 64)), seed=1)
    image = torch.randn(1, 1, 96, 64, generator=torch.Generator().manual_seed(0))
    for name, explanation in maps_of_all(model, image, FINDINGS[:2], short).items():
        assert explanation.relevance.shape == (1, 2, 96, 64), name
        assert torch.isfinite(explanation.maps).all(), name
        assert explanation.maps.shape[2:] in ((96, 64), model.resolution()) or not METHODS[name].reads_stage


@pytest.mark.parametrize("name", METHODS)
def test_class_specific_states_whether_maps_of_two_findings_differ(
    suitable_model: Callable[[str], Classifier],
    image: torch.Tensor,
    relative: Callable[[torch.Tensor, torch.Tensor], float],
    short: Callable[[str], str],
    name: str,
) -> None:
    model = suitable_model(name)
    maps = maps_of(model, image, [0, 1], short(name)).maps
    if not METHODS[name].class_specific:
        assert torch.equal(maps[:, 0], maps[:, 1])
        return
    difference = relative(maps[:, 0], maps[:, 1])
    if name == "score_cam":  # of an untrained network's logits the softmax over channels is nearly uniform
        assert 0 < difference < 0.01
    else:
        assert difference > 0.01


@pytest.mark.parametrize("name", METHODS)
def test_a_record_describes_its_method(suitable_model: Callable[[str], Classifier], name: str) -> None:
    record = METHODS[name]
    assert record.name == name
    assert record.title
    assert record.cost
    assert record.reference.startswith(("arXiv:", "doi:")) or record.family == "control"
    assert record.family in FAMILIES
    assert record.caveat.endswith(".")
    assert record.supports(suitable_model(name)) is None  # some backbone of the zoo has it


def test_passes_are_shared_by_the_methods_of_one_call(
    random_model: Callable[[str], Classifier], image: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = random_model("efficientnet_b0")
    trunks = []
    copy = fast_copy(model, image.shape[1:])
    trunk = copy.trunk

    def counted(images: torch.Tensor, stage: str | None = None) -> Features:
        trunks.append(stage)
        return trunk(images, stage)

    monkeypatch.setattr(copy, "trunk", counted)
    records = [record for record in METHODS.values() if record.shares_passes and record.reads_stage]
    cams = [record.name for record in records]
    together = list(explain(model, image, range(14), cams))
    assert len(together) == len(cams) > 1
    assert len(trunks) == 1
    for each in together:  # and no map depends on the other methods of the call
        assert torch.equal(each.maps, maps_of(model, image, range(14), each.method).maps), each.method
    passes = Passes(model, image, torch.tensor([0]))
    assert passes.features() is passes.features(stage_name(model))
