import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from cxrbench.errors import InputError
from cxrbench.models import ARCHITECTURES, create, hub
from cxrbench.preprocess import Preprocessing
from cxrbench.preprocess.pipeline import Size

LABELS = ("Cardiomegaly", "Edema")
TIMM = [name for name, record in ARCHITECTURES.items() if record.package == "timm" and record.imagenet]


def imagenet_backbone(name: str, **options: Any) -> nn.Module:
    """The backbone as its ImageNet file has it: three channels, a thousand classes; weights at random."""
    torch.manual_seed(3)
    backbone = timm.create_model(ARCHITECTURES[name].pretrained, **options).eval()
    with torch.no_grad():  # statistics that say which is which, too
        for key, buffer in backbone.named_buffers():
            if key.endswith(("running_mean", "running_var")):
                buffer.uniform_(0.5, 1.5)
    return backbone


def imagenet_file(name: str, folder: Path) -> tuple[Path, nn.Module]:
    """A file as ImageNet's are, and the backbone whose weights it holds."""
    extra = {"aux_logits": True} if ARCHITECTURES[name].surplus else {}
    backbone = imagenet_backbone(name, **extra)
    save_file(backbone.state_dict(), folder / "model.safetensors")
    if extra:
        vars(backbone)["aux_logits"] = False  # the auxiliary head is in the file, not in what is compared
    return folder / "model.safetensors", backbone


def repository(name: str) -> str:
    config = timm.get_pretrained_cfg(ARCHITECTURES[name].pretrained)
    assert config is not None
    assert isinstance(config.hf_hub_id, str)
    return config.hf_hub_id


def method(network: nn.Module, name: str) -> Callable[[Tensor], Tensor]:
    """A part of a network that its library has and PyTorch's type does not state."""
    found: Callable[[Tensor], Tensor] = getattr(network, name)
    return found


def grey(size: Size) -> Tensor:
    shape = (size, size) if isinstance(size, int) else size
    return torch.rand(1, 1, *shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM)
def test_imagenet_weights_from_the_cache_see_grey_as_three_equal_colours(
    name: str, tmp_path: Path, place: Callable[..., Path]
) -> None:
    file, three = imagenet_file(name, tmp_path)
    place(repository(name), "model.safetensors", file)
    model = create(name, LABELS, pretrained=True)
    assert not model.training
    image = grey(model.spec.preprocessing.size)
    with torch.no_grad():
        ours = method(model.backbone, "forward_features")(image)
        theirs = method(three, "forward_features")(image.expand(-1, 3, -1, -1))
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)
    assert model.head(model.trunk(image)).shape == (1, 2)


def test_alexnet_takes_torchvisions_file_when_its_name_and_hash_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    torch.manual_seed(0)
    original = torchvision.models.alexnet().eval()
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    torch.save(original.state_dict(), folder / "weights")
    digits = hashlib.sha256((folder / "weights").read_bytes()).hexdigest()[:8]
    path = (folder / "weights").rename(folder / f"alexnet-{digits}.pth")
    weights = torchvision.models.AlexNet_Weights.IMAGENET1K_V1
    monkeypatch.setattr(type(weights), "url", property(lambda _: f"https://example.org/{path.name}"))
    model = create("alexnet", LABELS, pretrained=True)
    with torch.no_grad():
        ours = method(model.backbone, "features")(grey(224))
        theirs = original.features(grey(224).expand(-1, 3, -1, -1))
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(InputError, match=r"SHA-256 of .* differs"):
        create("alexnet", LABELS, pretrained=True)


@pytest.mark.parametrize("name", ["resnet50", "inception_v3"])
def test_a_partial_imagenet_file_is_refused(name: str, tmp_path: Path, place: Callable[..., Path]) -> None:
    file, _ = imagenet_file(name, tmp_path)
    state = load_file(file)
    dropped = next(key for key in state if key.endswith("running_mean") and not key.startswith("Aux"))
    del state[dropped]
    save_file(state, file)
    place(repository(name), "model.safetensors", file)
    with pytest.raises(InputError, match=r"model\.safetensors .*delete it"):
        create(name, LABELS, pretrained=True)


def test_a_damaged_imagenet_file_is_refused(tmp_path: Path, place: Callable[..., Path]) -> None:
    (tmp_path / "broken").write_bytes(b"not safetensors")
    place(repository("vit_tiny"), "model.safetensors", tmp_path / "broken")
    with pytest.raises(InputError, match="does not hold the weights of vit_tiny"):
        create("vit_tiny", LABELS, pretrained=True)


@pytest.mark.usefixtures("hub_cache")
@pytest.mark.parametrize("name", TIMM)
def test_without_network_or_cache_one_sentence_says_so_and_how_to_go_on(name: str) -> None:
    with pytest.raises(InputError, match=r"no ImageNet weights for .*HF_HOME.*pretrained=False"):
        create(name, LABELS, pretrained=True)


def test_a_network_without_imagenet_weights_says_so() -> None:
    with pytest.raises(InputError, match=r"no ImageNet weights for eva02_tiny.*EVA-02.*pretrained=False"):
        create("eva02_tiny", LABELS, pretrained=True)


def test_with_no_hub_to_be_reached_the_sentence_comes_at_once(tmp_path: Path) -> None:
    """The Hub's own client would retry for 46 seconds."""
    program = (
        "from cxrbench.models import create\n"
        "import time; start = time.perf_counter()\n"
        "try: create('efficientnet_b0', ['Edema'], pretrained=True)\n"
        "except ValueError as error: print(time.perf_counter() - start, error)\n"
    )
    environment = {"HF_HOME": str(tmp_path), "HF_ENDPOINT": "http://127.0.0.1:9", "PATH": "/usr/bin:/bin"}
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    assert "neither in the local cache" in answer
    assert float(answer.split()[0]) < 10


def test_alexnet_without_network_says_so_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(InputError, match=r"no ImageNet weights for alexnet.*pretrained=False"):
        create("alexnet", LABELS, pretrained=True)


def test_the_same_seed_makes_the_same_model_and_leaves_the_generator_alone() -> None:
    generator = torch.get_rng_state()
    one, same, other = (create("vit_tiny", LABELS, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(generator, torch.get_rng_state())
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not torch.equal(one["backbone.head.weight"], other["backbone.head.weight"])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_dropout_acts_before_the_last_layer_while_training_only(name: str) -> None:
    model = create(name, LABELS, preprocessing=Preprocessing(size=96), drop_rate=0.5)
    assert not model.training
    assert all(parameter.requires_grad for parameter in model.parameters())
    with torch.no_grad():
        features = model.trunk(grey(model.spec.preprocessing.size))
        assert torch.equal(model.head(features), model.head(features))
        model.train()
        assert not torch.equal(model.head(features), model.head(features))


def test_the_defaults_can_be_overridden() -> None:
    recipe = Preprocessing(size=192, fit="pad")
    model = create("vit_tiny", LABELS, name="mine", title="Mine", preprocessing=recipe, thresholds=[0.2, 0.3])
    assert (model.spec.name, model.spec.title, model.spec.thresholds) == ("mine", "Mine", (0.2, 0.3))
    assert model.resolution() == (12, 12)
    assert model(torch.zeros(1, 1, 192, 192)).shape == (1, 2)
    assert create("alexnet", LABELS).spec.name == "alexnet"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"architecture": "resnet9000"}, "Unknown architecture"),
        ({"drop_rate": 1.0}, "drop_rate"),
        ({"thresholds": [0.5]}, "2 labels, but 1 thresholds"),
        ({"name": "a/b"}, "name must be"),
        (
            {"preprocessing": Preprocessing(size=16)},
            r"cannot take images of 16 × 16 pixels; its own size is 299",
        ),
    ],
)
def test_a_wrong_argument_is_refused_with_a_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        create(**{"architecture": "inception_v3", "labels": LABELS, **options})


@pytest.mark.parametrize("architecture", ["efficientnet_b0", "alexnet", "vit_tiny"])
def test_a_hidden_layer_stands_before_the_logits_and_travels_with_the_weights(
    architecture: str, tmp_path: Path
) -> None:
    recipe = Preprocessing(size=64)
    model = create(architecture, ("A", "B"), preprocessing=recipe, hidden=16, drop_rate=0.2, name="deep")
    layers = [part for part in model.modules() if isinstance(part, torch.nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in layers[-2:]] == [
        (layers[-2].in_features, 16),
        (16, 2),
    ]
    images = torch.randn(2, 1, 64, 64)
    assert torch.equal(model.head(model.trunk(images)), model(images))
    loaded = hub.load(hub.save(model, tmp_path / "deep", half=False))
    assert loaded.spec.hidden == 16
    assert torch.equal(loaded(images), model(images))
    plain = create(architecture, ("A", "B"), preprocessing=recipe)
    assert "hidden" not in plain.spec.as_dict()
