"""A map against the known extent of its finding: what a cell of the Compare page states below the map."""

from dataclasses import dataclass

import numpy as np

from cxrbench.compare.comparison import Comparison, HeatMaps

__all__ = ["AgainstTruth", "against_truth", "truth_text"]


@dataclass(frozen=True)
class AgainstTruth:
    """Where the relevance of a map lies.

    Args:
        hit: whether the first of the most relevant pixels lies in the mask, as in the pointing game.
        inside: share of the positive relevance that lies in the mask.
        chance: share of the film that the mask covers: what a map without structure would have inside.
    """

    hit: bool
    inside: float
    chance: float


def against_truth(heat: HeatMaps, comparison: Comparison, finding: str) -> AgainstTruth | None:
    """Compare a finished map with the mask of its finding, on the film.

    The values are those of ``judge.hit`` and ``judge.relevance_mass``, without torch.

    Returns:
        None where there is no mask, no finished map, or nothing positive in it.
    """
    mask, relevance = comparison.masks.get(finding), heat.map_of(finding)
    if mask is None or not mask.any() or relevance is None or heat.progress < 1:
        return None
    # Outside the network's input there is no relevance.
    on_film = np.nan_to_num(heat.on_film(relevance[None], comparison.image.shape)[0], nan=-np.inf)
    positive = np.maximum(on_film, 0).astype(np.float64)
    total = float(positive.sum())
    if not np.isfinite(total) or total <= 0:
        return None
    hit = bool(mask.ravel()[int(on_film.argmax())])
    return AgainstTruth(hit, float(positive[mask].sum()) / total, float(mask.mean()))


def truth_text(found: AgainstTruth) -> str:
    """The same in one sentence."""
    where = "hit: the strongest point lies in" if found.hit else "miss: the strongest point lies outside"
    return (
        f"{where} the dashed outline, with {found.inside:.0%} of the relevance inside: "
        f"{found.inside / found.chance:.1f} × the outline's share of the film ({found.chance:.1%})"
    )
