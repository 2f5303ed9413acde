"""Attention methods against numbers worked out by hand, and against slow derivations from the papers."""

from collections.abc import Callable
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import nn

from cxrbench.explain import METHODS, explain
from cxrbench.labels import CHEXPERT
from cxrbench.models import ARCHITECTURES, Classifier, ModelSpec
from cxrbench.models.attention import AttentionTrace, attention_problem, last_layers, trace_attention
from cxrbench.preprocess import Preprocessing

# EVA-02's blocks turn queries and keys by their position, which the trace does not compute.
TRANSFORMERS = [
    name for name, record in ARCHITECTURES.items() if record.layout == "tokens" and name != "eva02_tiny"
]
# Kinds of timm's vision transformers that are not in the zoo.
KINDS: dict[str, dict[str, Any]] = {
    "distilled": {"model_name": "deit_tiny_distilled_patch16_224"},
    "mean of patches": {"model_name": "vit_tiny_patch16_224", "global_pool": "avg"},
    "registers": {"model_name": "vit_tiny_patch16_224", "reg_tokens": 2},
    "all parts": {
        "model_name": "vit_tiny_patch16_224",
        "init_values": 0.3,
        "qk_norm": True,
        "scale_attn_norm": True,
        "proj_drop_rate": 0.2,
        "attn_drop_rate": 0.2,
        "drop_path_rate": 0.2,
    },
}


def classifier(backbone: nn.Module, architecture: str = "vit_tiny", size: int = 96) -> Any:
    spec = ModelSpec(
        name="made",
        architecture=architecture,
        labels=CHEXPERT,
        preprocessing=Preprocessing(size=size),
        thresholds=(0.5,) * len(CHEXPERT),
    )
    return Classifier(backbone, spec).eval()


def made(kind: str, depth: int = 3) -> Any:
    torch.manual_seed(5)
    options: dict[str, Any] = {
        "in_chans": 1,
        "num_classes": 14,
        "img_size": 96,
        "dynamic_img_size": True,
        "depth": depth,
    }
    return classifier(timm.create_model(**options, **KINDS[kind]))


@pytest.fixture
def tiny() -> Any:
    """Two blocks of three heads, four patches and a class token, in double precision."""
    torch.manual_seed(2)
    options: dict[str, Any] = {"patch_size": 16, "in_chans": 1, "embed_dim": 12, "depth": 2, "num_heads": 3}
    backbone = timm.models.VisionTransformer(img_size=32, num_classes=14, dynamic_img_size=True, **options)
    for parameter in backbone.parameters():
        nn.init.normal_(parameter, std=0.5)
    return classifier(backbone.double(), size=32)


@pytest.fixture
def picture() -> torch.Tensor:
    return torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(4)).double()


@pytest.mark.parametrize("architecture", TRANSFORMERS)
def test_the_unrolled_blocks_give_the_models_own_logits(
    random_model: Callable[[str], Classifier], images: torch.Tensor, architecture: str
) -> None:
    model = random_model(architecture)
    trace = trace_attention(model, images)
    torch.testing.assert_close(trace.logits.detach(), model(images).detach(), rtol=1e-5, atol=1e-6)
    assert len(trace.weights) == len(trace.tokens) == 12
    assert trace.read == (0,)
    assert trace.grid == (6, 6)


@pytest.mark.parametrize("kind", KINDS)
def test_the_unrolled_blocks_give_the_logits_of_other_kinds_of_transformers(
    images: torch.Tensor, kind: str
) -> None:
    model = made(kind)
    assert attention_problem(model) is None
    trace = trace_attention(model, images)
    torch.testing.assert_close(trace.logits, model.backbone(images), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(last_layers(model, trace.tokens[-1]), trace.logits)


@pytest.mark.parametrize("kind", KINDS)
def test_the_attention_is_that_of_timms_own_unfused_modules(images: torch.Tensor, kind: str) -> None:
    model = made(kind)
    fused = [block.attn.fused_attn for block in model.backbone.blocks]
    trace = trace_attention(model, images)
    assert [block.attn.fused_attn for block in model.backbone.blocks] == fused
    other, recorded = deepcopy(model.backbone), []
    for block in other.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _, inputs, output: recorded.append(output))
    other(images)
    for weights, expected in zip(trace.weights, recorded, strict=True):
        torch.testing.assert_close(weights, expected, rtol=1e-5, atol=1e-7)


def test_the_head_of_a_distilled_transformer_reads_two_tokens(images: torch.Tensor) -> None:
    model = made("distilled")
    trace = trace_attention(model, images)
    assert (trace.read, trace.prefix) == ((0, 1), 2)
    tokens = model.backbone.norm(trace.tokens[-1]).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(model.backbone.forward_head(tokens).sum(), tokens)
    assert (gradient.abs().sum((0, 2)) > 0).nonzero()[:, 0].tolist() == [0, 1]


def test_a_head_that_averages_patches_reads_all_of_them(images: torch.Tensor) -> None:
    trace = trace_attention(made("mean of patches"), images)
    assert trace.read == tuple(range(1, 37))


def hand_made() -> tuple[Any, tuple[torch.Tensor, torch.Tensor]]:
    """Two blocks, one head, a class token and one patch; passes with one finding."""
    first = torch.tensor([[[[0.5, 0.5], [0.25, 0.75]]]], requires_grad=True)
    second = torch.tensor([[[[0.2, 0.8], [0.6, 0.4]]]], requires_grad=True)
    logit = 2 * first[:, 0, 0, 1] - first[:, 0, 1, 1] + 3 * second[:, 0, 0, 1] + second[:, 0, 1, 1]
    values = (torch.tensor([[1.0], [4.0]]), torch.tensor([[3.0], [-2.0]]))
    tokens = tuple(weights[:, 0] @ value for weights, value in zip((first, second), values, strict=True))
    trace = AttentionTrace((first, second), tokens, logit[:, None], (0,), 1, (1, 1))
    model = SimpleNamespace(
        backbone=SimpleNamespace(norm=nn.Identity()),
        architecture=SimpleNamespace(head=lambda backbone: lambda tokens: tokens[:, 0]),
    )
    return SimpleNamespace(attention=trace, findings=torch.tensor([0]), model=model), (first, second)


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        # (.6, .4) · ((.75, .25), (.125, .875)) = (.5, .5)
        ("attention_rollout", {}, 0.5),
        # Of each block's four weights the smallest one is discarded: .25 of the first, .2 of the second.
        # Rows scaled to 1: (1, .8) / 1.8 · ((.75, .25), (0, 1)) = (.417, .25 / 1.8 + .8 / 1.8)
        ("attention_rollout", {"discard": 0.25}, 1.05 / 1.8),
        # relu(g ⊙ A): (0, 1), (0, 0) and (0, 2.4), (0, .4); (1, 2.4) · ((1, 1), (0, 1)) = (1, 3.4)
        ("gradient_rollout", {}, 3.4),
        ("gradient_rollout", {"blocks": 1}, 2.4),
        # Gradients of the class token's outputs: (1, 4) and (3, −2), half of the rows of queries.
        ("legrad", {}, (4 / 2 + 0) / 2),
        ("legrad", {"blocks": 1}, 0.0),
        # The mean of both tokens: both rows of queries count, each half.
        ("legrad", {"tokens": "mean"}, (4 / 2 + 0) / 2),
    ],
)
def test_two_tokens_give_the_map_worked_out_by_hand(
    name: str, parameters: dict[str, Any], expected: float
) -> None:
    passes, _ = hand_made()
    *_, draft = METHODS[name].compute(passes, METHODS[name].parameters(**parameters))
    assert draft.maps.shape == (1, 1, 1, 1)
    assert draft.maps.item() == pytest.approx(expected, abs=1e-6)


def slow_logit(
    model: Any, picture: torch.Tensor, finding: int, changes: dict[tuple[int, ...], float], depth: int = 2
) -> tuple[float, np.ndarray]:
    """A logit and the attention (blocks, heads, N, N), computed token by token; weights may be changed."""
    backbone = model.backbone
    with torch.no_grad():
        tokens = backbone._pos_embed(backbone.patch_embed(picture))[0]
        heads, width = 3, 4
        attention_weights = np.zeros((depth, heads, 5, 5))
        for index in range(depth):
            block = backbone.blocks[index]
            normed = block.norm1(tokens)
            packed = normed @ block.attn.qkv.weight.T + block.attn.qkv.bias
            outputs = []
            for query in range(5):
                parts = []
                for head in range(heads):
                    q = packed[query, head * width : (head + 1) * width]
                    start = 12 + head * width
                    scores = torch.stack([q @ packed[key, start : start + width] / 2.0 for key in range(5)])
                    weights = scores.exp() / scores.exp().sum()
                    attention_weights[index, head, query] = weights.numpy()
                    for key in range(5):
                        weights[key] += changes.get((index, head, query, key), 0.0)
                    start = 24 + head * width
                    part = [weights[key] * packed[key, start : start + width] for key in range(5)]
                    parts.append(torch.stack(part).sum(0))
                outputs.append(block.attn.proj(torch.cat(parts)))
            tokens = tokens + torch.stack(outputs)
            tokens = tokens + block.mlp(block.norm2(tokens))
        logit = backbone.head(backbone.norm(tokens)[0])[finding]
    return float(logit), attention_weights


def slow_gradient(model: Any, picture: torch.Tensor, finding: int, depth: int, block: int) -> np.ndarray:
    """Central differences of the logit behind ``depth`` blocks for every attention weight of one block."""
    gradient = np.zeros((3, 5, 5))
    for position in np.ndindex(gradient.shape):
        place = (block, *position)
        up, down = (slow_logit(model, picture, finding, {place: s}, depth)[0] for s in (1e-5, -1e-5))
        gradient[position] = (up - down) / 2e-5
    return gradient


def map_of(model: Any, picture: torch.Tensor, key: str, finding: int = 3) -> np.ndarray:
    *_, last = explain(model, picture, [finding], [key])
    values: np.ndarray = last.maps[0, 0].numpy()
    return values


@pytest.mark.parametrize("heads", ["mean", "max", "min"])
def test_rollout_is_the_product_of_the_papers_matrices(tiny: Any, picture: torch.Tensor, heads: str) -> None:
    _, weights = slow_logit(tiny, picture, 0, {})
    joint = np.eye(5)
    for block in weights:
        fused = getattr(block, heads)(0)
        passed = np.array([[fused[i, j] + (i == j) for j in range(5)] for i in range(5)])
        joint = np.array([row / row.sum() for row in passed]) @ joint
    np.testing.assert_allclose(
        map_of(tiny, picture, f"attention_rollout(heads={heads})"), joint[0, 1:].reshape(2, 2), rtol=1e-9
    )


def test_gradient_weighted_rollout_is_the_papers_recursion(tiny: Any, picture: torch.Tensor) -> None:
    _, weights = slow_logit(tiny, picture, 0, {})
    relevance = np.eye(5)
    for block in range(2):
        gradient = slow_gradient(tiny, picture, 3, 2, block)
        relevance = relevance + np.maximum(gradient * weights[block], 0).mean(0) @ relevance
    np.testing.assert_allclose(
        map_of(tiny, picture, "gradient_rollout"), relevance[0, 1:].reshape(2, 2), rtol=1e-5
    )


def test_legrad_is_the_mean_of_the_positive_gradients_of_each_blocks_logit(
    tiny: Any, picture: torch.Tensor
) -> None:
    expected = np.zeros(4)
    for depth in (1, 2):  # the logit computed from the output of the first block, and of the second
        gradient = slow_gradient(tiny, picture, 3, depth, depth - 1)
        for head in range(3):
            for query in range(5):
                expected += np.maximum(gradient[head, query, 1:], 0) / (2 * 3 * 5)
    np.testing.assert_allclose(map_of(tiny, picture, "legrad"), expected.reshape(2, 2), rtol=1e-5)


def test_legrad_of_the_mean_token_is_the_authors_code(tiny: Any, picture: torch.Tensor) -> None:
    trace = trace_attention(tiny, picture)
    expected = torch.zeros(4).double()
    for weights, tokens in zip(trace.weights, trace.tokens, strict=True):
        logit = tiny.backbone.head(tiny.backbone.norm(tokens.mean(dim=1)))[0, 3]
        (gradient,) = torch.autograd.grad(logit, weights, retain_graph=True)
        expected += gradient.clamp(min=0).mean(dim=1).mean(dim=1)[0, 1:] / 2
    np.testing.assert_allclose(map_of(tiny, picture, "legrad(tokens=mean)"), expected.view(2, 2), rtol=1e-9)


@pytest.mark.parametrize("kind", ["distilled", "mean of patches"])
def test_a_map_is_the_mean_over_the_tokens_that_the_head_reads(images: torch.Tensor, kind: str) -> None:
    model = made(kind)
    trace = trace_attention(model, images[:1])
    joint = relevance = torch.eye(trace.weights[0].shape[-1])
    for weights in trace.weights:
        fused = weights[0].mean(0).detach()
        joint = (fused + torch.eye(len(fused))) / 2 @ joint
        (gradient,) = torch.autograd.grad(trace.logits[0, 3], weights, retain_graph=True)
        relevance = relevance + (gradient * weights).detach()[0].relu().mean(0) @ relevance
    for key, matrix in (
        ("attention_rollout", joint),
        ("gradient_rollout", relevance - torch.eye(len(joint))),
    ):
        expected = matrix[list(trace.read), trace.prefix :].mean(0).view(6, 6)
        ours = map_of(model, images[:1], key)
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5 * float(expected.max()))


def test_the_forward_pass_is_shared_by_findings_and_methods(
    tiny: Any, picture: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(*arguments: Any) -> AttentionTrace:
        calls.append(1)
        return trace_attention(*arguments)

    monkeypatch.setattr("cxrbench.explain.passes.trace_attention", counted)
    methods = [name for name, record in METHODS.items() if record.family == "attention"]
    assert len(list(explain(tiny, picture, range(14), methods))) == len(methods) == 3
    assert len(calls) == 1


def test_attention_methods_say_why_eva_has_none(random_model: Callable[[str], Classifier]) -> None:
    problem = METHODS["legrad"].supports(random_model("eva02_tiny"))
    assert problem == "the blocks of EVA-02-Ti/16 are not those of a plain vision transformer"


@pytest.mark.parametrize("name", [name for name, each in ARCHITECTURES.items() if each.layout != "tokens"])
def test_attention_methods_say_why_other_networks_have_none(
    random_model: Callable[[str], Classifier], name: str
) -> None:
    problem = METHODS["legrad"].supports(random_model(name))
    assert problem is not None
    assert problem.startswith(ARCHITECTURES[name].title)
    assert "is no vision transformer" in problem


def test_transformers_of_other_kinds_are_refused() -> None:
    options: dict[str, Any] = {"in_chans": 1, "num_classes": 14, "img_size": 96, "depth": 1}
    pooled = classifier(timm.create_model("vit_tiny_patch16_224", global_pool="max", **options))
    assert "neither the class token nor the mean" in str(attention_problem(pooled))
    after = timm.models.vision_transformer.ResPostBlock
    blocks = classifier(timm.create_model("vit_tiny_patch16_224", block_fn=after, **options))
    assert "not those of a plain vision transformer" in str(attention_problem(blocks))
