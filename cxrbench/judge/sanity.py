"""Sanity: does a map depend on the model's weights, and on the finding that is asked for?"""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import torch
from scipy.ndimage import uniform_filter
from torch import Tensor, nn

from cxrbench.judge.correlation import spearman
from cxrbench.models import Classifier

__all__ = [
    "Cascade",
    "cascade",
    "classifier_groups",
    "finding_swap",
    "randomised_models",
    "structural_similarity",
]

_STREAM: Final = 982_451_653

_Model = TypeVar("_Model", bound=nn.Module)


@dataclass(frozen=True, eq=False)
class Cascade:
    """Similarity of maps to those of the trained model while its layers are randomised, head first.

    Args:
        groups: (S,) names of the layers that were randomised, in this order; all before them stay random.
        spearman: (S, ...) rank correlation of signed maps with the original ones.
        ssim: (S, ...) structural similarity, likewise.
        maps: (S, ..., h, w), the maps themselves.
    """

    groups: tuple[str, ...]
    spearman: np.ndarray
    ssim: np.ndarray
    maps: np.ndarray


def cascade(
    model: nn.Module,
    explain: Callable[[nn.Module], np.ndarray],
    example: Tensor,
    *,
    groups: Sequence[str] | None = None,
    seed: int = 0,
) -> Cascade:
    """Randomise a private copy of a model from its head down, and explain it after each group of layers.

    Every parameter is drawn from a normal distribution with the mean and standard deviation that it had, so
    that activations keep their size. The original maps, similar to themselves by 1, are not among the result.

    Args:
        model: in eval mode; it is not changed.
        explain: model → maps (..., h, w), signed.
        example: images (N, C, H, W) for the one forward pass that shows in which order layers are executed.
        groups: paths of modules whose layers are randomised together; default: those of a classifier's steps,
            and each layer by itself elsewhere.
        seed: of the random parameters.

    Reference: Adebayo et al. 2018, arXiv:1810.03292; that it must not rank methods, Binder et al. 2023,
        arXiv:2211.12486.
    """
    original = np.asarray(explain(model))
    names, maps = [], []
    for name, randomised in randomised_models(model, example, groups=groups, seed=seed):
        names.append(name)
        maps.append(np.asarray(explain(randomised)))
    return Cascade(
        tuple(names),
        np.array([_compare(spearman, original, each) for each in maps]),
        np.array([_compare(structural_similarity, original, each) for each in maps]),
        np.array(maps),
    )


def randomised_models(
    model: _Model, example: Tensor, *, groups: Sequence[str] | None = None, seed: int = 0
) -> Iterator[tuple[str, _Model]]:
    """Yield a private copy of a model after each group of layers is randomised; arguments as in ``cascade``.

    Yields:
        Name of the group, and the copy, in which this group and all after it are random. It is the same
        object each time: use it before going on.
    """
    private = copy.deepcopy(model)
    if groups is None:
        groups = classifier_groups(private) if isinstance(private, Classifier) else ()
    ordered = _execution_groups(private, example, groups)
    # Not the seed itself: the model may have been initialised with it, and would be drawn once more.
    random = torch.Generator().manual_seed(seed + _STREAM)
    for name in reversed(ordered):
        for module in ordered[name]:
            _randomise(module, random)
        yield name, private


def classifier_groups(model: Classifier) -> tuple[str, ...]:
    """Paths of the steps of a classifier's backbone, such as ``backbone.blocks.3``."""
    return tuple(f"backbone.{name}" for name, _ in model.architecture.steps(model.backbone))


def finding_swap(maps: np.ndarray, other_maps: np.ndarray) -> float:
    """Mean rank correlation of a finding's map with those of other findings on the same image.

    Args:
        maps: (h, w), of the finding.
        other_maps: (M, h, w), of other findings.

    Returns:
        In [−1, 1]: 1 if the finding makes no difference; NaN without other maps, or if all are constant.
    """
    values = [spearman(maps, other) for other in other_maps]
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def structural_similarity(first: np.ndarray, second: np.ndarray, *, window: int = 7) -> float:
    """SSIM of two signed maps (h, w) as pictures in [0, 1], in which 0 is mid-grey.

    Each map is divided by its largest absolute value. With negative values in the pictures, SSIM would be
    positive where both brightness and structure are opposite.

    Args:
        first: (h, w).
        second: (h, w).
        window: side of the square windows; maps that are smaller take the largest odd one that fits.

    Returns:
        In [−1, 1]; NaN if a map is zero or not finite.

    Reference: Wang et al. 2004, doi:10.1109/TIP.2003.819861, with uniform windows.
    """
    x, y = (np.asarray(each, np.float64) for each in (first, second))
    largest = [np.abs(each).max() for each in (x, y)]
    if not np.isfinite(largest).all() or min(largest) == 0:
        return float("nan")
    x, y = ((each / top + 1) / 2 for each, top in zip((x, y), largest, strict=True))
    side = min(window, *x.shape)
    side -= 1 - side % 2
    sample = side**2 / max(1, side**2 - 1)  # unbiased variances, as scikit-image's

    def local(values: np.ndarray) -> np.ndarray:
        margin = side // 2
        means: np.ndarray = uniform_filter(values, side)[
            margin : values.shape[0] - margin, margin : values.shape[1] - margin
        ]
        return means

    mean_x, mean_y = local(x), local(y)
    variance_x, variance_y = (sample * (local(v * v) - m * m) for v, m in ((x, mean_x), (y, mean_y)))
    covariance = sample * (local(x * y) - mean_x * mean_y)
    luminance, contrast = 0.01**2, 0.03**2
    similarity = ((2 * mean_x * mean_y + luminance) * (2 * covariance + contrast)) / (
        (mean_x**2 + mean_y**2 + luminance) * (variance_x + variance_y + contrast)
    )
    return float(similarity.mean())


def _compare(
    similarity: Callable[[np.ndarray, np.ndarray], float], original: np.ndarray, changed: np.ndarray
) -> np.ndarray:
    """Similarity of each pair of maps (..., h, w): (...)."""
    pairs = zip(*(each.reshape(-1, *each.shape[-2:]) for each in (original, changed)), strict=True)
    return np.array([similarity(*pair) for pair in pairs]).reshape(original.shape[:-2])


def _execution_groups(model: nn.Module, example: Tensor, groups: Sequence[str]) -> dict[str, list[nn.Module]]:
    """Modules with parameters of their own by group, in the order in which they are first executed.

    A module that is never called, such as the one that holds position embeddings, comes first.
    """
    names = {module: name for name, module in model.named_modules()}
    owners = [module for module in names if next(module.parameters(recurse=False), None) is not None]
    executed: list[nn.Module] = []
    # Hooks on the private copy, which nobody else uses.
    handles = [
        module.register_forward_pre_hook(lambda called, _: executed.append(called)) for module in owners
    ]
    try:
        with torch.no_grad():
            model(example)
    finally:
        for handle in handles:
            handle.remove()
    ordered: dict[str, list[nn.Module]] = {}
    for module in dict.fromkeys([*(each for each in owners if each not in executed), *executed]):
        name = names[module]
        parents = [group for group in groups if name == group or name.startswith(f"{group}.")]
        ordered.setdefault(min(parents, key=len, default=name), []).append(module)
    return ordered


def _randomise(module: nn.Module, random: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in module.parameters(recurse=False):
            if parameter.numel() and parameter.is_floating_point():
                spread = parameter.std(correction=0)
                drawn = torch.randn(parameter.shape, generator=random, dtype=parameter.dtype)
                parameter.copy_(parameter.mean() + spread * drawn)
