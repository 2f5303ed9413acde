"""A private copy of a model that computes the same in less time: what every pass of an explanation uses.

Convolution weights are stored with channels last, the layout in which a CPU is fastest, and two things that a
network in eval mode need not compute are left out. A batch norm that follows a convolution is a fixed scale
and shift of its output, so it becomes part of the convolution's weights. A vision transformer whose head
reads the class token needs that token only from its last block.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch
from timm.layers.attention import Attention
from timm.layers.norm_act import BatchNormAct2d
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_weights

from cxrbench.explain.private_copy import copy_without_data, images_without_data, private_copy
from cxrbench.models import Classifier

__all__ = ["fast_copy"]

_TOLERANCE: Final = 1e-4  # of the logits of the copy, relative to the largest: rounding, not another network


@dataclass(frozen=True)
class _Kept:
    """A copy, and the state of the model's tensors that it was made from."""

    state: tuple[object, ...]
    copy: Classifier | None  # None where it would not be the same network


_COPIES: WeakKeyDictionary[nn.Module, _Kept] = WeakKeyDictionary()
_LOCK: Final = threading.Lock()


def fast_copy(model: Classifier, shape: Sequence[int]) -> Classifier:
    """A copy whose logits, features and gradients are those of the model up to rounding.

    It is made at the first call, and again after a tensor of the model has changed (as PyTorch's version
    counters say, which do not see changes through ``.data``). It shares all tensors with the model apart from
    the convolutions'. A network whose copy would give other logits is returned as it is.

    Args:
        model: in eval mode; not changed.
        shape: (C, H, W) of an image that it takes, with which the copy is tried out.
    """
    tensors = (*model.parameters(), *model.buffers())
    if not tensors or any(tensor.is_inference() for tensor in tensors):
        return model  # there is nothing to store otherwise; inference tensors have no version counter
    state = tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)
    with _LOCK:
        kept = _COPIES.get(model)
        if kept is None or kept.state != state:
            _COPIES[model] = kept = _Kept(state, _make(model, shape))
    return kept.copy or model


def _make(model: Classifier, shape: Sequence[int]) -> Classifier | None:
    with torch.inference_mode(mode=False), torch.no_grad():
        copy = private_copy(model, _channels_last)
        _fold_batch_norms(model, copy, shape)
        _read_class_token_only(copy)
        copy.eval()
        kind = next(tensor for tensor in copy.parameters() if tensor.is_floating_point())
        noise = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0)).to(kind)
        expected = model(noise)
        error = (copy(noise) - expected).abs().max()
        return copy if error <= _TOLERANCE * (1 + expected.abs().max()) else None


def _channels_last(tensor: Tensor) -> Tensor:
    """The tensor, or a copy of convolution weights in the layout in which a CPU is fastest."""
    return tensor.detach().to(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def _fold_batch_norms(model: Classifier, copy: Classifier, shape: Sequence[int]) -> None:
    """Make batch norms part of the convolutions that they follow."""
    modules = dict(copy.named_modules())
    for convolution_path, norm_path in _followed(model, shape):
        convolution: Any = modules[convolution_path]
        norm: Any = modules[norm_path]
        weight, bias = fuse_conv_bn_weights(
            *(convolution.weight.double(), None if convolution.bias is None else convolution.bias.double()),
            *(norm.running_mean.double(), norm.running_var.double(), norm.eps),
            *(norm.weight.double(), norm.bias.double()),
        )
        kind = convolution.weight.dtype
        convolution.weight = nn.Parameter(_channels_last(weight.to(kind)), requires_grad=False)
        convolution.bias = nn.Parameter(bias.to(kind), requires_grad=False)
        # What remains of timm's batch norm is its activation.
        rest = nn.Sequential(norm.drop, norm.act) if type(norm) is BatchNormAct2d else nn.Identity()
        parent, _, name = norm_path.rpartition(".")
        setattr(modules[parent], name, rest)


def _followed(model: Classifier, shape: Sequence[int]) -> list[tuple[str, str]]:
    """Paths of convolutions and of the batch norms that read their output, each called once."""
    shapes = copy_without_data(model)
    outputs: list[Tensor] = []  # kept, so that no identity is given out twice
    writers: dict[int, str] = {}
    pairs: list[tuple[str, str]] = []
    calls: Counter[str] = Counter()

    def written(path: str) -> Any:
        def note(module: nn.Module, inputs: Any, output: Tensor) -> None:
            outputs.append(output)
            writers[id(output)] = path
            calls[path] += 1

        return note

    def read(path: str) -> Any:
        def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            calls[path] += 1
            if id(inputs[0]) in writers:
                pairs.append((writers[id(inputs[0])], path))

        return note

    for path, module in shapes.named_modules():
        if type(module) is nn.Conv2d:
            module.register_forward_hook(written(path))
        elif type(module) in (nn.BatchNorm2d, BatchNormAct2d) and _is_fixed(module):
            module.register_forward_pre_hook(read(path))
    shapes(images_without_data(model, shape))
    return [pair for pair in pairs if all(calls[path] == 1 for path in pair)]


def _is_fixed(norm: Any) -> bool:
    """Whether a batch norm has statistics and an affine part to fold."""
    return norm.running_mean is not None and norm.weight is not None


class _ClassTokenAttention(nn.Module):
    """Self-attention of which only the class token asks: its output, (B, 1, C).

    With one query q per head, qᵀ(W x + b) = (Wᵀq)ᵀx + qᵀb, where qᵀb is the same for all tokens x and leaves
    the softmax as it is; and the weighted mean of the values is that of the tokens, projected. So neither
    keys nor values of the tokens are computed.
    """

    def __init__(self, attention: Attention) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, N, C) → (B, 1, C)."""
        part: Any = self.attention
        width = part.attn_dim
        heads = (part.num_heads, part.head_dim)
        of_query, of_key, of_value = part.qkv.weight.split(width)
        query_bias, _, value_bias = (None, None, 0) if part.qkv.bias is None else part.qkv.bias.split(width)
        query = part.q_norm(F.linear(tokens[:, 0], of_query, query_bias).unflatten(1, heads)) * part.scale
        asked = torch.einsum("bhd,hdc->bhc", query, of_key.unflatten(0, heads))
        weights = (asked @ tokens.transpose(1, 2)).softmax(-1)  # (B, heads, N)
        values = torch.einsum("bhc,hdc->bhd", weights @ tokens, of_value.unflatten(0, heads))
        output: Tensor = part.proj(part.norm(values.flatten(1) + value_bias))
        return output[:, None]


class _ClassToken(nn.Module):
    """A module that gets only the class token: its output, (B, 1, C)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (B, N, C) → (B, 1, C)."""
        output: Tensor = self.module(tokens[:, :1])
        return output


def _read_class_token_only(copy: Classifier) -> None:
    """Let the last block of a vision transformer compute the class token alone, if the head reads no other.

    The block adds what it computed for the class token to all tokens, so the others are wrong from there on;
    the norm after the block drops them.
    """
    backbone: Any = getattr(copy, "backbone", None)
    if type(backbone) is not VisionTransformer or backbone.global_pool != "token":
        return
    block: Any = backbone.blocks[-1]
    if type(block) is not Block or type(block.attn) is not Attention:
        return
    # A gate is not known here, and normalised keys would not be linear in the tokens.
    attention: Any = block.attn
    plain = attention.gate is None and isinstance(attention.k_norm, nn.Identity)
    if not plain or backbone.attn_pool is not None or not backbone.has_class_token:
        return
    block.attn = _ClassTokenAttention(block.attn)
    block.norm2 = _ClassToken(block.norm2)
    backbone.norm = _ClassToken(backbone.norm)
