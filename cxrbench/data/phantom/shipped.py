"""The data set on whose films the shipped models were trained and evaluated: its films by their paths."""

import re
from typing import Final

from cxrbench.data.phantom.plan import Film, Study, patient_studies
from cxrbench.errors import InputError

__all__ = ["FRACTIONS", "PATIENTS", "SIZE", "shipped_film"]

# As in train/configs/phantom_*.toml; a test holds them against each other.
PATIENTS: Final = 5200
FRACTIONS: Final = (0.56, 0.05, 0.39)  # of the patients in train, valid and test
SIZE: Final = 320  # pixels per side of the films

_PATH: Final = re.compile(
    r"(?:train|valid|test)/patient(\d{5})/study\d{1,2}/view[12]_(?:frontal|lateral)\.png"
)


def shipped_film(path: str) -> tuple[Study, Film]:
    """The study and the film of a path such as ``test/patient03178/study1/view1_frontal.png``.

    Only the patient's own studies are drawn, so that this takes milliseconds.

    Raises:
        InputError: the data set has no such film.
    """
    form = _PATH.fullmatch(path)
    number = int(form[1]) if form else 0
    if 1 <= number <= PATIENTS:
        for study in patient_studies(number, PATIENTS, fractions=FRACTIONS):
            for film in study.films:
                if film.path == path:
                    return study, film
    raise InputError(
        f"The data set of the shipped models has no film {path[:80]!r}; its paths are like "
        "test/patient03178/study1/view1_frontal.png."
    )
