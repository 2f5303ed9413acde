"""What is computed together: all findings at once, or one after the other where each of them is costly."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from cxrbench.app.services.result_cache import Key
from cxrbench.compare import HeatMaps, Settings

if TYPE_CHECKING:
    from cxrbench.explain import ConfiguredMethod
    from cxrbench.models import Classifier

__all__ = ["CellKey", "MapKey", "joined", "map_keys", "prediction_key", "score_key"]

CellKey = tuple[str, str]  # (model, method)

_DEARER: Final = 2.0  # findings are computed one by one if all cost more than so many times one


@dataclass(frozen=True)
class MapKey:
    """Maps that one computation yields.

    Args:
        cell: model and method of the settings.
        key: of their result.
        title: of the method with its parameters.
        passes: about how long the computation takes, in forward passes.
        shares_passes: whether it is cheaper together with other methods of the model.
    """

    cell: CellKey
    key: Key
    title: str
    passes: float
    shares_passes: bool

    def shown(self, findings: Sequence[str]) -> bool:
        """Whether these maps are shown if these findings are."""
        return not self.key.finding or self.key.finding in findings


def map_keys(
    image: str, cells: Sequence[CellKey], settings: Settings, models: Mapping[str, "Classifier"]
) -> list[MapKey]:
    """The maps of some cells, for all findings of their models.

    A method of which one finding costs much less than all (gradients with respect to the image) has one key
    per finding, so that the finding in view need not wait for the others. Methods that share their passes
    among findings (class activation maps, perturbation, controls) have one key.

    Args:
        image: SHA-256 of the radiograph.
        cells: (model, method), each with an installed model.
        settings: the parameters of the methods.
        models: name → model.
    """
    configured = dict(zip(settings.methods, settings.configured(), strict=True))
    found: list[MapKey] = []
    for model, method in cells:
        found += _keys_of(image, (model, method), configured[method], models[model])
    return found


def score_key(image: str, model: "Classifier") -> Key:
    """The key of a model's prediction for a radiograph, given by its SHA-256."""
    # A model that is saved again with the same weights may have other thresholds or preprocessing.
    return Key(image, model.spec.name, f"{model.revision} {hash(model.spec):x}")


def prediction_key(key: Key) -> Key:
    """The key of the prediction that belongs to a map."""
    return replace(key, method="", settings=(), finding="")


def joined(maps: Mapping[str, HeatMaps]) -> HeatMaps:
    """Maps of single findings, computed one by one, as one value.

    Args:
        maps: finding → its map; at least one.

    Returns:
        All maps in the given order; the computing times are summed, and ``progress`` is the smallest.
    """
    parts = list(maps.values())
    if len(parts) == 1:
        return parts[0]
    places = [heat.labels.index(finding) for finding, heat in maps.items()]
    return replace(
        parts[0],
        labels=tuple(maps),
        maps=np.stack([heat.maps[place] for heat, place in zip(parts, places, strict=True)]),
        seconds=sum(heat.seconds for heat in parts),
        progress=min(heat.progress for heat in parts),
        completeness=np.concatenate([heat.completeness for heat in parts]),
        stable=np.concatenate([heat.stable for heat in parts]),
        finding_remarks=tuple(remark for heat in parts for remark in heat.finding_remarks),
    )


def _keys_of(
    image: str, cell: CellKey, configured: "ConfiguredMethod", model: "Classifier"
) -> Iterator[MapKey]:
    from cxrbench.compare.run import finding_names

    settings = astuple(configured.parameters)
    key = replace(score_key(image, model), method=configured.key, settings=settings)
    names = finding_names(model)
    record = configured.record
    together, alone = (record.passes(count, configured.parameters) for count in (len(names), 1))
    if together <= _DEARER * alone or configured.problem(model) is not None:
        yield MapKey(cell, key, configured.title, together, record.shares_passes)
        return
    for name in names:
        yield MapKey(cell, replace(key, finding=name), configured.title, alone, record.shares_passes)
