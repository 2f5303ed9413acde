"""What tests of several rooms share."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared" / "real"
GOLDEN = ROOT.parent / "shared" / "golden"

# A busy machine is no failure: speed is what benchmarks/ are for.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Iterator[None]:
    """Give every test the number of threads that the process began with: commands and the app set their own.

    A hook, not a fixture, so that what fixtures of a module do is undone too. The number is set after every
    test, also where this thread still has it: a test's worker thread may have changed what later threads get.
    """
    torch = sys.modules.get("torch")
    threads = (
        torch.get_num_threads() if torch else int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    )
    result = yield
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    return result


@pytest.fixture(scope="session", autouse=True)
def no_own_data_sets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the data sets that whoever runs the tests has added; some add their own elsewhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CXRBENCH_DATA", str(tmp_path_factory.mktemp("data_sets")))
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def real() -> Path:
    if not REAL.is_dir():
        pytest.skip("the real radiographs are not beside this checkout (../shared/real)")
    return REAL


@pytest.fixture(scope="session")
def golden() -> Path:
    if not GOLDEN.is_dir():
        pytest.skip("the golden numbers are not beside this checkout (../shared/golden)")
    return GOLDEN


@pytest.fixture(scope="session")
def small_assets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as ``assets/``: an untrained model, two gallery cases, a second model outside the gallery."""
    from cxrbench.compare import Settings, further_maps, gallery
    from cxrbench.compare.run import collect, compare
    from cxrbench.explain import method
    from cxrbench.models import create, hub
    from cxrbench.preprocess import Preprocessing

    root = tmp_path_factory.mktemp("assets")
    labels = ("No Finding", "Cardiomegaly", "", "Pleural Effusion")
    recipe = Preprocessing(size=96, mean=0.5, std=0.25)
    for seed, name in enumerate(("small", "other")):
        model = create("efficientnet_b0", labels, name=name, preprocessing=recipe, seed=seed)
        hub.save(model, root / "models" / name)
    small = hub.load(root / "models" / "small")
    settings = Settings(("small",), gallery.STORED_METHODS, steps=6)
    further = Settings(("small",), ("eigen_cam", "saliency", "grad_cam(stage=1)"), steps=6)
    rows, columns = np.mgrid[:80, :100]
    picture = (127 + 60 * np.sin(rows / 9) + 60 * np.cos(columns / 7)).astype(np.uint8) / np.float32(255)
    mask = np.zeros(picture.shape, bool)
    mask[20:40, 30:60] = True
    cases = []
    for case, finding in (("heart", "Cardiomegaly"), ("fluid", "Pleural Effusion")):
        image = picture if case == "heart" else picture[::-1]
        comparison = collect(
            compare(image, settings, models={"small": small}),
            image=image,
            settings=settings,
            masks={finding: mask},
            truth={finding: 1, "No Finding": 0},
        )
        gallery.store(comparison, root / "gallery" / case)
        heats = collect(compare(image, further, models={"small": small}), image=image, settings=further)
        kept = [further_maps.thinned(heat, finding) for heat in heats.heat_maps.values()]
        further_maps.write(kept, root / "gallery" / case, "small", rough=["saliency"])
        why = f"Made for tests: {finding}."
        cases.append({"id": case, "title": f"A {case}", "why": why, "view": "PA", "findings": [finding]})
    index = {"stage": 0, "baseline": "black", "steps": 6, "models": {"small": "Small"}, "cases": cases}
    index["methods"] = {key: method(key).title for key in gallery.STORED_METHODS}
    index["further"] = {key: method(key).title for key in further.methods[:2]}
    index["variants"] = {"grad_cam(stage=1)": "Grad-CAM (stage 1)"}
    (root / "gallery" / "index.json").write_text(json.dumps(index))
    return root
