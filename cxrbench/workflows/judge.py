"""Judge methods on phantoms with twins: one file per film and model, so that a run can stop and go on."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

from cxrbench.data.phantom import KINDS, Study
from cxrbench.data.phantom.shipped import SIZE, film_name, held_out_studies
from cxrbench.errors import InputError, look_up
from cxrbench.explain import configured_method
from cxrbench.judge import Criterion, criterion
from cxrbench.judge.films import JudgedFilm
from cxrbench.judge.phantoms import applicable_methods, check_whole_films, judge_phantom
from cxrbench.labels import CHEXPERT, canonical
from cxrbench.models import Classifier
from cxrbench.processes import this_process
from cxrbench.workflows.judge_folder import JudgeFolder

__all__ = ["DEFAULT_CRITERIA", "DEFAULT_METHODS", "JudgeSettings", "judge", "judge_films"]

# One of each family, at the settings that are usual, and all controls.
DEFAULT_METHODS: Final = (
    "grad_cam",
    "grad_cam_plus_plus",
    "hires_cam(stage=1)",
    "layer_cam",
    "saliency",
    "integrated_gradients(steps=16)",
    "twin_integrated_gradients(steps=16)",
    "random",
    "centred_gaussian",
    "edges",
    "lung_mask",
    "location_prior",
)
# Those that need no further pass of the network per map.
DEFAULT_CRITERIA: Final = (
    "single_deletion",
    "single_deletion_mean",
    "target_sensitivity",
    "distractibility",
    "hit",
    "relevance_mass",
    "rank_accuracy",
    "otsu_iou",
    "share_in_lungs",
)

_PATIENCE: Final = (
    60.0  # seconds beyond three times the slowest film, until a film of another process is taken
)
_PAUSE: Final = 0.2  # seconds


@dataclass(frozen=True)
class JudgeSettings:
    """What is judged.

    Args:
        films: number of test films, those with at least ``findings`` findings, in the order of the data set;
            where it has too few, further patients follow.
        findings: least number of findings of a film.
        only: findings that are judged, on films that have one of them; all if empty.
        shortcut: kind of a shortcut that is planted on every film; "" for none.
        methods: keys of ``METHODS``, with parameters in parentheses.
        criteria: keys of ``CRITERIA``.
        seed: of the criteria's random numbers.
    """

    films: int = 100
    findings: int = 3
    only: tuple[str, ...] = ()
    shortcut: str = ""
    methods: tuple[str, ...] = DEFAULT_METHODS
    criteria: tuple[str, ...] = DEFAULT_CRITERIA
    seed: int = 0

    def check(self) -> None:
        """Check that all names are known.

        Raises:
            InputError: an unknown method, criterion, finding or shortcut, or no film.
        """
        for key in self.methods:
            configured_method(key)
        for name in self.only:
            look_up("finding", canonical(name), dict.fromkeys(CHEXPERT))
        if self.shortcut:
            look_up("shortcut", self.shortcut, KINDS)
        if self.films < 1 or self.findings < 1:
            raise InputError(
                f"At least one film with at least one finding must be judged; got {self.films} films of "
                f"{self.findings}."
            )
        for key in self.criteria:
            criterion(key)

    @property
    def records(self) -> tuple[Criterion, ...]:
        """The records of the criteria."""
        return tuple(map(criterion, self.criteria))

    @property
    def judged_findings(self) -> tuple[str, ...]:
        """``only``, as the findings are spelled here."""
        return tuple(map(canonical, self.only))


def judge(
    out: Path,
    models: Mapping[str, Classifier],
    settings: JudgeSettings,
    *,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
    force: bool = False,
) -> JudgeFolder | None:
    """Judge the maps of each model on each film; what an earlier run of the same settings did is kept.

    Args:
        out: folder; created if missing. Holds ``judge.json``, one Parquet file per model and film below
            ``films``, and at the end ``judged.parquet``: one row per model, film, method, finding and
            criterion, with ``model``, ``film``, ``patient``, ``method``, ``finding``, ``criterion``,
            ``value``, ``best``.
        models: name → model in eval mode.
        settings: what is judged.
        progress: called with (done, total) at the start, and after each film of each model.
        say: what to do with a sentence about methods that do not apply to a model.
        force: judge again what a run with other settings or weights left there.

    Returns:
        The folder; None in processes other than the main one.

    Raises:
        InputError: as ``JudgeSettings.check``; a model sees a crop; no method applies to any model; or the
            folder holds other results.
    """
    settings.check()
    _check_methods(models, settings, say if this_process().is_main_process else None)
    studies = judged_studies(settings)
    folder = JudgeFolder(out, list(models), _stated(models, settings))

    def judged(number: int) -> Iterator[str]:
        return _judged(folder, number, studies[number], models, settings)

    return judge_films(folder, len(studies), judged, progress=progress, force=force)


def judge_films(
    folder: JudgeFolder,
    films: int,
    judged: Callable[[int], Iterator[object]],
    *,
    progress: Callable[[int, int], None] | None,
    force: bool,
) -> JudgeFolder | None:
    """Judge the films of which a folder lacks results, and join the results of all.

    Under accelerate or torchrun each process judges a share of the films. One that is done takes over what
    others have not begun, and what they do not finish in time.

    Args:
        folder: of the results.
        films: how many.
        judged: number of a film → after each model that had not judged it, once its rows are written.
        progress: called with (done, total) at the start, and after each film of each model.
        force: replace what a run with other settings or weights left there.

    Returns:
        The folder; None in processes other than the main one.

    Raises:
        InputError: the folder holds other results.
    """
    process = this_process()
    folder.check(force=force)
    process.wait_for_everyone()  # all have looked before one writes
    if process.is_main_process:
        folder.claim()
    process.wait_for_everyone()
    shares = [range(first, films, process.num_processes) for first in range(process.num_processes)]
    report = progress if process.is_main_process and progress is not None else _no_report
    total = films * len(folder.models)
    report(folder.count(films), total)
    for number in _order(folder, shares, process.process_index, waits=process.is_main_process):
        for _ in judged(number):
            report(folder.count(films), total)
    if not process.is_main_process:
        return None
    folder.join(films)
    return folder


def judged_studies(settings: JudgeSettings) -> list[Study]:
    """The studies whose frontal films are judged.

    Raises:
        InputError: there are not so many.
    """
    wanted = set(settings.judged_findings)
    fitting = (
        study
        for study in held_out_studies()
        if len(study.findings) >= settings.findings and (not wanted or wanted & study.findings.keys())
    )
    studies = list(islice(fitting, settings.films))
    if len(studies) < settings.films:
        raise InputError(
            f"There are {len(studies)} films with {settings.findings} findings or more"
            f"{' and one of ' + ', '.join(settings.only) if settings.only else ''}; got --films "
            f"{settings.films}."
        )
    return studies


def _check_methods(
    models: Mapping[str, Classifier], settings: JudgeSettings, say: Callable[[str], None] | None
) -> None:
    """Check that something can be judged, and name once what does not apply."""
    judged = 0
    for name, model in models.items():
        check_whole_films(model)
        applicable, reasons = applicable_methods(model, settings.methods)
        judged += len(applicable)
        if reasons and say is not None:
            listed = "; ".join(f"{title} ({reason})" for title, reason in reasons.items())
            say(f"{name}: {len(reasons)} of {len(settings.methods)} methods do not apply: {listed}")
    if not judged:
        raise InputError(
            f"None of the methods ({', '.join(settings.methods)}) applies to {', '.join(models)}; choose "
            "others."
        )


def _stated(models: Mapping[str, Classifier], settings: JudgeSettings) -> dict[str, Any]:
    """What the results depend on; the number of films may grow: those that are judged are kept."""
    return {
        **asdict(settings),
        "films": None,
        "only": list(settings.judged_findings),
        "methods": [configured_method(key).key for key in settings.methods],
        "criteria": list(settings.criteria),
        "models": {name: model.revision for name, model in models.items()},
    }


def _judged(
    folder: JudgeFolder,
    number: int,
    study: Study,
    models: Mapping[str, Classifier],
    settings: JudgeSettings,
) -> Iterator[str]:
    """Judge one film by the models that have not yet; yield the name of each when its rows are written."""
    planted = replace(study, shortcuts=(settings.shortcut,)) if settings.shortcut else study
    film = None
    for name, model in models.items():
        if folder.film(name, number).is_file():
            continue
        film = film or JudgedFilm(planted.render(planted.films[0], SIZE))
        judgements = judge_phantom(
            model,
            film,
            settings.methods,
            settings.records,
            only=settings.judged_findings,
            seed=settings.seed,
        )
        known = {"model": name, "film": film_name(planted, planted.films[0]), "patient": study.patient}
        folder.write_film(name, number, [asdict(each) | known for each in judgements])
        yield name


def _order(folder: JudgeFolder, shares: Sequence[Sequence[int]], own: int, *, waits: bool) -> Iterator[int]:
    """The films that this process judges: its share, and then what others have not begun.

    The first missing film of another process is the one that it is on: it is taken over only if nothing is
    finished for longer than a film takes, as where that process failed.

    Args:
        folder: of the results.
        shares: numbers of the films of each process.
        own: number of this process.
        waits: whether to go on until there is no film left.
    """
    slowest = 0.0
    for number in folder.missing(shares[own]):
        started = time.monotonic()
        yield number
        slowest = max(slowest, time.monotonic() - started)
    others = [share for place, share in enumerate(shares) if place != own]
    seen: list[list[int]] = []
    since = time.monotonic()
    while left := [numbers for share in others if (numbers := folder.missing(share))]:
        if left != seen:
            seen, since = left, time.monotonic()
        longest = max(left, key=len)
        if len(longest) > 1:
            yield longest[-1 - own % (len(longest) - 1)]
        elif not waits:
            return
        elif time.monotonic() - since > 3 * slowest + _PATIENCE:
            yield longest[0]
        else:
            time.sleep(_PAUSE)


def _no_report(done: int, total: int) -> None:
    """Progress that nobody wants to see."""
