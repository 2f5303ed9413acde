"""Compare used more than once: two files of one name, a bad one, Back, a second viewer, a phantom's link."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import numpy as np
from PIL import Image

from cxrbench.compare import gallery

Visits = Callable[..., Any]


def shown(page: Any) -> str:
    """The radiograph that the controls show."""
    return str(page.locator("[class*=st-key-pick_case] input").first.input_value())


def written(folder: Path, step: int) -> Path:
    """A file called film.png in a folder of its own."""
    folder.mkdir()
    pixels = np.arange(6400).reshape(80, 80) * step % 256
    Image.fromarray(pixels.astype(np.uint8)).save(folder / "film.png")
    return folder / "film.png"


def test_two_files_of_the_same_name_an_invalid_one_and_back(visit: Visits, tmp_path: Path) -> None:
    here = visit("/?methods=grad_cam")
    page, first = here.page, shown(here.page)
    here.upload(written(tmp_path / "a", 1))
    page.get_by_text("PNG, 80 × 80 pixels").wait_for(timeout=60_000)
    here.settle()
    assert shown(page) == "Yours: film.png"
    here.upload(written(tmp_path / "b", 3))
    page.locator('[class*=st-key-pick_case] input[value="Yours: film.png (2)"]').wait_for(timeout=60_000)
    here.settle()
    page.locator("[data-do=link]").click()
    assert page.get_by_text("cannot be linked").is_visible()
    (tmp_path / "notes.png").write_text("not a picture")
    here.upload(tmp_path / "notes.png")
    page.get_by_text("notes.png: ").wait_for(timeout=60_000)
    page.keyboard.press("Escape")  # shuts the pop-over
    here.settle()
    assert page.get_by_text("notes.png: ").is_visible()
    page.go_back()
    page.locator('[class*=st-key-pick_case] input[value="Yours: film.png"]').wait_for(timeout=60_000)
    here.settle()
    here.choose("Radiograph", first)
    here.settle()
    assert not page.get_by_text("notes.png: ").count()
    assert not page.get_by_text("cannot be linked").count()
    page.go_back()
    page.locator('[class*=st-key-pick_case] input[value="Yours: film.png"]').wait_for(timeout=60_000)


def test_back_and_forward_switch_cases_and_a_second_session_is_independent(visit: Visits) -> None:
    one, two = gallery.cases()[0], gallery.cases()[-1]
    here = visit(f"/compare?case={one.id}")
    there = visit(f"/compare?case={two.id}")
    assert (shown(there.page), shown(here.page)) == (two.title, one.title)
    assert there.page.get_by_text(f"{two.finding}: ").first.is_visible()
    here.choose("Radiograph", two.title)
    here.settle()
    here.page.go_back()
    here.wait_for_words(re.escape(one.why))
    here.settle()
    assert parse_qs(urlparse(here.page.url).query)["findings"] == [one.finding]
    here.page.go_forward()
    here.wait_for_words(re.escape(two.why))
    here.settle()
    assert shown(here.page) == two.title
    assert parse_qs(urlparse(here.page.url).query)["models"] == list(two.models)
    assert shown(there.page) == two.title


def test_the_link_of_a_phantom_opens_it_in_another_session(visit: Visits) -> None:
    here = visit("/?phantom=seed:7,projection:Lateral,edema:0.6&methods=grad_cam")
    assert shown(here.page) == "Yours: Phantom 7, LATERAL"
    assert here.shows(r"Edema: present \(ground truth\)")
    here.page.locator("[data-do=link]").click()
    here.page.get_by_text("Link copied").wait_for()
    link = parse_qs(urlparse(here.page.evaluate("navigator.clipboard.readText()")).query)
    assert link["phantom"] == ["seed:7,projection:Lateral,edema:0.6"]
