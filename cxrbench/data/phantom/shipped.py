"""The data set on whose films the shipped models were trained and evaluated: its films by their paths."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from cxrbench.data.phantom.plan import Film, Study, patient_studies
from cxrbench.data.phantom.shortcuts import KINDS
from cxrbench.errors import InputError

__all__ = ["FRACTIONS", "LAST_PATIENT", "PATIENTS", "SIZE", "film_name", "held_out_studies", "shipped_film"]

# As in train/configs/phantom_*.toml; a test holds them against each other.
PATIENTS: Final = 5200
FRACTIONS: Final = (0.56, 0.05, 0.39)  # of the patients in train, valid and test
SIZE: Final = 320  # pixels per side of the films
# Patients above PATIENTS are of no data set; what needs more test films than it has takes them.
LAST_PATIENT: Final = 20_000

_PATH: Final = re.compile(
    r"(?:train|valid|test)/patient(\d{5})/study\d{1,2}/view[12]_(?:frontal|lateral)\.png"
)


def held_out_studies() -> Iterator[Study]:
    """The studies of the test patients, and then those of patients of no data set, up to `LAST_PATIENT`."""
    first = 1 + round((FRACTIONS[0] + FRACTIONS[1]) / sum(FRACTIONS) * PATIENTS)
    for patient in range(first, LAST_PATIENT + 1):
        yield from patient_studies(patient, PATIENTS, fractions=FRACTIONS)


def film_name(study: Study, film: Film) -> str:
    """The path of a film, followed by ``#`` and the kind of each shortcut that is planted on it."""
    return "#".join([film.path, *study.shortcuts])


def shipped_film(name: str) -> tuple[Study, Film]:
    """The study and the film of a name such as ``test/patient03178/study1/view1_frontal.png``.

    A name as from ``film_name`` has shortcuts planted on its film.

    Only the patient's own studies are drawn, so that this takes milliseconds. Films of patients of no data
    set (`held_out_studies`) are found as well.

    Raises:
        InputError: the data set has no such film.
    """
    path, *planted = name.split("#")
    form = _PATH.fullmatch(path)
    number = int(form[1]) if form and set(planted) <= set(KINDS) else 0
    if 1 <= number <= LAST_PATIENT:
        for study in patient_studies(number, PATIENTS, fractions=FRACTIONS):
            for film in study.films:
                if film.path == path:
                    return replace(study, shortcuts=tuple(planted)), film
    raise InputError(
        f"The data set of the shipped models has no film {name[:80]!r}; its paths are like "
        "test/patient03178/study1/view1_frontal.png."
    )
