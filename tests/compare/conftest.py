from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cxrbench.compare import Comparison, HeatMaps, Prediction, Settings, gallery
from cxrbench.compare.run import collect, compare
from cxrbench.models import Classifier, create
from cxrbench.preprocess import Preprocessing

LABELS = ("No Finding", "Cardiomegaly", "", "Pleural Effusion")


@pytest.fixture(scope="session")
def model() -> Classifier:
    preprocessing = Preprocessing(size=96, mean=0.5, std=0.25)
    return create("efficientnet_b0", LABELS, name="small", preprocessing=preprocessing, seed=3)


@pytest.fixture(scope="session")
def image() -> np.ndarray:
    """80 × 100, of 8 bits."""
    rows, columns = np.mgrid[:80, :100]
    samples: np.ndarray = (127 + 60 * np.sin(rows / 9) + 60 * np.cos(columns / 7)).astype(np.uint8)
    image: np.ndarray = samples.astype(np.float32) / np.float32(255)
    return image


@pytest.fixture(scope="session")
def computed(model: Classifier, image: np.ndarray) -> Comparison:
    """The methods of the gallery on a real network, with a mask and truth."""
    settings = Settings(models=("small",), methods=gallery.STORED_METHODS, steps=6)
    mask = np.zeros(image.shape, bool)
    mask[20:40, 30:60] = True
    return collect(
        compare(image, settings, models={"small": model}),
        image=image,
        settings=settings,
        source="a" * 64,
        masks={"Cardiomegaly": mask},
        truth={"Cardiomegaly": 1, "Pleural Effusion": 0},
    )


def _made(
    maps: np.ndarray,
    *,
    model: str = "m",
    method: str = "grad_cam",
    image: np.ndarray | None = None,
    **facts: object,
) -> Comparison:
    """A comparison of one cell with the given maps, findings named F0, F1 …"""
    labels = tuple(f"F{index}" for index in range(len(maps)))
    count = len(labels)
    heat = HeatMaps(
        **{  # type: ignore[arg-type]
            "model": model,
            "method": method,
            "stage": "last",
            "labels": labels,
            "maps": np.asarray(maps, np.float32),
            "preprocessing": Preprocessing(size=8),
            "seconds": 0.5,
            "title": "Grad-CAM",
            **facts,
        }
    )
    half = np.full(count, 0.5, np.float32)
    prediction = Prediction(model, "r1", labels, np.zeros(count, np.float32), half + 0.25, half, 0.1)
    return Comparison(
        image=np.zeros((8, 8), np.float32) if image is None else image,
        source="",
        settings=Settings((model,), (method,)),
        predictions={model: prediction},
        heat_maps={(model, method): heat},
    )


@pytest.fixture(scope="session")
def made() -> Callable[..., Comparison]:
    return _made


@pytest.fixture
def assets_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    return tmp_path
