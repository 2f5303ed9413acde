"""The 90° turn of a frontal map, against a count of voxels."""

import numpy as np
import pytest

from cxrbench.data.phantom.anatomy import draw_patient
from cxrbench.data.phantom.turn import GRID, slab, turn
from cxrbench.data.phantom.view import draw_geometry

STEP = 0.25


def grid(size: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """x and y at the centre of each cell, cm."""
    at = (np.arange(size) + 0.5 - size / 2) * STEP
    x, y = np.broadcast_arrays(at[None, :], at[:, None])
    return x, y


def test_turning_measures_the_rays_that_contain_each_depth() -> None:
    rng = np.random.default_rng(0)
    low = rng.uniform(-5, 3, (6, 48))
    high = low + rng.uniform(-1, 4, low.shape)  # some intervals are empty
    weight = rng.uniform(-1, 2, low.shape)
    fine, slow = 64, np.zeros(low.shape)
    for row, column in np.ndindex(low.shape):
        for step in range(48):
            z = (step - 24 + (np.arange(fine) + 0.5) / fine) * STEP
            inside = (z >= low[row, column]) & (z <= high[row, column])
            slow[row, step] += weight[row, column] * inside.mean() * STEP
    assert np.abs(turn(weight, low, high, STEP) - slow).max() < 48 * STEP * 2 * 2 / fine / 4


def test_a_ball_is_a_ball_from_the_side() -> None:
    x, y = grid(192)
    half = np.sqrt(np.maximum(8.0**2 - x**2 - y**2, 0))
    chord = 2 * half  # the same formula, read with z in the place of x
    got = turn(1.0, -half, half, STEP)
    assert np.abs(got - chord).mean() < 0.01
    assert np.abs(got - chord).max() < 1.0  # at the rim half a cell is a long chord


def test_the_total_is_preserved() -> None:
    x, y = grid()
    half = 2.0 + np.cos(x) * np.sin(y)
    weight = 1 + 0.3 * np.sin(x * y)
    got = turn(weight, 0.5 - half, 0.5 + half, STEP)
    assert np.allclose(got.sum(1) * STEP, (weight * 2 * half).sum(1) * STEP)


def test_parts_nearer_the_tube_are_magnified_more() -> None:
    patient = draw_patient(3)
    frame, side = slab(patient, 0), draw_geometry(patient, "LATERAL", 128, 0)
    x, y = frame.geometry.plane(0.0)
    half = np.sqrt(np.maximum(3.0**2 - x**2 - (y - 10) ** 2, 0))
    ball = turn(1.0, -half, half, frame.spacing)
    assert ball.shape == (GRID, GRID)
    right, left = ((frame.project(ball, side, x) > 0.5).sum() for x in (-10.0, 10.0))
    assert right / left == pytest.approx(((183 - 8) / (183 - 28)) ** 2, rel=0.05)
