"""Mimetic initialisation of a vision transformer's attention weights.

In trained transformers a head's query and key weights multiply to roughly a positive multiple of the
identity, and value and projection weights to a negative one (Trockman and Kolter 2023, arXiv:2305.09828).
With this initialisation and sinusoidal position embeddings, a token initially attends to near and similar
tokens, as a convolution does.
"""

from typing import Any, Final

import torch
from timm.layers.pos_embed_sincos import build_sincos2d_pos_embed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from cxrbench.errors import InputError

__all__ = ["mimic"]

# Weights of the noise and of the identity, in the products of query and key and of value and projection.
_QUERY_KEY: Final = (0.7, 0.7)
_VALUE_PROJECTION: Final = (0.4, -0.4)


@torch.no_grad()
def mimic(backbone: nn.Module, *, seed: int = 0) -> None:
    """Replace the position embeddings and attention weights of a random transformer, in place.

    Args:
        backbone: timm's ``VisionTransformer`` with as many position embeddings as patches and prefix tokens.
        seed: seed of the noise.

    Raises:
        InputError: the network is not a vision transformer.
    """
    if not isinstance(backbone, VisionTransformer) or not isinstance(backbone.pos_embed, Tensor):
        raise InputError("Mimetic initialisation is for vision transformers (vit_tiny, deit_tiny).")
    random = torch.Generator().manual_seed(seed)
    width, prefix = backbone.embed_dim, backbone.num_prefix_tokens
    patches: Any = backbone.patch_embed
    backbone.pos_embed[:, :prefix] = 0
    backbone.pos_embed[:, prefix:] = build_sincos2d_pos_embed(list(patches.grid_size), dim=width)
    blocks: Any = backbone.blocks
    for block in blocks:
        attention = block.attn
        heads = [_factors(width, *_QUERY_KEY, random) for _ in range(attention.num_heads)]
        queries, keys = (torch.cat([pair[side][: attention.head_dim] for pair in heads]) for side in (0, 1))
        projection, value = _factors(width, *_VALUE_PROJECTION, random)
        attention.qkv.weight.copy_(torch.cat([queries, keys, value]))
        attention.proj.weight.copy_(projection.T)


def _factors(width: int, noise: float, identity: float, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """A and B, (width, width), with AᵀB = noise · Z + identity · I; their first rows fit best.

    Z has independent normal entries of variance 1 / width.
    """
    z = torch.randn(width, width, generator=random) / width**0.5
    u, s, v = torch.linalg.svd(noise * z + identity * torch.eye(width))
    return (u * s.sqrt()).T, s.sqrt()[:, None] * v
