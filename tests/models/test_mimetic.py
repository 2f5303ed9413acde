"""Mimetic first weights: products as in the paper, positions that tell near from far."""

from typing import Any

import pytest
import torch
from timm.models import VisionTransformer

from cxrbench.errors import InputError
from cxrbench.models import create
from cxrbench.models.mimetic import mimic
from cxrbench.preprocess import Preprocessing


@pytest.fixture(scope="module")
def backbone() -> VisionTransformer:
    network = create("vit_tiny", ["a"], preprocessing=Preprocessing(size=64)).backbone
    assert isinstance(network, VisionTransformer)
    mimic(network, seed=3)
    return network


def test_query_and_key_multiply_to_the_nearest_of_low_rank(backbone: VisionTransformer) -> None:
    width = backbone.embed_dim
    random = torch.Generator().manual_seed(3)
    attention: Any = backbone.blocks[0].attn
    query, key, _ = attention.qkv.weight.detach().split(width)
    for head in range(attention.num_heads):
        wanted = 0.7 * torch.randn(width, width, generator=random) / width**0.5 + 0.7 * torch.eye(width)
        rows = slice(head * attention.head_dim, (head + 1) * attention.head_dim)
        product = query[rows].T @ key[rows]
        # Eckart and Young: no product of that rank is nearer than the cut singular values are long.
        cut = torch.linalg.svdvals(wanted)[attention.head_dim :]
        torch.testing.assert_close((product - wanted).norm(), cut.norm(), rtol=1e-4, atol=0)


def test_value_and_projection_multiply_to_a_negative_identity_with_noise(backbone: VisionTransformer) -> None:
    for block in backbone.blocks:
        attention: Any = block.attn
        value = attention.qkv.weight.detach()[2 * backbone.embed_dim :]
        product = attention.proj.weight.detach() @ value
        assert product.diagonal().mean() == pytest.approx(-0.4, abs=0.02)
        rest = product - torch.diag(product.diagonal())
        assert rest.std() * backbone.embed_dim**0.5 == pytest.approx(0.4, rel=0.05)


def test_positions_of_neighbours_are_alike(backbone: VisionTransformer) -> None:
    assert backbone.pos_embed is not None
    positions = backbone.pos_embed.detach()[0, 1:].unflatten(0, (4, 4))
    here = positions[0, 0]
    near, far = (torch.cosine_similarity(here, positions[at], dim=0) for at in ((0, 1), (3, 3)))
    assert near > far


def test_a_head_attends_to_its_own_place_more_than_elsewhere(backbone: VisionTransformer) -> None:
    block: Any = backbone.blocks[0]
    assert backbone.pos_embed is not None
    tokens = block.norm1(backbone.pos_embed.detach())
    query, key, _ = block.attn.qkv(tokens)[0].split(backbone.embed_dim, dim=-1)
    logits = (query @ key.T)[1:, 1:]
    own = logits.diagonal().mean()
    assert own > logits[~torch.eye(16, dtype=torch.bool)].mean()


def test_the_same_seed_makes_the_same_weights() -> None:
    def weights(seed: int) -> torch.Tensor:
        network = create("deit_tiny", ["a"], preprocessing=Preprocessing(size=32)).backbone
        mimic(network, seed=seed)
        found: torch.Tensor = network.state_dict()["blocks.5.attn.qkv.weight"]
        return found

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@pytest.mark.parametrize("architecture", ["efficientnet_b0", "swin_tiny"])
def test_other_networks_are_refused(architecture: str) -> None:
    network = create(architecture, ["a"]).backbone
    with pytest.raises(InputError, match="for vision transformers"):
        mimic(network)
