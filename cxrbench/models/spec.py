"""``ModelSpec``: the identity of a model, saved with its weights."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from cxrbench.errors import InputError
from cxrbench.labels import finding_key
from cxrbench.models.zoo import architecture
from cxrbench.preprocess import Preprocessing

__all__ = ["PHANTOMS", "ModelSpec"]

PHANTOMS: Final = "phantoms"  # what a model learned from that was trained on simulated radiographs

# A name becomes a file name and part of a URL: no separators, no leading dot or dash.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_MAX_TEXT: Final = 200
_MAX_LABELS: Final = 1000
_MAX_HIDDEN: Final = 8192
_PROVENANCE: Final = ("learned_from", "licence", "source")


@dataclass(frozen=True)
class ModelSpec:
    """The identity of a model: enough to rebuild it, feed it and read its scores, and where it is from.

    Args:
        name: name of the model in menus, links and file names; letters, digits, ``-``, ``_``.
        architecture: a key of ``zoo.ARCHITECTURES``.
        labels: one name per logit, in order; an empty name marks an untrained output, which is never shown.
        preprocessing: preprocessing of its images.
        thresholds: operating points, one per label, in (0, 1).
        title: title for display.
        hidden: units of a layer between the pooled features and the logits; 0 for none.
        learned_from: the data sets of its training films, such as "NIH and PadChest"; `PHANTOMS` for
            simulated ones; "" if unknown.
        licence: its name, and after a colon what matters most; "" if unknown.
        source: the repository and revision that it was added from; "" for none.
        channels: of the network's first layer: 1, or 3 for one that was trained on grey images in three
            colour channels, whose means and standard deviations are kept with the weights (``colour``).

    Raises:
        InputError: a value is invalid; the message names it.
    """

    name: str
    architecture: str
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    thresholds: tuple[float, ...]
    title: str = ""
    hidden: int = 0
    learned_from: str = ""
    licence: str = ""
    source: str = ""
    channels: int = 1

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and _NAME.fullmatch(self.name)):
            raise InputError(
                "A model's name must be 1 to 80 letters, digits, '-' and '_', the first a letter or digit; "
                f"got {str(self.name)[:100]!r}."
            )
        architecture(self.architecture)
        for field in ("title", *_PROVENANCE):
            _check_text(field, getattr(self, field))
        if (
            not _is_number(self.hidden)
            or self.hidden != int(self.hidden)
            or not 0 <= self.hidden <= _MAX_HIDDEN
        ):
            raise InputError(f"A model's hidden units must be 0 to {_MAX_HIDDEN}; got {self.hidden!r:.50}.")
        if not _is_number(self.channels) or self.channels not in (1, 3):
            raise InputError(f"A model's channels must be 1 or 3; got {self.channels!r:.50}.")
        _check_labels(self.labels)
        if not isinstance(self.preprocessing, Preprocessing):
            raise InputError(
                f"A model's preprocessing must be a Preprocessing; got {self.preprocessing!r:.100}."
            )
        if len(self.thresholds) != len(self.labels):
            raise InputError(
                f"A model needs one threshold per label: {len(self.labels)} labels, "
                f"but {len(self.thresholds)} thresholds."
            )
        for label, threshold in zip(self.labels, self.thresholds, strict=True):
            if not _is_number(threshold) or not 0 < threshold < 1:
                raise InputError(f"The threshold of {label!r} must lie in (0, 1); got {threshold!r}.")

    @property
    def learned_from_real_films(self) -> bool:
        """Whether it says that its training films were real ones."""
        return self.learned_from not in ("", PHANTOMS)

    @property
    def findings(self) -> tuple[int, ...]:
        """Indices of the trained outputs: every label but the empty ones."""
        return tuple(index for index, label in enumerate(self.labels) if label)

    def as_dict(self) -> dict[str, Any]:
        """The specification as plain values, for a JSON file."""
        return {
            "name": self.name,
            "title": self.title,
            "architecture": self.architecture,
            "labels": list(self.labels),
            "thresholds": list(self.thresholds),
            "preprocessing": self.preprocessing.as_dict(),
            # Only those that there are: older versions do not know the fields.
            **({"hidden": self.hidden} if self.hidden else {}),
            **{name: value for name in _PROVENANCE if (value := getattr(self, name))},
            **({"channels": self.channels} if self.channels != 1 else {}),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Build a specification from the plain values of a JSON file.

        Raises:
            InputError: a field is missing or of the wrong type; the message names it.
        """
        for name, kind in _JSON_TYPES.items():
            if not isinstance(values.get(name), kind):
                raise InputError(f"Field {name!r} must be a {kind.__name__}; got {values.get(name)!r:.100}.")
        return cls(
            name=values["name"],
            title=values["title"],
            architecture=values["architecture"],
            labels=tuple(values["labels"]),
            thresholds=tuple(values["thresholds"]),
            preprocessing=Preprocessing.from_dict(values["preprocessing"]),
            hidden=values.get("hidden", 0),
            **{name: values.get(name, "") for name in _PROVENANCE},
            channels=values.get("channels", 1),
        )


_JSON_TYPES: Final = {
    "name": str,
    "title": str,
    "architecture": str,
    "labels": list,
    "thresholds": list,
    "preprocessing": dict,
}


def _check_labels(labels: tuple[str, ...]) -> None:
    if not isinstance(labels, tuple) or not any(labels):
        raise InputError(f"A model needs at least one named label, in a tuple; got {labels!r:.100}.")
    if len(labels) > _MAX_LABELS:
        raise InputError(f"A model has at most {_MAX_LABELS} labels; got {len(labels)}.")
    seen: dict[str, str] = {}
    for label in labels:
        _check_text("label", label)
        key = finding_key(label)
        if label and key in seen:
            raise InputError(
                f"A model's labels must differ; {seen[key]!r} and {label!r} are the same finding."
            )
        seen[key] = label


def _check_text(what: str, text: str) -> None:
    if not isinstance(text, str) or len(text) > _MAX_TEXT or not text.isprintable():
        raise InputError(
            f"A model's {what} must be at most {_MAX_TEXT} printable characters; got {str(text)[:100]!r}."
        )


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
