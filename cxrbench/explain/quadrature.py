"""Points on the path of integrated gradients: places, weights, order of visits, where errors are checked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["Quadrature", "gauss_legendre", "nested_trapezoid", "typical_nodes"]

_MOST: Final = 256  # intervals of the finest nested rule; it has one node more
_COARSEST: Final = 16  # intervals of the first rule that is checked: with fewer its error is small by chance
# Nodes of the first chunk; it is smaller than the others, so that a first draft comes early.
_FIRST: Final = 4
_TYPICAL: Final = 33  # nodes until the error is below 1 %: measured in docs/decisions.md


@dataclass(frozen=True)
class Quadrature:
    """Nodes in the order in which they are visited; the sum over a prefix is divided by its weights' sum.

    Args:
        nodes: (n,) in [0, 1].
        weights: (n,), relative to each other.
        checks: numbers of nodes after which the sum is a rule of its own; the last is n.
    """

    nodes: np.ndarray
    weights: np.ndarray
    checks: tuple[int, ...]

    def chunks(self, size: int) -> Iterator[tuple[int, int]]:
        """Ranges of at most ``size`` nodes that are visited together; each check ends one."""
        start = 0
        for check in self.checks:
            while start < check:
                end = min(check, start + (size if start else min(size, _FIRST)))
                yield start, end
                start = end

    def covered(self, done: int) -> float:
        """Sum of the weights of the first ``done`` nodes."""
        # All weights of a Gauss–Legendre rule are exactly 1; their rounded sum would only add an error.
        exact = done == len(self.nodes) and len(self.checks) == 1
        return 1.0 if exact else float(self.weights[:done].sum())

    def expected_nodes(self, done: int, error: float, tolerance: float) -> int:
        """Number of nodes at the first check where the error is expected to be within the tolerance.

        Args:
            done: nodes so far.
            error: relative completeness error at the last check, assumed to fall as 1/n; NaN before it.
            tolerance: largest error that is accepted.
        """
        needed = done * error / tolerance if np.isfinite(error) and tolerance else _TYPICAL
        later = [check for check in self.checks if check > done]
        return next((check for check in later if check >= needed), self.checks[-1])


def gauss_legendre(steps: int) -> Quadrature:
    """The Gauss–Legendre rule of ``steps`` nodes, visited so that every prefix is spread over the path."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    order = _spread(steps)
    return Quadrature((nodes[order] + 1) / 2, weights[order] / 2, (steps,))


def nested_trapezoid() -> Quadrature:
    """The trapezoid rules of 16, 32 … 256 intervals, each of which reuses all nodes of the one before."""
    nodes: list[float] = [0.5, 0.25, 0.75, 1.0, 0.0]
    checks = []
    intervals = 4
    while intervals < _MOST:
        nodes += [(2 * int(place) + 1) / (2 * intervals) for place in _spread(intervals)]
        intervals *= 2
        if intervals >= _COARSEST:
            checks.append(len(nodes))
    path = np.array(nodes)
    return Quadrature(path, np.where((path == 0) | (path == 1), 0.5, 1.0), tuple(checks))


def typical_nodes(steps: int, tolerance: float) -> int:
    """Number of nodes that integrated gradients take: ``steps``, or what the tolerance typically needs."""
    if not tolerance:
        return steps
    needed = 2.0 ** np.ceil(np.log2(0.01 / tolerance * (_TYPICAL - 1)))
    return int(np.clip(needed, _COARSEST, _MOST)) + 1


def _spread(count: int) -> np.ndarray:
    """A permutation of 0 … count − 1 whose prefixes are evenly spread, by the golden ratio, middle first."""
    golden = (np.sqrt(5) - 1) / 2
    return np.argsort(np.argsort((0.5 + golden * np.arange(count)) % 1, kind="stable"), kind="stable")
