"""Reports opened from disk, in a browser without a network: complete, and accessible as pages are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxrbench.compare import DISCLAIMER, gallery
from cxrbench.evaluation import ABOUT, Predictions, evaluate
from cxrbench.figures.comparison_report import comparison_report
from cxrbench.figures.report import report
from cxrbench.figures.scorecard import Score, Scorecard, scorecard


def of_a_comparison() -> str:
    methods = ["grad_cam", "integrated_gradients"]
    return comparison_report(
        gallery.load("pleural-effusion", methods=methods), ["Pleural Effusion"], title="a film"
    )


def of_an_evaluation() -> str:
    scores = np.random.default_rng(0).random((30, 2)).astype(np.float32)
    table = pd.DataFrame({column: [f"{column}{row}" for row in range(30)] for column in ABOUT})
    predictions = Predictions(table, ("Edema", "Fracture"), (scores > 0.4).astype(np.float32), scores, "one")
    figures = {**evaluate(predictions, (0.5, 0.5), count=20), "thresholds": "stored."}
    return report("a model", {"model": (predictions, figures)})


def of_a_method() -> str:
    score = Score("hit", 0.4, 0.3, 0.5, 24, 0.9, {"Location prior": 0.6}, {"Location prior": "worse"}, {})
    about = ("Grad-CAM", "grad_cam", "Coarse.", "small", "Edema", 24, 23, "1.2.3", "stored results", True)
    return scorecard(Scorecard(*about, [score]))


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("write", [of_a_comparison, of_an_evaluation, of_a_method])
def test_a_report_is_complete_and_accessible_without_a_network(
    offline: Any, tmp_path: Path, write: Callable[[], str], width: int
) -> None:
    path = tmp_path / "report.html"
    path.write_text(write(), encoding="utf-8")
    page = offline.page
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(path.as_uri())
    assert page.get_by_text(DISCLAIMER).is_visible()
    for part in page.locator("summary").all():
        part.click()
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert offline.violations() == "{}"
