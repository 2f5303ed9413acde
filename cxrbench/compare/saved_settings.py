"""The settings of a comparison as a small JSON file: saved beside figures, and inside reports."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cxrbench.compare import fields, records
from cxrbench.compare.bundle import versions
from cxrbench.compare.comparison import Comparison, Settings
from cxrbench.compare.scale import SCALES, Scale
from cxrbench.errors import InputError

__all__ = ["ELEMENT", "SavedSettings", "is_settings", "read_settings", "settings_json"]

ELEMENT: Final = "settings"  # id of the element of a report that holds them

_FORMAT: Final = 1
_MAX_JSON: Final = 2**20
_REPORT: Final = re.compile(
    rb'<script type="application/json" id="' + ELEMENT.encode() + rb'">(.*?)</script>', re.DOTALL
)


@dataclass(frozen=True)
class SavedSettings:
    """What a file of settings states.

    Args:
        settings: models, methods and their parameters.
        findings: that are shown.
        source: hash of the image file, or id of the gallery case.
        film: title of the radiograph, such as the name of its file.
        film_link: query parameters of the Compare page that restore the radiograph and its edits; empty where
            the file itself is needed.
        scale: of the displayed maps.
        revisions: model → revision of the weights that computed the scores.
    """

    settings: Settings
    findings: tuple[str, ...]
    source: str
    film: str = ""
    film_link: tuple[tuple[str, str], ...] = ()
    scale: Scale = "map"
    revisions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        comparison: Comparison,
        findings: Sequence[str],
        *,
        film: str = "",
        film_link: Sequence[tuple[str, str]] = (),
        scale: Scale = "map",
    ) -> "SavedSettings":
        """The settings of a comparison; arguments as of the class."""
        revisions = {name: prediction.revision for name, prediction in comparison.predictions.items()}
        return cls(
            comparison.settings, tuple(findings), comparison.source, film, tuple(film_link), scale, revisions
        )

    @property
    def query_parameters(self) -> list[tuple[str, str]]:
        """Query parameters of the Compare page that restore all of it, as far as the film is known."""
        values = self.settings
        parameters = [(name, value) for name, value in self.film_link if name != "edit"]
        parameters += [("models", name) for name in values.models]
        parameters += [("methods", key) for key in values.methods]
        parameters += [("findings", name) for name in self.findings]
        parameters += [(name, str(getattr(values, name))) for name in ("stage", "baseline", "steps")]
        return [*parameters, *((name, value) for name, value in self.film_link if name == "edit")]


def settings_json(saved: SavedSettings) -> str:
    """Settings as JSON, with the versions of the programs that compute."""
    record: dict[str, Any] = {
        "format": _FORMAT,
        "settings": records.settings_record(saved.settings),
        "findings": list(saved.findings),
        "scale": saved.scale,
        "film": saved.film,
        "film_link": [list(pair) for pair in saved.film_link],
        "source": saved.source,
        "models": dict(saved.revisions),
        "versions": versions(),
    }
    return json.dumps(record, indent=1, ensure_ascii=False)


def is_settings(data: bytes, name: str) -> bool:
    """Whether a file is to be read as settings: JSON, or a report as HTML."""
    return name.lower().endswith((".json", ".html", ".htm")) or data.lstrip().startswith(b"{")


def read_settings(data: bytes, *, name: str = "The file") -> SavedSettings:
    """Read settings from the JSON file of ``settings_json``, or from a report that holds them.

    Nothing in the file is trusted: every field is checked.

    Args:
        data: content of the file.
        name: of the file, for error messages.

    Raises:
        InputError: it holds no settings, or a field is invalid.
    """
    try:
        return _read(_document(data))
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def _document(data: bytes) -> object:
    text = data
    if data.lstrip().startswith(b"<"):
        found = _REPORT.search(data)
        if found is None:
            raise InputError("this page holds no settings; choose a report that Compare saved.")
        text = found[1]
    if len(text) > _MAX_JSON:
        raise InputError(f"the settings are larger than {_MAX_JSON // 2**20} MiB; they are not of cxrbench.")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"it is not JSON ({error}); save the settings again.") from error


def _read(document: object) -> SavedSettings:
    settings = fields.take(document, "settings", records.settings)
    if not settings.models or not settings.methods:
        raise InputError("'settings' must name at least one model and one method; save them again.")
    return SavedSettings(
        settings=settings,
        findings=fields.take(document, "findings", fields.texts, default=()),
        source=fields.take(document, "source", fields.text, default=""),
        film=fields.take(document, "film", fields.text, default=""),
        film_link=fields.take(document, "film_link", _PAIRS, default=()),
        scale=fields.take(document, "scale", _SCALE, default="map"),
        revisions=fields.take(document, "models", _REVISIONS, default={}),
    )


def _pairs(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, list) or len(value) > 50:
        raise ValueError(value)
    pairs = [fields.remarks(pair) for pair in value]
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(value)
    return tuple((name, text) for name, text in pairs)


def _revisions(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise TypeError(value)
    return dict(zip(fields.remarks(list(value)), fields.remarks(list(value.values())), strict=True))


def _scale(value: object) -> Scale:
    for name in SCALES:
        if value == name:
            return name  # type: ignore[return-value]
    raise ValueError(value)


_PAIRS: Final = fields.Kind("a list of pairs of short texts", _pairs)
_REVISIONS: Final = fields.Kind("an object of models, each with its revision as a short text", _revisions)
_SCALE: Final = fields.Kind(f"one of {', '.join(SCALES)}", _scale)
