from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from cxrbench.figures.curves import pr_figure, reliability_figure, roc_figure
from cxrbench.metrics import auroc


@pytest.fixture(scope="module")
def study() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    targets = (random.random((2000, 3)) < [0.4, 0.1, 0]).astype(float)
    return targets, np.clip(0.3 * targets + 0.7 * random.random(targets.shape), 0, 1)


@pytest.mark.parametrize("draw", [roc_figure, pr_figure, reliability_figure])
def test_one_curve_per_finding_with_few_points_within_the_axes(
    study: tuple[np.ndarray, np.ndarray], draw: Callable[..., Any]
) -> None:
    figure = draw(*study, ("A", "B", "C"))
    named = {trace.name: trace for trace in figure.data}
    assert {"A", "B"} <= set(named)
    for trace in figure.data:
        assert len(trace.x) <= 300
        assert min(trace.x) >= 0
        assert max(trace.y) <= 1


def test_a_finding_without_positives_has_no_roc_curve_and_chance_is_drawn(
    study: tuple[np.ndarray, np.ndarray],
) -> None:
    names = [trace.name for trace in roc_figure(*study, ("A", "B", "C")).data]
    assert names == ["A", "B", "chance"]


def test_the_drawn_curve_has_the_area_of_the_full_one(study: tuple[np.ndarray, np.ndarray]) -> None:
    drawn = roc_figure(*study, ("A", "B", "C")).data[0]
    assert_allclose(np.trapezoid(drawn.y, drawn.x), auroc(*study)[0], atol=0.005)
