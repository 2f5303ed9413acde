import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cxrbench.errors import InputError
from cxrbench.inference import rescale, sigmoid
from cxrbench.models import hub, torchxrayvision
from cxrbench.writing import file_sha256

NAME = "densenet121-res224-all"


@pytest.fixture(scope="module")
def xrv() -> Any:
    with warnings.catch_warnings():
        import torchxrayvision as package
    return package


@pytest.fixture(scope="module")
def theirs(xrv: Any) -> torch.nn.Module:
    """Their own network with random weights and statistics that are not those of a fresh one."""
    torch.manual_seed(0)
    network: torch.nn.Module = xrv.models.DenseNet().eval()
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.uniform_(0.5, 1.5)
    return network


@pytest.fixture
def checkpoint(theirs: torch.nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in their format, the whole module pickled, its hash pinned."""
    torch.save(theirs, tmp_path / "model.pt")
    pinned = {**torchxrayvision.PINNED, NAME: file_sha256(tmp_path / "model.pt")}
    monkeypatch.setattr(torchxrayvision, "PINNED", pinned)
    return tmp_path / "model.pt"


def images(count: int) -> torch.Tensor:
    return torch.rand(count, 1, 224, 224, generator=torch.Generator().manual_seed(1)) * 2048 - 1024


def test_a_checkpoint_in_their_format_gives_identical_logits(
    theirs: torch.nn.Module, checkpoint: Path
) -> None:
    ours = torchxrayvision.load(NAME, file=checkpoint)
    with torch.no_grad():
        assert torch.equal(ours(images(2)), theirs(images(2)))
    assert not ours.training
    assert not any(parameter.requires_grad for parameter in ours.parameters())
    assert ours.revision == file_sha256(checkpoint)[:12]


def test_it_comes_from_the_hubs_cache_too(checkpoint: Path, place: Callable[..., Path]) -> None:
    place(f"torchxrayvision/{NAME}", "model.pt", checkpoint)
    assert torchxrayvision.load(NAME).revision == file_sha256(checkpoint)[:12]


def test_its_state_dict_as_safetensors_needs_no_pin(theirs: torch.nn.Module, tmp_path: Path) -> None:
    save_file(theirs.state_dict(), tmp_path / "weights.safetensors")
    ours = torchxrayvision.load("densenet121-res224-nih", file=tmp_path / "weights.safetensors")
    with torch.no_grad():
        assert torch.equal(ours(images(1)), theirs(images(1)))
    assert ours.spec.labels.count("") == 4
    assert len(ours.spec.findings) == 14


def test_a_partial_state_dict_is_refused(theirs: torch.nn.Module) -> None:
    state = dict(theirs.state_dict())
    del state["features.norm5.weight"]
    with pytest.raises(InputError, match=r"missing \(features\.norm5\.weight\)"):
        torchxrayvision.from_state_dict(state)


def test_labels_and_thresholds_are_theirs(xrv: Any, theirs: torch.nn.Module) -> None:
    spec = torchxrayvision.from_state_dict(theirs.state_dict()).spec
    record = xrv.models.model_urls[NAME]
    assert list(spec.labels) == record["labels"] == xrv.datasets.default_pathologies
    np.testing.assert_array_equal(spec.thresholds, record["op_threshs"])


def test_rescaled_scores_are_their_calibrated_output(xrv: Any, theirs: torch.nn.Module) -> None:
    ours = torchxrayvision.from_state_dict(theirs.state_dict())
    with torch.no_grad():
        logits = ours(images(3))
        calibrated = xrv.models.op_norm(torch.sigmoid(logits), torch.tensor(ours.spec.thresholds))
    shown = rescale(sigmoid(logits.numpy()), np.array(ours.spec.thresholds))
    np.testing.assert_allclose(shown, calibrated.numpy(), atol=1e-5)


@pytest.mark.parametrize("shape", [(224, 224), (900, 701), (701, 900), (1001, 1000), (2828, 2320)])
def test_their_preprocessing_is_ours_on_large_images(xrv: Any, shape: tuple[int, int]) -> None:
    eight_bits = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    picture = xrv.datasets.normalize(eight_bits, 255)[None]
    cropped = xrv.datasets.XRayCenterCrop()(picture)
    expected = xrv.datasets.XRayResizer(224, engine="cv2")(cropped)[0]
    ours = torchxrayvision.PREPROCESSING(eight_bits / np.float32(255))[0].numpy()
    np.testing.assert_allclose(ours, expected, atol=1e-2)  # of a range of 2048


def test_their_preprocessing_differs_by_the_filter_alone_on_small_and_smooth_images(xrv: Any) -> None:
    rows, columns = np.meshgrid(np.linspace(0, 1, 400), np.linspace(0, 1, 300), indexing="ij")
    smooth = (0.5 + 0.4 * np.sin(5 * rows) * np.cos(4 * columns)).astype(np.float32)
    cropped = xrv.datasets.XRayCenterCrop()(xrv.datasets.normalize(smooth, 1)[None])
    ours = torchxrayvision.PREPROCESSING(smooth)[0].numpy()
    for engine in ("cv2", "skimage"):
        expected = xrv.datasets.XRayResizer(224, engine=engine)(cropped)[0]
        inner = (slice(4, -4), slice(4, -4))  # "skimage" pads with black
        np.testing.assert_allclose(ours[inner], expected[inner], atol=0.005 * 2048)


@pytest.mark.parametrize("which", ["nih", "chex", "mimic_nb", "mimic_ch"])
def test_weights_without_a_pin_are_refused(which: str) -> None:
    with pytest.raises(InputError, match=r"no SHA-256 is pinned.*densenet121-res224-all.*safetensors"):
        torchxrayvision.load(f"densenet121-res224-{which}")


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    for name in ("resnet50-res512-all", "all", "../x"):
        with pytest.raises(InputError, match="densenet121-res224-all"):
            torchxrayvision.load(name)


@pytest.mark.usefixtures("hub_cache")
def test_without_network_or_cache_one_sentence_says_so() -> None:
    with pytest.raises(InputError, match=r"model\.pt of torchxrayvision/densenet121-res224-pc is neither"):
        torchxrayvision.load("densenet121-res224-pc")


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Path]]:
        return (Path.touch, (self.path,))


def test_a_pickle_of_other_bytes_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(pickle.dumps(Bomb(tmp_path / "touched")))
    with pytest.raises(InputError, match="can run any code"):
        torchxrayvision.load(NAME, file=tmp_path / "model.pt")
    assert not (tmp_path / "touched").exists()
    with pytest.raises(InputError, match="no file"):
        torchxrayvision.load(NAME, file=tmp_path / "absent.pt")


def test_once_loaded_it_can_be_kept_as_a_folder(theirs: torch.nn.Module, tmp_path: Path) -> None:
    ours = torchxrayvision.from_state_dict(theirs.state_dict(), "densenet121-res224-rsna")
    again = hub.load(hub.save(ours, tmp_path / "kept", half=False))
    assert again.spec == ours.spec
    assert [again.spec.labels[index] for index in again.spec.findings] == ["Pneumonia", "Lung Opacity"]
    with torch.no_grad():
        assert torch.equal(again(images(1)), ours(images(1)))
