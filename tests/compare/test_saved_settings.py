"""Settings as a small file: what is read back, and what is refused."""

import json
from typing import Any

import pytest

from cxrbench.compare import Settings
from cxrbench.compare.saved_settings import SavedSettings, is_settings, read_settings, settings_json
from cxrbench.errors import InputError

SAVED = SavedSettings(
    settings=Settings(("a", "b"), ("grad_cam(stage=1)", "rise(masks=200)"), 1, "blur", 20),
    findings=("Edema", "Lung Lesion"),
    source="f" * 64,
    film="film <1> & more.png",
    film_link=(("case", "heart"), ("edit", "without:edema"), ("edit", "severity:lung_lesion:0.3")),
    scale="all",
    revisions={"a": "r1", "b": "r2"},
)


def changed(**fields: Any) -> bytes:
    return json.dumps({**json.loads(settings_json(SAVED)), **fields}).encode()


def test_what_is_saved_is_read_back_whole_from_json_and_from_a_page_that_holds_it() -> None:
    text = settings_json(SAVED)
    assert read_settings(text.encode()) == SAVED
    inside = text.replace("<", "\\u003c")
    page = f'<!doctype html><p>a</p><script type="application/json" id="settings">{inside}</script>'
    assert read_settings(page.encode()) == SAVED


def test_its_query_parameters_name_the_film_the_settings_and_the_edits() -> None:
    parameters = SAVED.query_parameters
    assert parameters[0] == ("case", "heart")
    assert [value for name, value in parameters if name == "methods"] == list(SAVED.settings.methods)
    assert dict(parameters)["steps"] == "20"
    assert parameters[-2:] == list(SAVED.film_link[1:])


def test_the_settings_of_a_bundle_are_read_as_well() -> None:
    document = json.loads(settings_json(SAVED))
    older = {"format": 2, **{key: document[key] for key in ("settings", "findings", "source")}}
    saved = read_settings(json.dumps(older).encode())
    assert (saved.settings, saved.film, saved.film_link) == (SAVED.settings, "", ())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "mine.json: it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "A JSON object with 'settings' was expected; got list."),
        (b"{}", "'settings' is missing"),
        (b"<html><body>Hello</body></html>", "this page holds no settings"),
        (b'{"a": "' + b"x" * 2**20 + b'"}', "larger than 1 MiB"),
        (changed(settings={"models": ["a"]}), "'methods' is missing"),
        (changed(findings="Edema"), "'findings' must be a list of different short texts; got 'Edema'."),
        (changed(film_link=[["case"]]), "'film_link' must be a list of pairs of short texts"),
        (changed(film_link=[["case", "a\nb"]]), "'film_link' must be a list of pairs of short texts"),
        (changed(scale="tiny"), "'scale' must be one of map, method, all; got 'tiny'."),
        (changed(models=["a"]), "'models' must be an object of models"),
    ],
)
def test_other_files_are_refused_in_one_sentence_with_their_name(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read_settings(data, name="mine.json")
    text = str(refused.value)
    assert message in text
    assert text.startswith("mine.json: ")
    assert "\n" not in text


def test_settings_without_a_model_or_a_method_are_refused() -> None:
    empty = json.loads(settings_json(SAVED))["settings"] | {"methods": []}
    with pytest.raises(InputError, match="at least one model and one method"):
        read_settings(changed(settings=empty))


def test_files_are_told_apart_by_name_or_content() -> None:
    assert is_settings(b"\x89PNG", "mine.JSON")
    assert is_settings(b"<!doctype html>", "report.html")
    assert is_settings(b' {"a": 1}', "notes")
    assert not is_settings(b"\x89PNG", "film.png")
    assert not is_settings(b"PK\x03\x04", "saved.zip")
