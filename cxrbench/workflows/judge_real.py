"""Judge methods on real films against published masks and boxes; results are stored as those of phantoms."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cxrbench.data import read_image
from cxrbench.data.truth import TRUTHS, Region, film_files, truth_file
from cxrbench.errors import InputError
from cxrbench.explain import configured_method
from cxrbench.judge import Criterion, criterion
from cxrbench.judge.film_truth import RealFilm, truth_on_film
from cxrbench.judge.real_films import check_real_criterion, judge_real_film
from cxrbench.labels import finding_key
from cxrbench.models import Classifier
from cxrbench.processes import this_process
from cxrbench.workflows.judge import judge_films
from cxrbench.workflows.judge_folder import JudgeFolder
from cxrbench.writing import file_sha256

__all__ = ["REAL_CRITERIA", "REAL_METHODS", "RealSettings", "judge_real"]

# One of each family that needs no twin, and all controls; the prior is of NIH's boxes, without the patient.
REAL_METHODS: Final = (
    "grad_cam",
    "grad_cam_plus_plus",
    "hires_cam(stage=1)",
    "layer_cam",
    "saliency",
    "integrated_gradients(steps=16)",
    "random",
    "centred_gaussian",
    "edges",
    "lung_mask",
    "location_prior(films=nih)",
)
# Those of localisation that choose no threshold.
REAL_CRITERIA: Final = (
    "hit",
    "hit_15",
    "otsu_iou",
    "box_iou",
    "box_iobb",
    "relevance_mass",
    "rank_accuracy",
    "share_in_lungs",
)


@dataclass(frozen=True)
class RealSettings:
    """What is judged.

    Args:
        truth: a key of ``TRUTHS``.
        data: folder of the images, at any depth.
        annotations: the data set's file; by default the one inside torchxrayvision.
        films: largest number of films; None for all that have an image.
        only: findings that are judged, on films that have one of them; all if empty.
        methods: keys of ``METHODS``, with parameters in parentheses.
        criteria: keys of ``CRITERIA``.
        seed: of the criteria's random numbers.
    """

    truth: str
    data: Path
    annotations: Path | None = None
    films: int | None = None
    only: tuple[str, ...] = ()
    methods: tuple[str, ...] = REAL_METHODS
    criteria: tuple[str, ...] = REAL_CRITERIA
    seed: int = 0

    def check(self) -> None:
        """Check that all names are known, and that real films allow the criteria.

        Raises:
            InputError: an unknown name, a criterion that needs a twin, or no film.
        """
        for key in self.methods:
            configured_method(key)
        for record in self.records:
            check_real_criterion(record)
        if self.films is not None and self.films < 1:
            raise InputError(f"At least one film must be judged; got --films {self.films}.")

    @property
    def records(self) -> tuple[Criterion, ...]:
        """The records of the criteria."""
        return tuple(map(criterion, self.criteria))


def judge_real(
    out: Path,
    models: Mapping[str, Classifier],
    settings: RealSettings,
    *,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = lambda _: None,
    force: bool = False,
) -> JudgeFolder | None:
    """Judge the maps of each model on each film; what an earlier run of the same settings did is kept.

    Under accelerate or torchrun the processes share the films.

    Args:
        out: folder, as that of ``workflows.judge.judge``. ``patient`` is the number of the patient's first
            film, ``film`` the film's name in the data set.
        models: name → model in eval mode.
        settings: what is judged.
        progress: called with (done, total) at the start, and after each film of each model.
        say: called with each note on what was left out.
        force: judge again what a run with other settings or weights left there.

    Returns:
        The folder; None in processes other than the main one.

    Raises:
        InputError: as ``RealSettings.check``; no annotated film has an image or a finding that a model knows;
            a film is not the annotated one; or the folder holds other results.
    """
    settings.check()
    films = _AnnotatedFilms(settings, models)
    if this_process().is_main_process:
        films.say_left_out(say)
    folder = JudgeFolder(out, list(models), films.stated())

    def judged(number: int) -> Iterator[str]:
        film = films.read(number, say)
        for name in models:
            if not folder.film(name, number).is_file():
                folder.write_film(name, number, films.judged(number, film, name))
                yield name

    return judge_films(folder, len(films.names), judged, progress=progress, force=force)


class _AnnotatedFilms:
    """The films that have annotations, an image, and a finding that one of the models knows.

    Args:
        settings: what is judged.
        models: name → model.
    """

    def __init__(self, settings: RealSettings, models: Mapping[str, Classifier]) -> None:
        self.settings, self.models = settings, models
        self.file = truth_file(settings.truth, settings.annotations)
        wanted = {finding_key(name) for name in settings.only}
        labels = {finding_key(label) for model in models.values() for label in model.spec.labels if label}
        self.regions: dict[str, list[Region]] = {}
        self.unknown: set[str] = set()
        for region in TRUTHS[settings.truth].read(self.file):
            key = finding_key(region.finding)
            if key not in labels:
                self.unknown.add(region.finding)
            elif not wanted or key in wanted:
                self.regions.setdefault(region.film, []).append(region)
        self.paths = film_files(settings.data, self.regions)
        if not self.paths:
            raise InputError(
                f"None of {len(self.regions)} films of {TRUTHS[settings.truth].title} with a finding that "
                f"the models know has an image in {settings.data}; give the folder of the images."
            )

    @cached_property
    def names(self) -> Sequence[str]:
        """The films that are judged, in the order of the annotations."""
        return list(self.paths)[: self.settings.films]

    @cached_property
    def patients(self) -> Mapping[str, int]:
        """Patient → number of the first film."""
        first: dict[str, int] = {}
        for number, film in enumerate(self.paths):
            first.setdefault(self.regions[film][0].patient, number)
        return first

    def stated(self) -> dict[str, Any]:
        """What the results depend on; the number of films may grow, but those before remain the first."""
        return {
            "truth": self.settings.truth,
            "annotations": file_sha256(self.file),
            "images": hashlib.sha256("\n".join(self.paths).encode()).hexdigest(),
            "only": sorted(finding_key(name) for name in self.settings.only),
            "methods": [configured_method(key).key for key in self.settings.methods],
            "criteria": list(self.settings.criteria),
            "seed": self.settings.seed,
            "models": {name: model.revision for name, model in self.models.items()},
        }

    def say_left_out(self, say: Callable[[str], None]) -> None:
        """Name findings that no model knows, and count films without an image."""
        if self.unknown:
            say(f"left out, since no model knows them: {', '.join(sorted(self.unknown))}")
        if missing := len(self.regions) - len(self.paths):
            say(f"{missing} of {len(self.regions)} annotated films have no image in {self.settings.data}")

    def read(self, number: int, say: Callable[[str], None]) -> RealFilm | None:
        """A film with its truth; None, which is said, if its file cannot be read.

        Raises:
            InputError: it is not the annotated image.
        """
        name = self.names[number]
        try:
            image = read_image(self.paths[name]).pixels
        except InputError as error:
            say(f"left out: {error}")
            return None
        shape = (image.shape[0], image.shape[1])
        truth = {region.finding: truth_on_film(region, shape) for region in self.regions[name]}
        known = {finding: each for finding, each in truth.items() if each is not None}
        return RealFilm(image, self.regions[name][0].patient, known)

    def judged(self, number: int, film: RealFilm | None, model: str) -> list[dict[str, Any]]:
        """The rows of one film by one model; none for a film that could not be read."""
        if film is None:
            return []
        settings = self.settings
        judgements = judge_real_film(
            self.models[model], film, settings.methods, settings.records, seed=settings.seed
        )
        known = {"model": model, "film": self.names[number], "patient": self.patients[film.patient]}
        return [asdict(each) | known for each in judgements]
