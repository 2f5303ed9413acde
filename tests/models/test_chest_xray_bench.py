"""Networks built and films prepared as their own code does, against the adapter."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from cxrbench.errors import InputError
from cxrbench.models import Classifier, hub, own
from cxrbench.models.chest_xray_bench import LABELS, RUNS, from_file, from_state_dict
from cxrbench.models.offered import OFFERED
from cxrbench.writing import file_sha256

WIDTH, HEIGHT = 384, 320
OUTPUTS = len(LABELS)


def densenet(name: str, outputs: int = OUTPUTS) -> nn.Module:
    network: Any = torchvision.models.get_model(name)
    network.classifier = nn.Linear(network.classifier.in_features, outputs)
    return cast(nn.Module, network)


def resnet50() -> nn.Module:
    network: nn.Module = torchvision.models.resnet50()
    network.fc = nn.Linear(2048, OUTPUTS)
    return network


def convnext_tiny() -> nn.Module:
    network: Any = torchvision.models.convnext_tiny()
    network.classifier[2] = nn.Linear(network.classifier[2].in_features, OUTPUTS)
    return cast(nn.Module, network)


BUILDERS: dict[str, Callable[[], nn.Module]] = {
    "resnet50_without_clahe": resnet50,
    "densenet121": lambda: densenet("densenet121"),
    "densenet121_u_mixed": lambda: densenet("densenet121", OUTPUTS + 4),
    "densenet201": lambda: densenet("densenet201"),
    "convnext_tiny": convnext_tiny,
    "convnext_tiny_22k": lambda: timm.create_model("convnext_tiny.fb_in22k_ft_in1k_384", num_classes=OUTPUTS),
}


def their_network(run: str) -> nn.Module:
    """A network of theirs with random weights and the statistics of a film, so that films differ."""
    torch.manual_seed(0)
    network = BUILDERS[run]()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith(("layer_scale", "gamma")):  # 1e-6 at first: the blocks would not count
                parameter.uniform_(0.5, 1)
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.momentum = 1.0
        network.train()(their_input(film(HEIGHT, 300, seed=2)))
    return network.eval()


def their_file(network: nn.Module, folder: Path) -> Path:
    """Their export: all tensors as floats, also counts."""
    state = {name: value.detach().float().contiguous() for name, value in network.state_dict().items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt", "run": "a_run"})
    return folder / "model.safetensors"


def their_input(film: np.ndarray, clahe: bool = False) -> Tensor:
    """A film (H, W) uint8 as their code prepares it: (1, 3, 320, 384)."""
    if clahe:
        film = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(film)
    scale = min(WIDTH / film.shape[1], HEIGHT / film.shape[0])
    columns, rows = (max(1, round(side * scale)) for side in film.shape[::-1])
    small = cv2.resize(film, (columns, rows), interpolation=cv2.INTER_AREA)
    above, before = (HEIGHT - rows) // 2, (WIDTH - columns) // 2
    framed = np.zeros((HEIGHT, WIDTH), np.uint8)
    framed[above : above + rows, before : before + columns] = small
    grey = torch.from_numpy(framed).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return ((grey.expand(3, -1, -1) - mean[:, None, None]) / std[:, None, None])[None]


def film(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A blurred random film, (H, W) uint8."""
    noise = np.random.default_rng(seed).random((height, width), np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 9)
    levels = (smooth - smooth.min()) / np.ptp(smooth) * 255
    return cast(np.ndarray, np.rint(levels).astype(np.uint8))


def scores(model: Classifier, pixels: np.ndarray) -> Tensor:
    with torch.no_grad():
        return cast(Tensor, model(model.spec.preprocessing(pixels / np.float32(255))[None]))


@pytest.mark.parametrize("run", [run for run in BUILDERS if not RUNS[run].three_class])
def test_a_file_in_their_format_gives_their_logits_on_a_film(run: str, tmp_path: Path) -> None:
    theirs = their_network(run)
    file = their_file(theirs, tmp_path)
    model = from_file(file, run)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model.revision == file_sha256(file)[:12]
    # Of the network's own width, so that their rounding to 8 bits changes nothing.
    first, second = (film(260, WIDTH, seed) for seed in (0, 1))
    ours = scores(model, first)
    with torch.no_grad():
        torch.testing.assert_close(ours, theirs(their_input(first)), atol=2e-5, rtol=1e-4)
    assert (ours - scores(model, second)).abs().max() > 1e-3  # the film counts


def test_of_three_classes_present_and_absent_are_scored_as_they_score_them(tmp_path: Path) -> None:
    theirs = their_network("densenet121_u_mixed")
    model = from_file(their_file(theirs, tmp_path), "densenet121_u_mixed")
    pixels = film(HEIGHT, 290)
    with torch.no_grad():
        logits = theirs(their_input(pixels))[0]
    # Atelectasis; Cardiomegaly absent, present, uncertain; Consolidation; Edema; Pleural Effusion likewise.
    heart, effusion = logits[1:4].softmax(0), logits[6:9].softmax(0)
    expected = torch.stack(
        [
            logits[0].sigmoid(),
            heart[1] / (heart[0] + heart[1]),
            logits[4].sigmoid(),
            logits[5].sigmoid(),
            effusion[1] / (effusion[0] + effusion[1]),
        ]
    )
    torch.testing.assert_close(scores(model, pixels)[0].sigmoid(), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("run", ["densenet121", "resnet50_with_clahe"])
@pytest.mark.parametrize(
    ("shape", "levels"),
    [
        *(((320, 390), 0.51), ((389, 320), 0.51), ((1000, 1001), 0.51), ((200, 900), 0.51)),
        ((100, 90), 1),  # OpenCV enlarges bytes with whole numbers
    ],
)
def test_their_input_is_ours_up_to_their_rounding_to_8_bits(
    run: str, shape: tuple[int, int], levels: float
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    std = np.array([0.229, 0.224, 0.225], np.float32)
    mean = np.array([0.485, 0.456, 0.406], np.float32)
    normalised = their_input(pixels, clahe=RUNS[run].contrast == "clahe")[0].numpy()
    theirs = normalised * std[:, None, None] + mean[:, None, None]
    ours = RUNS[run].preprocessing(pixels / np.float32(255))[0].numpy()
    np.testing.assert_allclose(theirs, np.broadcast_to(ours, theirs.shape), atol=levels / 255)


def test_every_run_has_thresholds_and_every_offered_one_is_a_run() -> None:
    for name, run in RUNS.items():
        assert len(run.thresholds) == len(LABELS), name
        assert all(0.1 < threshold < 0.5 for threshold in run.thresholds), name
    offered = [model for model in OFFERED.values() if model.repository == "mamounyosef/chest-xray-bench"]
    assert len(offered) == 4
    for model in offered:
        name = model.name.removeprefix("chest-xray-bench-")
        assert model.file == f"{name}/model.safetensors"
        assert RUNS[name].architecture.replace("_", "") in model.title.replace("-", "").lower()
        assert model.findings == len(LABELS)


def test_an_offered_run_is_added_by_its_name(own_folder: Path, fake_hub: Any, tmp_path: Path) -> None:
    offered, network = OFFERED["chest-xray-bench-densenet121"], their_network("densenet121")
    (tmp_path / "theirs" / "densenet121").mkdir(parents=True)
    file = their_file(network, tmp_path / "theirs" / "densenet121")
    assert abs(file.stat().st_size - offered.size) < 1e6
    fake_hub.repositories[offered.repository] = tmp_path / "theirs"
    assert own.add(offered.name) == own_folder / offered.name
    model, pixels = hub.load(offered.name), film(HEIGHT, 300)
    assert model.spec.learned_from == "CheXpert"
    assert model.spec.source.startswith("mamounyosef/chest-xray-bench@")
    with torch.no_grad():
        torch.testing.assert_close(scores(model, pixels), network(their_input(pixels)), atol=2e-5, rtol=1e-4)


def test_once_loaded_it_can_be_kept_as_a_folder(tmp_path: Path) -> None:
    ours = from_state_dict(their_network("densenet121").state_dict(), "densenet121")
    again = hub.load(hub.save(ours, tmp_path / "kept", half=False))
    assert again.spec == ours.spec
    assert again.spec.channels == 3
    assert again.spec.preprocessing.input_shape == (HEIGHT, WIDTH)
    assert torch.equal(scores(again, film(300, 300)), scores(ours, film(300, 300)))


def test_a_file_of_another_network_or_a_part_of_one_is_refused(tmp_path: Path) -> None:
    state = dict(their_network("convnext_tiny").state_dict())
    with pytest.raises(InputError, match="not those of this architecture"):
        from_state_dict(state, "resnet50_without_clahe")
    del state["features.7.2.layer_scale"]
    with pytest.raises(InputError, match=r"1 missing \(stages\.3\.blocks\.2\.gamma\)"):
        from_state_dict(state, "convnext_tiny")
    binary = their_network("densenet121").state_dict()
    with pytest.raises(InputError, match=r"classifier\.weight \(5, 1024\)|3 classes|of another"):
        from_state_dict({**binary, "classifier.weight": torch.zeros(7, 1024)}, "densenet121_u_mixed")
    with pytest.raises(InputError, match=r"convnext_base_22k.*choose from: resnet50_without_clahe"):
        from_state_dict(state, "convnext_base_22k")
    (tmp_path / "best.pt").write_bytes(b"\x80\x02")
    with pytest.raises(InputError, match="not a safetensors file"):
        from_file(tmp_path / "best.pt", "densenet121")
