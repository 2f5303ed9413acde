"""`FeatureStatistics`: what a model's features of its training films are like, saved beside its weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialise

from cxrbench.errors import InputError
from cxrbench.writing import write_bytes

__all__ = ["FeatureStatistics", "read_statistics", "write_statistics"]

_SHAPES: Final = {"mean": 1, "directions": 2, "variances": 1, "rest": 0, "limit": 0, "films": 0}
_WEIGHTS: Final = "weights"  # metadata: revision of the weights whose features were measured


@dataclass(frozen=True, eq=False)
class FeatureStatistics:
    """Mean and covariance of a model's features over its training films, and the usual distance from them.

    The covariance is Σ = U diag(v) Uᵀ + rest · (1 − U Uᵀ): R directions with a variance each, and one
    variance for all others.

    Args:
        mean: (D,) of the features.
        directions: (D, R) columns of U, orthonormal but for rounding.
        variances: (R,) positive, along each direction.
        rest: positive variance along every other direction.
        limit: Mahalanobis distance that 95 % of the validation films do not exceed; positive.
        films: number of training films that were measured.

    Raises:
        InputError: shapes that do not fit, or values that are not finite or not positive.
    """

    mean: np.ndarray
    directions: np.ndarray
    variances: np.ndarray
    rest: float
    limit: float
    films: int = 0

    def __post_init__(self) -> None:
        shapes = (self.mean.shape, self.directions.shape, self.variances.shape)
        if self.mean.ndim != 1 or self.directions.shape != (len(self.mean), len(self.variances)):
            raise InputError(
                f"Feature statistics need a mean (D,), directions (D, R) and variances (R,); got {shapes}."
            )
        values = (self.mean, self.directions, self.variances, np.array([self.rest, self.limit]))
        positive = (*self.variances, self.rest, self.limit)
        if not all(np.isfinite(part).all() for part in values) or min(positive) <= 0:
            raise InputError("Feature statistics must be finite, and variances and limit positive.")

    def distances(self, features: np.ndarray) -> np.ndarray:
        """Mahalanobis distance of features from the training films' mean: √((f − μ)ᵀ Σ⁻¹ (f − μ)).

        Args:
            features: (N, D).

        Returns:
            (N,) float64, at least 0.

        Reference: Lee et al. 2018, arXiv:1807.03888, with one mean instead of one per class, as findings
        are not classes that exclude each other.
        """
        centred = np.asarray(features, np.float64) - self.mean
        along = centred @ self.directions
        across = centred - along @ self.directions.T
        squares = (along**2 / self.variances).sum(axis=1) + (across**2).sum(axis=1) / self.rest
        distances: np.ndarray = np.sqrt(squares)
        return distances

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Statistics from the arrays of a file, whatever the precision of its floats.

        Raises:
            InputError: an array is missing, unknown, or of another number of axes.
        """
        found = {name: array.ndim for name, array in arrays.items()}
        if found != _SHAPES:
            raise InputError(f"it must hold arrays with these numbers of axes: {_SHAPES}; got {found}.")
        wide = {name: array.astype(np.float64) for name, array in arrays.items()}
        return cls(
            mean=wide["mean"],
            directions=wide["directions"],
            variances=wide["variances"],
            rest=float(wide["rest"]),
            limit=float(wide["limit"]),
            films=int(wide["films"]),
        )


def write_statistics(path: Path, statistics: FeatureStatistics, *, weights: str) -> None:
    """Write statistics as safetensors; directions in 16 bits, which is most of the file.

    Args:
        path: of the file.
        statistics: to write.
        weights: revision of the model's weights.
    """
    arrays: dict[str, np.ndarray] = {
        "mean": statistics.mean.astype(np.float32),
        "directions": np.ascontiguousarray(statistics.directions, np.float16),
        "variances": statistics.variances.astype(np.float32),
        "rest": np.array(statistics.rest, np.float32),
        "limit": np.array(statistics.limit, np.float32),
        "films": np.array(statistics.films, np.int32),
    }
    write_bytes(path, serialise(arrays, metadata={_WEIGHTS: weights}))


def read_statistics(path: Path, *, weights: str) -> FeatureStatistics | None:
    """Read the statistics beside a model's weights; None if there is no such file.

    Args:
        path: of the file.
        weights: revision of the weights beside it.

    Raises:
        InputError: the file is damaged, or was measured with other weights.
    """
    if not path.is_file():
        return None
    try:
        with safe_open(path, framework="numpy") as file:
            stated = (file.metadata() or {}).get(_WEIGHTS)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        statistics = FeatureStatistics.from_arrays(arrays)
    except (SafetensorError, OSError, ValueError, InputError) as error:
        raise InputError(
            f"{path} is damaged or not a safetensors file ({error}); fetch it again, or remove it."
        ) from None
    if stated != weights:
        raise InputError(
            f"{path} was measured with other weights ({stated or 'not stated'}) than those beside it "
            f"({weights}); remove it, or measure it again."
        )
    return statistics
