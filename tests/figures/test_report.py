import re

import numpy as np
import pandas as pd
import pytest

from cxrbench.compare import DISCLAIMER
from cxrbench.evaluation import ABOUT, Predictions, evaluate
from cxrbench.figures.report import report


@pytest.fixture(scope="module")
def text() -> str:
    targets = np.zeros((30, 2), np.float32)
    targets[:12, 0] = 1
    scores = np.random.default_rng(0).random((30, 2)).astype(np.float32)
    table = pd.DataFrame({column: [f"{column}{i}" for i in range(30)] for column in ABOUT})
    predictions = Predictions(table, ("A", "<b>B</b>"), targets, scores, "one")
    figures = {**evaluate(predictions, (0.5, 0.5), count=20), "thresholds": "stored."}
    return report("one & all", {"<model>": (predictions, figures)})


def test_the_report_is_self_contained_and_has_the_disclaimer(text: str) -> None:
    _, _, body = text.partition("</script>")
    assert DISCLAIMER in body
    assert not re.findall(r'(?:src|href)="', body)
    assert body.count("Plotly.newPlot") == 3


def test_names_are_escaped(text: str) -> None:
    _, _, body = text.partition("</script>")
    assert "<td>&lt;b&gt;B&lt;/b&gt;</td>" in body
    assert "<h2>&lt;model&gt;</h2>" in body
    assert "<h1>one &amp; all</h1>" in body


def test_undefined_metrics_are_shown_as_undefined(text: str) -> None:
    assert "<td>undefined</td>" in text
    assert "undefined for 1" in text
