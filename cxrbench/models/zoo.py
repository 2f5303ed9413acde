"""The backbones, one frozen record each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from cxrbench.errors import look_up

if TYPE_CHECKING:  # listing models does not import torch
    from torch import Tensor, nn

__all__ = ["ARCHITECTURES", "Architecture", "ForwardStep", "Layout", "NetworkState", "Stage", "architecture"]

Layout = Literal["NCHW", "NHWC", "tokens"]
# The state between two steps: one tensor, or several of which the last is the feature map.
NetworkState: TypeAlias = "Tensor | tuple[Tensor, ...]"
ForwardStep = tuple[str, Callable[[Any], Any]]


@dataclass(frozen=True)
class Stage:
    """A place in a backbone where a feature map can be read: its name and memory layout."""

    name: str
    layout: Layout = "NCHW"
    prefix_tokens: int = 0

    def as_maps(self, value: Tensor, grid: tuple[int, int]) -> Tensor:
        """A tensor in this stage's layout as a view (B, C, h, w)."""
        if self.layout == "NCHW":
            return value
        if self.layout == "NHWC":
            return value.permute(0, 3, 1, 2)
        patches = value[:, self.prefix_tokens :].transpose(1, 2)  # (B, C, h·w)
        return patches.view(*patches.shape[:2], *grid)


def modules(*paths: str) -> Callable[[nn.Module], tuple[ForwardStep, ...]]:
    """Steps that are modules or methods of the backbone, called in sequence."""
    return lambda backbone: tuple((path, attrgetter(path)(backbone)) for path in paths)


def _vit_steps(backbone: nn.Module) -> tuple[ForwardStep, ...]:
    """Steps of a timm VisionTransformer, with blocks split so that the map after ``norm1`` can be read.

    A class-token head reads one token, so the patch tokens that the last block outputs get no gradient and
    Grad-CAM there is zero everywhere; after ``norm1`` they are still inputs of the attention.
    """
    steps: list[ForwardStep] = list(modules("patch_embed", "_pos_embed", "patch_drop", "norm_pre")(backbone))
    blocks: Any = backbone.blocks
    for index, block in enumerate(blocks):
        steps += _vit_block_steps(f"blocks.{index}", block)
    return (*steps, *modules("norm")(backbone))


def _vit_block_steps(name: str, block: Any) -> list[ForwardStep]:
    return [
        (f"{name}.norm1", lambda x: (x, block.norm1(x))),
        (f"{name}.attn", lambda xs: xs[0] + block.drop_path1(block.ls1(block.attn(xs[1])))),
        (name, lambda x: x + block.drop_path2(block.ls2(block.mlp(block.norm2(x))))),
    ]


def _eva_steps(backbone: nn.Module) -> tuple[ForwardStep, ...]:
    """Steps of a timm Eva, as those of a VisionTransformer; the rotary position embedding is handed on."""
    network: Any = backbone

    def embedded(tokens: Tensor) -> tuple[Tensor, Tensor]:
        tokens, positions = network._pos_embed(tokens)
        return positions.expand(len(tokens), 1, *positions.shape), tokens  # by image, as other tensors are

    steps: list[ForwardStep] = [
        ("patch_embed", network.patch_embed),
        ("_pos_embed", embedded),
        ("norm_pre", lambda state: (state[0], network.norm_pre(state[1]))),
    ]
    for index, block in enumerate(network.blocks):
        steps += _eva_block_steps(f"blocks.{index}", block)
    return (*steps, ("norm", lambda state: network.norm(state[1])))


def _eva_block_steps(name: str, block: Any) -> list[ForwardStep]:
    """State: positions, tokens, and after ``norm1`` the normalised tokens."""
    return [
        (f"{name}.norm1", lambda state: (*state, block.norm1(state[1]))),
        (f"{name}.attn", lambda state: (state[0], state[1] + _eva_attention(block, *state))),
        (name, lambda state: (state[0], state[1] + block.drop_path2(block.mlp(block.norm2(state[1]))))),
    ]


def _eva_attention(block: Any, positions: Tensor, tokens: Tensor, normalised: Tensor) -> Tensor:
    change: Tensor = block.drop_path1(block.attn(normalised, rope=positions))
    return change


def _alexnet_head(backbone: Any) -> Callable[[Tensor], Tensor]:
    return lambda x: backbone.classifier(backbone.avgpool(x).flatten(1))


@dataclass(frozen=True)
class Architecture:
    """A backbone: its source, its forward pass in steps, and its stages.

    Args:
        name: the key in ``ARCHITECTURES``.
        title: the name as written in papers.
        package: the package that builds it, a key of ``libraries.LIBRARIES``.
        pretrained: the library's name of its ImageNet weights; of the network, where there are none.
        steps: backbone → its ``forward_features`` as named unary functions.
        stages: names of the steps after which a map can be read, finest first; the last is the default.
        head: backbone → function from the last feature map to logits.
        layout: memory layout of the feature maps.
        mean_pooled: the head reads only the spatial mean of the last map. Then the gradient there is
            spatially constant, and Grad-CAM, HiResCAM and XGrad-CAM give the same map.
        surplus: the file of ImageNet weights also holds tensors that the backbone does not use.
        options: further keyword arguments for building the backbone, as names and values.
        imagenet: there are ImageNet weights of exactly this network.
    """

    name: str
    title: str
    pretrained: str
    steps: Callable[[nn.Module], tuple[ForwardStep, ...]]
    stages: tuple[str, ...]
    head: Callable[[nn.Module], Callable[[Tensor], Tensor]] = attrgetter("forward_head")
    layout: Layout = "NCHW"
    package: Literal["timm", "torchvision"] = "timm"
    mean_pooled: bool = True
    surplus: bool = False
    options: tuple[tuple[str, Any], ...] = ()
    imagenet: bool = True


_DENSENET_STEPS: Final = (
    *("conv0", "norm0", "pool0", "denseblock1", "transition1", "denseblock2"),
    *("transition2", "denseblock3", "transition3", "denseblock4", "norm5"),
)
_DENSENET: Final[dict[str, Any]] = {
    "steps": modules(*(f"features.{step}" for step in _DENSENET_STEPS)),
    "stages": tuple(f"features.{stage}" for stage in ("denseblock1", "denseblock2", "denseblock3", "norm5")),
}
_VIT: Final[dict[str, Any]] = {
    "steps": _vit_steps,
    "stages": ("blocks.3.norm1", "blocks.6.norm1", "blocks.9.norm1", "blocks.11.norm1"),
    "layout": "tokens",
    "mean_pooled": False,
    # Position embeddings are interpolated for other sizes, so that a recipe may start with small images.
    "options": (("dynamic_img_size", True),),
}

ARCHITECTURES: Final[Mapping[str, Architecture]] = MappingProxyType(
    {
        record.name: record
        for record in (
            Architecture(
                name="efficientnet_b0",
                title="EfficientNet-B0",
                pretrained="efficientnet_b0.ra_in1k",
                steps=modules("conv_stem", "bn1", *(f"blocks.{i}" for i in range(7)), "conv_head", "bn2"),
                stages=("blocks.1", "blocks.2", "blocks.4", "bn2"),
            ),
            Architecture("densenet121", "DenseNet-121", "densenet121.ra_in1k", **_DENSENET),
            Architecture("densenet201", "DenseNet-201", "densenet201.tv_in1k", **_DENSENET),
            Architecture(
                name="inception_v3",
                title="Inception-v3",
                pretrained="inception_v3.tv_in1k",
                steps=modules(
                    *(
                        "Conv2d_1a_3x3",
                        "Conv2d_2a_3x3",
                        "Conv2d_2b_3x3",
                        "Pool1",
                        "Conv2d_3b_1x1",
                        "Conv2d_4a_3x3",
                    ),
                    *(
                        "Pool2",
                        "Mixed_5b",
                        "Mixed_5c",
                        "Mixed_5d",
                        "Mixed_6a",
                        "Mixed_6b",
                        "Mixed_6c",
                        "Mixed_6d",
                    ),
                    *("Mixed_6e", "Mixed_7a", "Mixed_7b", "Mixed_7c"),
                ),
                stages=("Conv2d_4a_3x3", "Mixed_5d", "Mixed_6e", "Mixed_7c"),
                surplus=True,  # the auxiliary head, which only training used
            ),
            Architecture(
                name="inception_resnet_v2",
                title="Inception-ResNet-v2",
                pretrained="inception_resnet_v2.tf_in1k",
                steps=modules(
                    *(
                        "conv2d_1a",
                        "conv2d_2a",
                        "conv2d_2b",
                        "maxpool_3a",
                        "conv2d_3b",
                        "conv2d_4a",
                        "maxpool_5a",
                    ),
                    *(
                        "mixed_5b",
                        "repeat",
                        "mixed_6a",
                        "repeat_1",
                        "mixed_7a",
                        "repeat_2",
                        "block8",
                        "conv2d_7b",
                    ),
                ),
                stages=("conv2d_4a", "repeat", "repeat_1", "conv2d_7b"),
            ),
            Architecture(
                name="resnet50",
                title="ResNet-50",
                pretrained="resnet50.a1_in1k",
                steps=modules("conv1", "bn1", "act1", "maxpool", "layer1", "layer2", "layer3", "layer4"),
                stages=("layer1", "layer2", "layer3", "layer4"),
            ),
            Architecture(
                name="swin_tiny",
                title="Swin-T",
                pretrained="swin_tiny_patch4_window7_224.ms_in1k",
                steps=modules("patch_embed", "layers.0", "layers.1", "layers.2", "layers.3", "norm"),
                stages=("layers.0", "layers.1", "layers.2", "norm"),
                layout="NHWC",
            ),
            Architecture("vit_tiny", "ViT-Ti/16", "vit_tiny_patch16_224.augreg_in21k_ft_in1k", **_VIT),
            Architecture("deit_tiny", "DeiT-Ti/16", "deit_tiny_patch16_224.fb_in1k", **_VIT),
            Architecture(
                name="eva02_tiny",
                title="EVA-02-Ti/16",
                pretrained="eva02_tiny_patch14_224",  # there with patches of 14 pixels
                **_VIT
                | {
                    "steps": _eva_steps,
                    "options": (("patch_size", 16), ("ref_feat_shape", (14, 14)), *_VIT["options"]),
                },
                imagenet=False,
            ),
            Architecture(
                name="convnext_tiny",
                title="ConvNeXt-T",
                pretrained="convnext_tiny.fb_in1k",
                steps=modules("stem", *(f"stages.{i}" for i in range(4)), "norm_pre"),
                stages=("stages.0", "stages.1", "stages.2", "norm_pre"),
            ),
            Architecture(
                name="alexnet",
                title="AlexNet",
                pretrained="IMAGENET1K_V1",
                steps=modules(*(f"features.{i}" for i in range(13))),
                stages=("features.5", "features.12"),
                head=_alexnet_head,
                package="torchvision",
                mean_pooled=False,
            ),
        )
    }
)


def architecture(name: str) -> Architecture:
    """The record of a backbone.

    Raises:
        InputError: an unknown name; the message lists the known ones.
    """
    return look_up("architecture", name, ARCHITECTURES)
