"""Controls: maps that do not look at the model. What a method's map must beat before it is praised."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from cxrbench.explain import locations
from cxrbench.explain.gradient import Draft, draft_of
from cxrbench.explain.parameters import number, option, whole
from cxrbench.explain.passes import Passes
from cxrbench.labels import canonical
from cxrbench.preprocess import lungs

__all__ = [
    "GaussianParameters",
    "LocationParameters",
    "RandomParameters",
    "centred_gaussian",
    "edges",
    "location_prior",
    "lung_mask",
    "random_map",
]


@dataclass(frozen=True)
class RandomParameters:
    """Of the random map."""

    cells: int = whole(7, 1, 512, "Cells along each side: 7 is as coarse as many CAMs.")
    seed: int = whole(0, 0, 999_999, "The same seed gives the same map for every image and finding.")


@dataclass(frozen=True)
class GaussianParameters:
    """Of the centred Gaussian."""

    width: float = number(0.25, 0.01, 2.0, "Standard deviation, as a fraction of the image's side.")


@dataclass(frozen=True)
class LocationParameters:
    """Of the location prior."""

    films: str = option(
        "phantom",
        ("phantom", "nih"),
        "The other films: masks of other phantoms, or NIH's boxes, which exist for eight of its findings.",
    )


def random_map(passes: Passes, parameters: RandomParameters) -> Iterator[Draft]:
    """Uniform random numbers in [0, 1), one per cell; another draw for each finding."""
    cells = parameters.cells
    maps = []
    for finding in passes.findings.tolist():  # so that a finding has the map that it has alone
        random = torch.Generator().manual_seed(parameters.seed * 1009 + finding)
        maps.append(torch.rand(cells, cells, generator=random))
    yield draft_of(torch.stack(maps)[None].repeat(len(passes.images), 1, 1, 1).to(passes.images.dtype))


def centred_gaussian(passes: Passes, parameters: GaussianParameters) -> Iterator[Draft]:
    """A Gaussian around the centre of the image: where findings lie that are usually in the middle."""
    height, width = passes.images.shape[2:]
    rows, columns = (_bell(side, parameters.width) for side in (height, width))
    yield _for_all(passes, (rows[:, None] * columns)[None].repeat(len(passes.images), 1, 1))


def edges(passes: Passes, parameters: object) -> Iterator[Draft]:
    """Magnitude of the Sobel gradient of the image: its edges, whatever they belong to."""
    with torch.inference_mode(mode=False), torch.no_grad():
        grey = F.pad(passes.plain_images.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
        slope, smooth = torch.tensor([-1.0, 0.0, 1.0]), torch.tensor([1.0, 2.0, 1.0])
        across = smooth[:, None] * slope
        kernels = torch.stack([across, across.T])[:, None].to(grey)
        yield _for_all(passes, F.conv2d(grey, kernels).square().sum(1).sqrt())


def lung_mask(passes: Passes, parameters: object) -> Iterator[Draft]:
    """1 inside the lungs, which the shipped segmentation network finds, and 0 outside."""
    preprocessing = passes.model.spec.preprocessing
    with torch.inference_mode(mode=False), torch.no_grad():
        films = (passes.plain_images * preprocessing.std + preprocessing.mean).mean(1).clamp(0, 1)
        masks = [torch.from_numpy(lungs.segment(film.float().numpy()).mask) for film in films]
        yield _for_all(passes, torch.stack(masks).to(passes.images.dtype))


def location_prior(passes: Passes, parameters: LocationParameters) -> Iterator[Draft]:
    """Where the finding lies on other films: the map never sees this film, nor this patient's own boxes.

    All zero where the other films hold no such finding.

    Reference: the boxes of Wang et al. 2017, arXiv:1705.02315.
    """
    maps = [
        _prior(passes, canonical(passes.model.spec.labels[index]), parameters) for index in passes.findings
    ]
    yield draft_of(torch.stack(maps)[None].repeat(len(passes.images), 1, 1, 1).to(passes.images.dtype))


def _prior(passes: Passes, finding: str, parameters: LocationParameters) -> Tensor:
    if parameters.films == "nih":
        return torch.from_numpy(locations.nih_prior(finding, without_patient=passes.context.patient))
    priors = locations.phantom_priors()
    return torch.from_numpy(priors[finding]) if finding in priors else torch.zeros(64, 64)


def _bell(side: int, width: float) -> Tensor:
    place = (torch.arange(side) + 0.5) / side - 0.5
    return torch.exp(-0.5 * (place / width) ** 2)


def _for_all(passes: Passes, maps: Tensor) -> Draft:
    """The same map (B, H, W) for every finding."""
    same = maps[:, None].repeat(1, len(passes.findings), 1, 1)
    return draft_of(same.to(passes.images.dtype))
