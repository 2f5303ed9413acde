import io
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cxrbench.compare import DISCLAIMER, Comparison, HeatMaps, Prediction, Settings
from cxrbench.errors import InputError
from cxrbench.figures import panels, panels_png, panels_svg
from cxrbench.preprocess import Preprocessing


@pytest.fixture
def comparison() -> Comparison:
    labels = ("Edema", "Fracture")
    rng = np.random.default_rng(0)
    maps = {
        "grad_cam": rng.standard_normal((2, 7, 7)),
        "integrated_gradients": rng.standard_normal((2, 96, 96)),
    }
    half = np.full(2, 0.5, np.float32)
    heats = {
        (model, method): HeatMaps(
            model=model,
            method=method,
            stage=None,
            labels=labels,
            maps=grids.astype(np.float32),
            preprocessing=Preprocessing(size=96, fit="crop"),
            seconds=0.01,
            title=method.title(),
            signed=method == "integrated_gradients",
        )
        for model in ("a", "b")
        for method, grids in maps.items()
    }
    heats["b", "grad_cam"] = replace(
        heats["b", "grad_cam"], maps=np.empty((0, 0, 0), np.float32), problem="no stage"
    )
    mask = np.zeros((64, 96), bool)
    mask[20:40, 30:50] = True
    return Comparison(
        image=rng.random((64, 96)).astype(np.float32),
        source="",
        settings=Settings(("a", "b"), tuple(maps)),
        predictions={name: Prediction(name, "", labels, half, half + 0.2, half, 0.1) for name in ("a", "b")},
        heat_maps=heats,
        masks={"Edema": mask},
        truth={"Edema": 1},
    )


def words(comparison: Comparison, finding: str, **style: object) -> str:
    figure = panels(comparison, finding, **style)  # type: ignore[arg-type]
    texts = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        texts += [text.get_text() for text in axes.texts]
        texts += [axes.get_title(), axes.get_title(loc="left")]
    return " ".join(" ".join(texts).split())


def test_each_model_is_a_row_of_radiograph_and_methods(comparison: Comparison) -> None:
    figure = panels(comparison, "Edema")
    assert len(figure.axes) == 6
    with Image.open(io.BytesIO(panels_png(figure))) as picture:
        assert picture.format == "PNG"
        assert picture.width > picture.height


def test_the_text_states_scale_score_truth_problem_and_disclaimer(comparison: Comparison) -> None:
    text = words(comparison, "Edema", scale="method", threshold=0.25)
    for part in (
        "one scale per method",
        "below 25% of full strength",
        "score 0.70, above its threshold 0.50",
        "present (ground truth)",
        "ground-truth mask",
        "not applicable: no stage",
        DISCLAIMER,
    ):
        assert part in text
    assert "truth unknown" in words(comparison, "Fracture")


def test_unknown_findings_colours_and_scales_are_refused(comparison: Comparison) -> None:
    with pytest.raises(InputError, match="Edema, Fracture"):
        panels(comparison, "Hernia")
    with pytest.raises(InputError, match="cividis"):
        panels(comparison, "Edema", colours="jet")
    with pytest.raises(InputError, match="map, method, all"):
        panels(comparison, "Edema", scale="none")  # type: ignore[arg-type]


def test_the_picture_is_reproducible_and_names_no_program(comparison: Comparison) -> None:
    one, other = (panels_png(panels(comparison, "Edema")) for _ in range(2))
    assert one == other
    assert b"matplotlib" not in one.lower()


def test_pyplot_is_not_imported() -> None:
    """Its state is global to the process, and threads draw at the same time."""
    code = "import sys, cxrbench.figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_svg_holds_its_words_as_text_and_is_the_same_each_time(comparison: Comparison) -> None:
    first, second = (panels_svg(panels(comparison, "Edema")) for _ in range(2))
    assert first == second
    assert DISCLAIMER in first.decode()
