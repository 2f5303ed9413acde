"""CheXlocalize's saliency pickles: every form is read, and nothing in them is executed."""

import collections
import contextlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cxrbench.data.truth import Saliency, read_saliency, saliency_files
from cxrbench.errors import InputError

MAP = np.arange(6, dtype=np.float32).reshape(2, 3) / 7


def written(folder: Path, content: object, *, protocol: int = pickle.DEFAULT_PROTOCOL) -> Path:
    path = folder / "patient1_study1_view1_frontal_Edema_map.pkl"
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol=protocol))
    return path


def read(folder: Path, content: object, *, protocol: int = pickle.DEFAULT_PROTOCOL) -> Saliency:
    return read_saliency(
        written(folder, content, protocol=protocol), "patient1_study1_view1_frontal", "Edema"
    )


def entry(**changes: Any) -> dict[str, Any]:
    """A file as CheXlocalize describes it."""
    content = {
        "map": torch.from_numpy(MAP)[None, None],
        "prob": 0.25,
        "task": "Edema",
        "gt": 1,
        "cxr_img": torch.zeros(3, 4, 4),
        "cxr_dims": (30, 20),
    }
    return {**content, **changes}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("form", ["tensor", "array", "flipped", "double", "big-endian", "parameter"])
def test_a_map_is_read_in_every_form_and_protocol(tmp_path: Path, form: str, protocol: int) -> None:
    maps: dict[str, Any] = {
        "tensor": torch.from_numpy(MAP)[None, None],
        "array": MAP[None, None],
        "flipped": torch.from_numpy(MAP.T.copy()).T[None, None],
        "double": torch.from_numpy(MAP.astype(np.float64)),
        "big-endian": np.asfortranarray(MAP.astype(">f4")),
        "parameter": torch.nn.Parameter(torch.from_numpy(MAP)[None, None]),
    }
    saliency = read(tmp_path, entry(map=maps[form]), protocol=protocol)
    np.testing.assert_array_equal(saliency.map, MAP)
    assert saliency.map.dtype == (np.float64 if form == "double" else np.float32)
    assert saliency.size == (20, 30)  # cxr_dims is (width, height)
    assert saliency.probability == 0.25
    assert torch.from_numpy(saliency.map).dtype.is_floating_point  # without a warning


@pytest.mark.parametrize(
    "dimensions", [[30, 20], np.array([30, 20]), torch.Size([30, 20]), torch.tensor([30, 20])]
)
def test_the_size_is_read_in_every_form(tmp_path: Path, dimensions: object) -> None:
    assert read(tmp_path, entry(cxr_dims=dimensions)).size == (20, 30)


def test_the_probability_keeps_its_precision_since_it_is_compared_with_cutoffs(tmp_path: Path) -> None:
    outputs = torch.full((14,), 0.9)
    outputs[5] = 0.3  # Edema is the sixth of CheXlocalize's 14 outputs
    for probability in (torch.tensor(0.3), np.float32(0.3), outputs, outputs.numpy()):
        found = read(tmp_path, entry(prob=probability)).probability
        assert isinstance(found, np.float32)
        assert not found > 0.30000000000000004  # single precision, as in a comparison of tensors
        assert not found < 0.3
    assert isinstance(read(tmp_path, entry(prob=0.3)).probability, float)
    content = entry()
    del content["prob"]
    assert np.isnan(read(tmp_path, content).probability)


class Malicious:
    """Leaves a file behind if it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_malicious_pickle_is_refused_and_not_executed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    pickle.loads(pickle.dumps(Malicious(trace)))
    assert trace.exists()  # so it would work
    trace.unlink()
    with pytest.raises(InputError, match="which no saliency map needs and which could run any code"):
        read(tmp_path, entry(extra=Malicious(trace)))
    assert not trace.exists()


def test_malicious_bytes_inside_a_tensors_storage_are_not_executed(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    inner = tmp_path / "inner.pt"
    torch.save(Malicious(trace), inner, _use_new_zipfile_serialization=False)

    class Storage:
        def __reduce__(self) -> Any:
            return torch.storage._load_from_bytes, (inner.read_bytes(),)

    with pytest.raises(InputError, match="damaged"):
        read(tmp_path, entry(map=Storage()))
    assert not trace.exists()


class Call:
    """A pickle that calls a function with some arguments, and perhaps sets a state on the result."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self.parts = (function, arguments, state)

    def __reduce__(self) -> Any:
        return self.parts


@pytest.mark.parametrize(
    "value",
    [
        Call(eval, "1"),
        Call(getattr, "text", "upper"),
        Call(torch.load, "model.pt"),
        Call(np.load, "map.npy"),
        Call(collections.Counter),
    ],
)
def test_every_other_name_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(InputError, match="it was not opened"):
        read(tmp_path, entry(extra=value))


@pytest.mark.parametrize(
    "value",
    [
        Call(torch._utils._rebuild_tensor_v2, torch.zeros(4).untyped_storage().tolist(), 0, (2,), (1,)),
        Call(np.dtype, "O", state=(3, "<", None, None, None, -1, -1, 63)),
        Call(np.dtype, "f4", state=(3, "?", None, None, None, -1, -1, 63)),
        np.array([object], object),
    ],
)
def test_what_numbers_cannot_be_rebuilt_from_is_damaged(tmp_path: Path, value: object) -> None:
    with pytest.raises(InputError):
        read(tmp_path, entry(map=value))


def test_a_tensor_larger_than_its_storage_is_damaged(tmp_path: Path) -> None:
    tensor = torch.zeros(1, 1, 2, 3)
    data = pickle.dumps(entry(map=tensor), protocol=2)
    wide = data.replace(b"K\x02K\x03t", b"K\x02K\xfft", 1)
    assert wide != data
    with pytest.raises(InputError, match="damaged"):
        read(tmp_path, wide)


@pytest.mark.parametrize("share", [0, 0.2, 0.5, 0.9])
def test_a_cut_file_is_damaged(tmp_path: Path, share: float) -> None:
    data = pickle.dumps(entry())
    with pytest.raises(InputError, match="the pickle is damaged"):
        read(tmp_path, data[: int(share * len(data))])


def test_random_damage_never_raises_anything_else(tmp_path: Path) -> None:
    data = pickle.dumps(entry(map=MAP))
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(data)
        for position in rng.integers(0, len(data), 2):
            damaged[position] = rng.integers(256)
        with contextlib.suppress(InputError):
            read(tmp_path, bytes(damaged))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"map": torch.zeros(2, 3, 3)}, r"a map of shape \(1, 1, h, w\)"),
        ({"map": torch.zeros(1, 1, 0, 3)}, r"a map of shape"),
        ({"map": "map"}, r"a map of shape"),
        ({"cxr_dims": (30, 20, 3)}, r"cxr_dims to be \(width, height\)"),
        ({"cxr_dims": (30.5, 20)}, r"cxr_dims to be"),
        ({"cxr_dims": (0, 20)}, r"cxr_dims to be"),
        ({"cxr_dims": (10**6, 10**6)}, r"cxr_dims to be"),
        ({"prob": torch.zeros(5)}, "one for each of 14 findings"),
        ({"prob": "high"}, "prob to be one number"),
    ],
)
def test_another_content_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, entry(**changes))
    with pytest.raises(InputError, match="a dictionary with 'map' and 'cxr_dims'"):
        read(tmp_path, [1])


def test_files_are_found_by_film_and_finding(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("b_x_Lung Opacity", "a_x_Edema", "below/a_x_Airspace Opacity", "a_x_Fracture"):
        (tmp_path / f"{name}_map.pkl").touch()
    (tmp_path / "notes.pkl").touch()
    assert list(saliency_files(tmp_path)) == [
        ("a_x", "Edema"),
        ("b_x", "Airspace Opacity"),
        ("a_x", "Airspace Opacity"),
    ]
    (tmp_path / "below" / "b_x_Airspace Opacity_map.pkl").touch()
    with pytest.raises(InputError, match="occurs twice"):
        saliency_files(tmp_path)
    with pytest.raises(InputError, match="There is no file"):
        saliency_files(tmp_path / "empty")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_saliency(tmp_path / "none.pkl", "a", "Edema")
