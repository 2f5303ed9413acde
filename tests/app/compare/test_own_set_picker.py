"""Films of the user's data sets on Compare: lists by label and by what a model got wrong."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.compare import own_set_picker
from cxrbench.app.services import own_set_films
from cxrbench.data import datasets

MAIN = Path(main.__file__)
# Before the first run Streamlit identifies a page by the name of its file.
PAGE = MAIN.parents[2] / "pages" / "compare.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four films in RSNA's form, the first with a pneumonia."""
    monkeypatch.setenv("CXRBENCH_DATA", str(tmp_path / "own"))
    st.cache_resource.clear()
    films = tmp_path / "films"
    (films / "stage_2_train_images").mkdir(parents=True)
    for seed, name in enumerate("abcd"):
        pixels = np.random.default_rng(seed).integers(0, 256, (32, 32), np.uint8)
        with (films / "stage_2_train_images" / f"{name}.dcm").open("wb") as file:
            Image.fromarray(pixels).save(file, "PNG")
    rows = "".join(f"{name},,,,,{int(name == 'a')}\n" for name in "abcd")
    (films / "stage_2_train_labels.csv").write_text(f"patientId,x,y,width,height,Target\n{rows}")
    return films


def test_what_a_model_got_wrong_is_listed_with_the_clearest_errors_first(tmp_path: Path) -> None:
    rows = ["a.png,a,1,0.9", "b.png,b,1,0.1", "c.png,c,0,0.7", "d.png,d,0,0.2", "e.png,e,,0.99"]
    (tmp_path / "predictions.csv").write_text("\n".join(["path,patient,Edema,score Edema", *rows]) + "\n")
    assert own_set_picker.wrong_and_confident(tmp_path / "predictions.csv", "Edema") == []
    (tmp_path / "evaluation.json").write_text('{"threshold": {"Edema": 0.5}}')
    assert own_set_picker.wrong_and_confident(tmp_path / "predictions.csv", "edema") == ["b.png", "c.png"]
    assert own_set_picker.wrong_and_confident(tmp_path / "predictions.csv", "Mass") == []


def test_images_of_a_data_set_are_browsed_by_label(folder: Path) -> None:
    entry = datasets.add(folder, "mine")
    films = own_set_films.films_of(entry)
    present = own_set_picker.listed_paths(entry, films, "Pneumonia", "present")
    assert present == ["stage_2_train_images/a.dcm"]
    assert len(own_set_picker.listed_paths(entry, films, "Pneumonia", "absent")) == 3
    assert own_set_picker.listed_paths(entry, films, "Pneumonia", "uncertain") == []


def test_a_film_that_is_picked_is_shown_with_its_label(
    folder: Path, small_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    datasets.add(folder, "mine")
    page = AppTest.from_file(str(MAIN), default_timeout=120).switch_page(str(PAGE))
    page.query_params["image"] = "mine/stage_2_train_images/a.dcm"
    at = page.run()
    assert not at.exception
    assert "Labelled present: Pneumonia." in " ".join(caption.value for caption in at.caption)
    assert at.query_params["image"] == "mine/stage_2_train_images/a.dcm"
