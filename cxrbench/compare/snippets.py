"""A comparison as code: the same maps in Python, and on the command line."""

import shlex
from collections.abc import Sequence
from typing import Final

from cxrbench.compare.comparison import Settings

__all__ = ["command_snippet", "python_snippet"]

_DEFAULTS: Final = Settings((), ())
_OWN: Final = "film.png"


def python_snippet(settings: Settings, findings: Sequence[str], link: tuple[str, str] | None) -> str:
    """A script that computes the maps of a comparison again.

    Args:
        settings: models, methods and their parameters.
        findings: whose maps are computed.
        link: query parameter and value of the radiograph: ``case`` and the id of a gallery case, ``film`` and
            the path of a film of the shipped models' data set; else the script reads an image file.
    """
    imports, film = _film(link)
    lines = [
        "from cxrbench.compare import Settings, Surroundings" + (", gallery" if _is(link, "case") else ""),
        "from cxrbench.compare.run import collect, compare",
        *imports,
        "from cxrbench.models import hub",
        "",
        *film,
        f"settings = Settings(models={settings.models!r}, methods={settings.methods!r}{_further(settings)})",
        "models = {name: hub.load(name) for name in settings.models}",
        f"findings = {list(findings)!r}",
        "events = compare(film, settings, models=models, findings=findings, surroundings=surroundings)",
        'comparison = collect(events, image=film, settings=settings, source="film")',
        "for (model, method), heat in comparison.heat_maps.items():",
        "    for finding in findings:",
        "        print(model, method, finding, heat.map_of(finding))",
    ]
    return "\n".join(lines) + "\n"


def command_snippet(settings: Settings, findings: Sequence[str], link: tuple[str, str] | None) -> str:
    """The command that writes the maps of a comparison as pictures; arguments as in ``python_snippet``.

    Of a radiograph that lies in no file the picture must be saved first.
    """
    words = ["--model", *settings.models, "--method", *settings.methods, "--finding", *findings]
    for name in ("stage", "baseline", "steps"):
        if getattr(settings, name) != getattr(_DEFAULTS, name):
            words += [f"--{name}", str(getattr(settings, name))]
    words += ["--out", "maps"]
    if link is not None and _is(link, "case"):
        code = f"from cxrbench import assets; print(assets.gallery() / '{link[1]}' / 'image.png')"
        film = f'"$(python -c "{code}")"'
    else:
        film = _OWN
    return f"cxrbench explain {film} {shlex.join(words)}"


def _is(link: tuple[str, str] | None, name: str) -> bool:
    return link is not None and link[0] == name


def _film(link: tuple[str, str] | None) -> tuple[list[str], list[str]]:
    """Imports, and the lines that define ``film`` and ``surroundings``."""
    if link is not None and _is(link, "case"):
        return [], [
            f"stored = gallery.load({link[1]!r})",
            "film, surroundings = stored.image, Surroundings(gallery.twins(stored))",
        ]
    if link is not None and _is(link, "film"):
        imports = [
            "from cxrbench.data.phantom import FilmsWithout",
            "from cxrbench.data.phantom.shipped import SIZE, shipped_film",
        ]
        return imports, [
            f"study, view = shipped_film({link[1]!r})",
            "phantom = study.render(view, SIZE)",
            "twins = FilmsWithout(phantom.scenario, phantom.truth, phantom.image, original=phantom)",
            "film, surroundings = phantom.image, Surroundings(twins)",
        ]
    return ["from cxrbench.data import read_image"], [
        f"film, surroundings = read_image({_OWN!r}).pixels, Surroundings()"
    ]


def _further(settings: Settings) -> str:
    names = ("stage", "baseline", "steps")
    stated = {name: getattr(settings, name) for name in names}
    return "".join(
        f", {name}={value!r}" for name, value in stated.items() if value != getattr(_DEFAULTS, name)
    )
