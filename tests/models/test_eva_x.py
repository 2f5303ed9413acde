"""EVA-X tiny written out after its paper and its published code, against the adapter."""

import argparse
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import transforms

from cxrbench.errors import InputError
from cxrbench.models import eva_x, hub
from cxrbench.models.eva_x import WEIGHTS, from_file, from_state_dict
from cxrbench.models.offered import OFFERED
from cxrbench.writing import file_sha256

WIDTH, HEADS, DEPTH, SIDE = 192, 3, 12, 14
HIDDEN = 512  # 8 / 3 of the width
PER_HEAD = WIDTH // HEADS


class Rotation(nn.Module):
    """Rotary position embedding: pairs of values are turned by angles that grow with row, then column."""

    freqs_cos: Tensor
    freqs_sin: Tensor

    def __init__(self) -> None:
        super().__init__()
        half = PER_HEAD // 2
        speeds = 10000.0 ** (-torch.arange(0, half, 2) / half)
        turns = (torch.arange(float(SIDE))[:, None] * speeds).repeat_interleave(2, dim=1)  # (14, 32)
        rows, columns = turns[:, None].expand(-1, SIDE, -1), turns[None].expand(SIDE, -1, -1)
        angles = torch.cat([rows, columns], -1).reshape(SIDE * SIDE, PER_HEAD)
        self.register_buffer("freqs_cos", angles.cos())
        self.register_buffer("freqs_sin", angles.sin())

    def forward(self, values: Tensor) -> Tensor:
        """Values (B, heads, 1 + patches, D): all but the class token are turned."""
        first, rest = values[:, :, :1], values[:, :, 1:]
        even, odd = rest[..., ::2], rest[..., 1::2]
        turned = torch.stack([-odd, even], -1).flatten(-2)
        return torch.cat([first, rest * self.freqs_cos + turned * self.freqs_sin], 2)


class Attention(nn.Module):
    def __init__(self, rope: Rotation) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.q_bias, self.v_bias = nn.Parameter(torch.zeros(WIDTH)), nn.Parameter(torch.zeros(WIDTH))
        self.proj = nn.Linear(WIDTH, WIDTH)
        self.rope = rope

    def forward(self, tokens: Tensor) -> Tensor:
        bias = torch.cat([self.q_bias, torch.zeros(WIDTH), self.v_bias])
        packed = F.linear(tokens, self.qkv.weight, bias).unflatten(2, (3, HEADS, PER_HEAD))
        query, key, value = packed.permute(2, 0, 3, 1, 4)
        scores = self.rope(query) @ self.rope(key).transpose(2, 3) / PER_HEAD**0.5
        output: Tensor = self.proj((scores.softmax(-1) @ value).transpose(1, 2).flatten(2))
        return output


class GatedMlp(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w12, self.w3 = nn.Linear(WIDTH, 2 * HIDDEN), nn.Linear(HIDDEN, WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        gate, value = self.w12(tokens).chunk(2, -1)
        output: Tensor = self.w3(F.silu(gate) * value)
        return output


class Block(nn.Module):
    def __init__(self, rope: Rotation) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6), nn.LayerNorm(WIDTH, eps=1e-6)
        self.attn, self.mlp = Attention(rope), GatedMlp()

    def forward(self, tokens: Tensor) -> Tensor:
        tokens = tokens + self.attn(self.norm1(tokens))
        output: Tensor = tokens + self.mlp(self.norm2(tokens))
        return output


class Patches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, WIDTH, 16, 16)


class EvaX(nn.Module):
    """Three equal channels in, the mean of the patches, a norm and a linear layer at the end."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, WIDTH))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + SIDE * SIDE, WIDTH))
        self.patch_embed, self.rope = Patches(), Rotation()
        self.blocks = nn.ModuleList(Block(self.rope) for _ in range(DEPTH))
        self.fc_norm, self.head = nn.LayerNorm(WIDTH, eps=1e-6), nn.Linear(WIDTH, outputs)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patch_embed.proj(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(tokens), -1, -1), tokens], 1) + self.pos_embed
        for block in self.blocks:
            tokens = block(tokens)
        logits: Tensor = self.head(self.fc_norm(tokens[:, 1:].mean(1)))
        return logits


def random_network(outputs: int) -> EvaX:
    torch.manual_seed(0)
    network = EvaX(outputs).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.1)
    return network


@pytest.fixture(scope="module")
def theirs() -> EvaX:
    return random_network(14)


def checkpoint(network: nn.Module, path: Path) -> Path:
    """A file as their training writes it: state dict, optimizer, epoch, scaler and arguments."""
    arguments = argparse.Namespace(
        model="eva02_tiny_patch16_xattn_fusedLN_SwiGLU_preln_RoPE", lr=1e-3, aa=None
    )
    optimizer = torch.optim.AdamW(network.parameters())
    torch.save(
        {
            "model": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "epoch": 44,
            "scaler": {"scale": 65536.0},
            "args": arguments,
        },
        path,
    )
    return path


@pytest.fixture
def pin(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, str], None]:
    """Let a file be the one whose SHA-256 is known."""

    def put(path: Path, name: str) -> None:
        pinned = {**OFFERED, name: replace(OFFERED[name], sha256=file_sha256(path))}
        monkeypatch.setattr(eva_x, "OFFERED", pinned)

    return put


def film(height: int, width: int) -> np.ndarray:
    """A smooth film, (H, W) uint8."""
    rows, columns = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    return np.rint(255 * (0.5 + 0.4 * np.sin(5 * rows) * np.cos(4 * columns))).astype(np.uint8)


def their_input(pixels: np.ndarray, name: str) -> Tensor:
    """A film as their evaluation prepares it: (1, 3, 224, 224)."""
    prepare = transforms.Compose(
        [
            transforms.Resize(256 if name == "eva-x-tiny-nih" else 224, Image.Resampling.BICUBIC),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize((0.49185243,) * 3, (0.28509309,) * 3),
        ]
    )
    prepared: Tensor = prepare(Image.fromarray(pixels).convert("RGB"))
    return prepared[None]


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_checkpoint_in_their_format_gives_their_logits(
    name: str, tmp_path: Path, pin: Callable[[Path, str], None]
) -> None:
    network = random_network(len(WEIGHTS[name].labels))
    path = checkpoint(network, tmp_path / OFFERED[name].file)
    pin(path, name)
    model = OFFERED[name].load(path)
    assert (model.spec.name, len(model.spec.findings)) == (name, OFFERED[name].findings)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model.revision == file_sha256(path)[:12]
    images = torch.randn(2, 1, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours, expected = model(images), network(images.expand(-1, 3, -1, -1))
    torch.testing.assert_close(ours, expected, atol=1e-4, rtol=1e-4)
    assert (ours[0] - ours[1]).abs().max() > 1e-2  # the image counts


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("shape", [(256, 256), (400, 320), (300, 420)])
def test_their_input_is_ours_up_to_the_filter(name: str, shape: tuple[int, int]) -> None:
    pixels = film(*shape)
    ours = WEIGHTS[name].preprocessing(pixels / np.float32(255))[0].numpy()
    expected = their_input(pixels, name)[0, 0].numpy()
    inner = (slice(3, -3), slice(3, -3))  # at the border the filters differ most
    np.testing.assert_allclose(ours[inner], expected[inner], atol=0.06)


def test_a_film_gets_their_scores(theirs: EvaX) -> None:
    model = from_state_dict(theirs.state_dict(), "eva-x-tiny-nih")
    pixels = film(256, 256)  # not resized: the centre is cut out
    with torch.no_grad():
        ours = model(model.spec.preprocessing(pixels / np.float32(255))[None])
        torch.testing.assert_close(ours, theirs(their_input(pixels, "eva-x-tiny-nih")), atol=1e-3, rtol=1e-3)


def test_a_state_dict_as_safetensors_needs_no_pin(theirs: EvaX, tmp_path: Path) -> None:
    state = {key: value.clone() for key, value in theirs.state_dict().items()}
    save_file(state, tmp_path / "weights.safetensors")
    model = from_file(tmp_path / "weights.safetensors", "eva-x-tiny-nih")
    again = hub.load(hub.save(model, tmp_path / "kept", half=False))
    assert again.spec == model.spec
    assert again.spec.preprocessing.central == 0.875
    images = torch.randn(1, 1, 224, 224, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        assert torch.equal(again(images), model(images))


def test_another_pickle_is_not_opened(theirs: EvaX, tmp_path: Path) -> None:
    path = checkpoint(theirs, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"can run any code.*not the pinned 7209199ce0d8.*safetensors"):
        from_file(path, "eva-x-tiny-nih")
    with pytest.raises(InputError, match="There is no file"):
        from_file(tmp_path / "absent.pth", "eva-x-tiny-nih")
    with pytest.raises(InputError, match="choose from: eva-x-tiny-nih, eva-x-tiny-chexpert"):
        from_file(path, "eva-x-small")


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return (Path.touch, (self.path,))


def test_even_a_pinned_pickle_makes_nothing_but_tensors_and_plain_values(
    theirs: EvaX, tmp_path: Path, pin: Callable[[Path, str], None]
) -> None:
    torch.save({"model": theirs.state_dict(), "args": Bomb(tmp_path / "touched")}, tmp_path / "bomb.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"state": 1}, protocol=2))
    for name in ("bomb.pth", "plain.pth"):
        pin(tmp_path / name, "eva-x-tiny-nih")
        with pytest.raises(InputError, match=r"more than a checkpoint of EVA-X, or none"):
            from_file(tmp_path / name, "eva-x-tiny-nih")
    assert not (tmp_path / "touched").exists()


def test_the_weights_of_another_network_are_refused(theirs: EvaX) -> None:
    state = dict(theirs.state_dict())
    with pytest.raises(InputError, match=r"1 of another shape|2 of another shape"):
        from_state_dict(state, "eva-x-tiny-chexpert")
    del state["blocks.3.mlp.w12.weight"]
    with pytest.raises(InputError, match=r"1 missing \(blocks\.3\.mlp\.fc1\.weight\)"):
        from_state_dict(state, "eva-x-tiny-nih")
