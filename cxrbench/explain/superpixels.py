"""LIME and KernelSHAP: superpixels of the image are hidden, and the logit is fitted by a linear model.

Captum's Lime and KernelShap draw from the global random generators and run the network again for each
finding. Here the superpixels to hide are drawn from a generator of their own, and findings share the forward
passes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from cxrbench.explain.gradient import Draft, baseline_images, draft_of
from cxrbench.explain.parameters import number, option, whole
from cxrbench.explain.passes import Passes

__all__ = ["KernelShapParameters", "LimeParameters", "coalitions", "kernel_shap", "lime", "segmented"]

_CHUNK: Final = 16  # changed images per forward pass

# (rows of visible superpixels (n, M), their weights (n,)), both in double precision.
_Sample = tuple[Tensor, Tensor]
# (logits of the samples (n,), y(x) and y(x′) (2,)) → one coefficient per superpixel, (M,).
_Fit = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class KernelShapParameters:
    """Of KernelSHAP."""

    segments: int = whole(50, 2, 300, "Superpixels of the image, roughly.")
    samples: int = whole(
        500,
        2,
        20000,
        "Images with hidden superpixels: with more of them the map is less random, and takes longer.",
    )
    baseline: str = option(
        "black",
        ("black", "mean", "blur"),
        "What hidden pixels are replaced by: black, the image's mean grey, or the blurred image.",
    )
    seed: int = whole(0, 0, 999_999, "Of the hidden superpixels; the same seed gives the same map.")


@dataclass(frozen=True)
class LimeParameters(KernelShapParameters):
    """Of LIME."""

    width: float = number(0.25, 0.01, 10.0, "Width of the kernel: how much samples near the image count.")
    penalty: float = number(1.0, 0.0, 1000.0, "Of the squared coefficients (ridge); 0 is least squares.")


def lime(passes: Passes, parameters: LimeParameters) -> Iterator[Draft]:
    """Coefficients of a weighted ridge regression of the logit on which superpixels are visible.

    Each superpixel is visible with probability 1/2; a sample z counts √exp(−d²/width²), d its cosine distance
    from the whole image. A coefficient is divided among the pixels of its superpixel.

    Reference: Ribeiro et al. 2016, arXiv:1602.04938; kernel and ridge as in the authors' ``lime_image``.
    """

    def sample(count: int, random: torch.Generator) -> _Sample:
        visible = (torch.rand(parameters.samples, count, generator=random) < 0.5).double()
        visible[0] = 1  # the image itself
        distance = 1 - (visible.sum(1) / count).sqrt()
        return visible, torch.exp(-((distance / parameters.width) ** 2)).sqrt()

    def fit(visible: Tensor, weights: Tensor) -> _Fit:
        share = weights / weights.sum()
        centred = visible - share @ visible
        solve = _least_squares(centred, weights, parameters.penalty)
        return lambda logits, ends: solve @ (logits - share @ logits)

    return _explained(passes, parameters, sample, fit)


def kernel_shap(passes: Passes, parameters: KernelShapParameters) -> Iterator[Draft]:
    """Shapley values of superpixels, by a weighted regression; they sum to y(x) − y(x′) exactly.

    Coalitions are drawn in proportion to the Shapley kernel, each with its complement; where all of them fit
    into the number of samples they are all taken, and the values are exact. A value is divided among the
    pixels of its superpixel.

    Reference: Lundberg & Lee 2017, arXiv:1705.07874; complements: Covert & Lee 2021, arXiv:2012.01536.
    """

    def sample(count: int, random: torch.Generator) -> _Sample:
        return coalitions(count, parameters.samples, random)

    def fit(visible: Tensor, weights: Tensor) -> _Fit:
        # The last value is what the others leave of y(x) − y(x′).
        design, last = visible[:, :-1] - visible[:, -1:], visible[:, -1]
        solve = _least_squares(design, weights, 0.0)

        def values(logits: Tensor, ends: Tensor) -> Tensor:
            rise = ends[0] - ends[1]
            others = solve @ (logits - ends[1] - last * rise)
            return torch.cat([others, (rise - others.sum())[None]])

        return values

    return _explained(passes, parameters, sample, fit, complete=True)


def coalitions(count: int, samples: int, random: torch.Generator) -> _Sample:
    """Rows of visible superpixels (n, M) and their weights (n,), without the empty and the full row.

    Args:
        count: M, number of superpixels.
        samples: number of rows; all 2^M − 2 of them, with the Shapley kernel's weights, where that is fewer.
        random: generator of the rows.
    """
    if count < 2:
        return torch.zeros(0, count, dtype=torch.double), torch.zeros(0, dtype=torch.double)
    sizes = torch.arange(1, count, dtype=torch.double)
    kernel = (count - 1) / (sizes * (count - sizes))  # of all coalitions of a size together
    if count < 20 and 2**count - 2 <= samples:
        numbers = torch.arange(1, 2**count - 1)
        visible = (numbers[:, None] >> torch.arange(count) & 1).double()
        size = visible.sum(1)
        log_ways = torch.lgamma(torch.tensor(count + 1.0).double()) - torch.lgamma(size + 1)
        ways = (log_ways - torch.lgamma(count - size + 1)).exp()
        return visible, kernel[size.long() - 1] / ways
    rows = []
    for size in torch.multinomial(kernel, -(-samples // 2), replacement=True, generator=random).tolist():
        row = torch.zeros(count, dtype=torch.double)
        row[torch.randperm(count, generator=random)[: size + 1]] = 1
        rows += [row, 1 - row]
    return torch.stack(rows[:samples]), torch.ones(samples, dtype=torch.double)


def segmented(image: Tensor, count: int) -> Tensor:
    """Superpixels of an image (C, H, W) by SLIC: numbers from 0, (H, W).

    Reference: Achanta et al. 2012, doi:10.1109/TPAMI.2012.120.
    """
    from skimage.segmentation import slic  # slow to import

    grey = image.double().mean(0)
    span = grey.max() - grey.min()
    scaled = (grey - grey.min()) / (span if span > 0 else 1.0)
    labels = slic(
        scaled.numpy(), n_segments=count, compactness=0.3, sigma=1, channel_axis=None, start_label=0
    )
    regions: Tensor = torch.from_numpy(labels).unique(return_inverse=True)[1]
    return regions


def _explained(
    passes: Passes,
    parameters: KernelShapParameters,
    sample: Callable[[int, torch.Generator], _Sample],
    fit: Callable[[Tensor, Tensor], _Fit],
    *,
    complete: bool = False,
) -> Iterator[Draft]:
    """Maps from coefficients that are fitted after every chunk of samples, image by image.

    Args:
        passes: model, images and findings.
        parameters: of the method.
        sample: (number of superpixels, generator) → rows of visible superpixels and their weights.
        fit: (rows, weights) → the fit of the rows' logits.
        complete: whether the coefficients are to sum to y(x) − y(x′), so that a completeness error is stated.
    """
    images = passes.plain_images
    start = baseline_images(passes.model, images, parameters.baseline)
    with torch.inference_mode(mode=False), torch.no_grad():
        ends = torch.stack([passes.logits(images), passes.logits(start)], 1).double()  # (B, 2, K)
        maps = images.new_zeros(len(images), len(passes.findings), *images.shape[2:])
        rise = ends[:, 0] - ends[:, 1]
    for place, image in enumerate(images):
        regions = segmented(image, parameters.segments)
        sizes = regions.unique(return_counts=True)[1]
        visible, weights = sample(len(sizes), torch.Generator().manual_seed(parameters.seed))
        logits = torch.zeros(0, len(passes.findings), dtype=torch.double)
        for first in range(0, max(1, len(visible)), _CHUNK):
            rows = visible[first : first + _CHUNK]
            with torch.inference_mode(mode=False), torch.no_grad():
                if len(rows):
                    masked = torch.where(rows.bool()[:, regions][:, None], image, start[place])
                    logits = torch.cat([logits, passes.logits(masked).double()])
                coefficients = fit(visible[: len(logits)], weights[: len(logits)])
                maps = maps.clone()
                for k in range(len(passes.findings)):  # one by one: a finding has the bits that it has alone
                    values = coefficients(logits[:, k].contiguous(), ends[place, :, k].contiguous())
                    maps[place, k] = (values / sizes)[regions]
                error = (maps.double().sum((2, 3)) - rise) / rise.abs()
                error = error.where((rise != 0) & torch.tensor(complete), torch.nan)
            done = place * len(visible) + first + len(rows)
            yield draft_of(maps, error, done=max(done, 1), total=max(len(images) * len(visible), 1))


def _least_squares(design: Tensor, weights: Tensor, penalty: float) -> Tensor:
    """The matrix (M, n) that turns n values into the M coefficients of a weighted ridge regression."""
    scaled = design.T * weights
    normal = scaled @ design + penalty * torch.eye(design.shape[1], dtype=design.dtype)
    solve: Tensor = torch.linalg.pinv(normal, hermitian=True) @ scaled
    return solve
