"""The Judge page: its numbers, words, lists and uploads, from stored results."""

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.judge.agreement import agreement_table
from cxrbench.app.judge.controls import ALL_FINDINGS, Selection
from cxrbench.app.judge.results import Results
from cxrbench.app.judge.scorecard import card_of
from cxrbench.app.judge.words import answer, criterion_words, number
from cxrbench.app.navigation import page_file
from cxrbench.data.phantom.plan import patient_studies
from cxrbench.data.phantom.shipped import FRACTIONS, PATIENTS
from cxrbench.judge import CRITERIA
from cxrbench.workflows.judged_results import write_judged

METHODS = {"grad_cam": 0.6, "saliency": 0.3, "edges": 0.2, "location_prior": 0.3, "random": 0.0}
NAMES = {"single_deletion_mean": 1, "distractibility": -1, "hit": 1, "share_in_lungs": 1}
FILMS = [patient_studies(p, PATIENTS, fractions=FRACTIONS)[0].path for p in range(3300, 3312)]


def judged(model: str = "small", *, shift: float = 0.0, films: list[str] = FILMS) -> pd.DataFrame:
    """Judged maps in which Grad-CAM is better than the controls and saliency equals the prior."""
    rng = np.random.default_rng(1)
    rows = []
    for number_, film in enumerate(films):
        for finding in ("Edema", "Pleural Effusion"):
            for criterion, sign in NAMES.items():
                noise = rng.normal(0, 0.02)
                for method, level in METHODS.items():
                    own = 0.0 if method in ("location_prior", "edges") else rng.normal(0, 0.03)
                    value = sign * (level + shift) + noise + own
                    best = 0.9 if criterion == "hit" else np.nan
                    key = {"model": model, "film": film, "patient": number_, "method": method}
                    rows.append(
                        key | {"finding": finding, "criterion": criterion, "value": value, "best": best}
                    )
    return pd.DataFrame(rows)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page of a workbench with stored results, without models."""
    write_judged(tmp_path / "judged" / "stored.parquet", judged())
    monkeypatch.setenv("CXRBENCH_ASSETS", str(tmp_path))
    monkeypatch.setenv("CXRBENCH_MODELS", str(tmp_path / "own"))
    return AppTest.from_file(str(main.__file__), default_timeout=120).switch_page(
        str(Path(main.__file__).parents[2] / "pages" / "judge.py")
    )


def parquet(table: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    table.to_parquet(file, index=False)
    return file.getvalue()


def text_of(at: AppTest) -> str:
    return " ".join(part.value for part in (*at.caption, *at.markdown, *at.info, *at.error))


def test_methods_are_sorted_with_the_controls_below_and_two_questions_answered(page: AppTest) -> None:
    page.query_params["criterion"] = "hit"
    at = page.run()
    assert not at.exception
    methods, controls = (element.value for element in at.dataframe[:2])
    assert methods["method"].tolist() == ["Grad-CAM", "Saliency"]
    assert controls["method"].tolist() == ["Location prior", "Edges (Sobel)", "Random"]
    assert methods["hit"].tolist() == pytest.approx([0.6, 0.3], abs=0.03)
    assert methods["best"].tolist() == pytest.approx([0.9, 0.9], abs=1e-3)
    assert [text.partition(":")[0] for text in methods["edges"]] == ["yes", "yes"]
    assert [text.partition(":")[0] for text in methods["location_prior"]] == ["yes", "not shown"]
    assert controls["location_prior"].tolist()[0] == ""
    assert "12 films of 12 patients, 24 maps per method" in text_of(at)


def test_lower_is_better_turns_the_answers_and_no_direction_gives_none(page: AppTest) -> None:
    page.query_params["criterion"] = "distractibility"
    at = page.run()
    assert at.dataframe[0].value["method"].tolist() == ["Grad-CAM", "Saliency"]
    assert at.dataframe[0].value["edges"].tolist()[0].startswith("yes: −0.4")
    at.selectbox(key="results_criterion").select("share_in_lungs").run()
    assert set(at.dataframe[0].value["edges"]) == {"no direction"}


@pytest.mark.parametrize(
    "part", ["Methods", "One criterion", "Criteria that disagree", "Best and worst films", "Scorecard"]
)
def test_every_part_draws_for_one_finding(page: AppTest, part: str) -> None:
    page.query_params["judge_part"] = part
    page.query_params["finding"] = "Edema"
    page.query_params["criterion"] = "hit"
    at = page.run()
    assert not at.exception
    assert not at.warning
    assert "12 maps per method" in text_of(at)


def test_the_best_and_worst_films_open_on_compare_with_finding_model_and_method(page: AppTest) -> None:
    page.query_params["judge_part"] = "Best and worst films"
    page.query_params["criterion"] = "hit"
    page.query_params["method"] = "saliency"
    at = page.run()
    assert not at.exception
    links = [each.value for each in at.markdown if "](compare?" in each.value]
    assert len(links) == 16
    assert all("film=test%2Fpatient0" in link for link in links)
    assert all("methods=saliency" in link for link in links)
    table = judged()
    own = table[(table["method"] == "saliency") & (table["criterion"] == "hit")]
    best = own.sort_values("value").iloc[-1]
    assert f"patient {int(best['film'].split('/')[1][7:])}, {best['finding']}" in links[0]


def test_the_agreement_says_which_criteria_rank_as_the_twins() -> None:
    results = Results("key", "title", judged(), own=True)
    selection = Selection(results, "small", ALL_FINDINGS, "hit", ("hit",), "grad_cam")
    found = agreement_table(selection, "single_deletion_mean", ("hit",), results.methods)
    assert found["criterion"].tolist() == ["Hit rate"]
    assert found["τ"][0] > 0.7
    assert found["needs"].tolist() == ["masks"]


def test_the_scorecard_holds_the_numbers_of_the_table_and_of_other_models() -> None:
    both = pd.concat([judged("small"), judged("other", shift=0.1)])
    results = Results("another key", "title", both, own=True)
    selection = Selection(results, "small", ALL_FINDINGS, "hit", ("hit",), "saliency")
    card = card_of(selection)
    assert (card.films, card.patients, card.model) == (12, 12, "small")
    scores = {score.criterion: score for score in card.scores}
    assert list(scores) == [name for name in CRITERIA if name in NAMES]
    own = both[(both["model"] == "small") & (both["method"] == "saliency") & (both["criterion"] == "hit")]
    assert scores["hit"].mean == pytest.approx(own["value"].mean())
    assert scores["hit"].verdicts == {"Edges (Sobel)": "better", "Location prior": "open", "Random": "better"}
    assert scores["hit"].others["other"] == pytest.approx(scores["hit"].mean + 0.1)
    assert scores["share_in_lungs"].verdicts["Random"] is None
    prior = card_of(replace(selection, method="location_prior"))
    assert "Location prior" not in prior.scores[0].controls
    assert not card_of(replace(selection, method="legrad")).scores


def test_own_results_stay_over_page_changes_and_two_of_one_name_are_two(page: AppTest) -> None:
    at = page.run()
    upload = at.file_uploader(key="results_files")
    first, second = parquet(judged("mine", shift=0.1)), parquet(judged("mine", shift=0.2))
    upload.upload("judged.parquet", first, "application/octet-stream").run()
    assert not at.exception
    assert at.selectbox(key="results_model").value == "mine"
    at.file_uploader(key="results_files").upload("judged.parquet", second, "application/octet-stream").run()
    titles = at.selectbox(key="results_key").options
    assert titles == ["judged (2)", "judged", "stored"]
    by_title = {}
    for index, title in enumerate(titles):
        at.selectbox(key="results_key").select_index(index).run()
        at.selectbox(key="results_criterion").select("hit").run()
        by_title[title] = at.dataframe[0].value["hit"].iloc[0]
    assert by_title["judged (2)"] - by_title["judged"] == pytest.approx(0.1, abs=1e-3)
    at.switch_page(str(page_file("about"))).run()
    at.switch_page(str(page_file("judge"))).run()
    assert not at.exception
    assert at.selectbox(key="results_key").options == titles


def test_a_file_that_is_no_result_is_refused_in_one_sentence(page: AppTest) -> None:
    at = page.run()
    data = parquet(pd.DataFrame({"a": [1]}))
    at.file_uploader(key="results_files").upload("mine.parquet", data, "application/octet-stream").run()
    assert [error.value for error in at.error] == [
        "mine.parquet has no column model, film, patient, method, finding, criterion, value, best; open a "
        "judged.parquet as `cxrbench judge` writes it."
    ]


def test_without_results_the_page_says_how_to_get_some(page: AppTest, tmp_path: Path) -> None:
    (tmp_path / "judged" / "stored.parquet").unlink()
    at = page.run()
    assert not at.exception
    assert "cxrbench judge" in at.info[0].value


def test_films_of_another_data_set_are_named_and_not_linked(page: AppTest, tmp_path: Path) -> None:
    others = [f"hospital/{n}.png" for n in range(6)]
    write_judged(tmp_path / "judged" / "stored.parquet", judged(films=others))
    page.query_params["judge_part"] = "Best and worst films"
    at = page.run()
    assert not at.exception
    assert not any("](compare?" in each.value for each in at.markdown)
    assert "cannot be rendered" in text_of(at)


def test_a_prior_that_states_its_films_is_the_blind_prior(page: AppTest, tmp_path: Path) -> None:
    table = judged().replace({"method": {"location_prior": "location_prior(films=nih)"}})
    write_judged(tmp_path / "judged" / "stored.parquet", table)
    page.query_params["criterion"] = "hit"
    at = page.run()
    assert not at.exception
    assert at.dataframe[0].value["location_prior"].tolist()[0].startswith("yes")
    assert at.dataframe[1].value["location_prior"].tolist()[0] == ""


@pytest.mark.parametrize("part", ["Methods", "One criterion", "Criteria that disagree", "Scorecard"])
def test_a_model_offers_what_it_was_judged_by_and_a_gap_is_said(
    page: AppTest, tmp_path: Path, part: str
) -> None:
    first, other = judged("small"), judged("other")
    other = other[other["criterion"].isin(["hit", "single_deletion_mean"]) & (other["finding"] == "Edema")]
    first = first[(first["criterion"] != "hit") | (first["finding"] == "Edema")]
    write_judged(tmp_path / "judged" / "stored.parquet", pd.concat([first, other]))
    page.query_params["judge_part"] = part
    page.query_params["model"] = "small"
    page.query_params["finding"] = "Pleural Effusion"
    page.query_params["criterion"] = "hit"
    at = page.run()
    assert not at.exception
    at.selectbox(key="results_model").select("other").run()
    assert not at.exception
    assert at.selectbox(key="results_finding").options == [ALL_FINDINGS, "Edema"]
    assert at.selectbox(key="results_criterion").options == ["Single deletion, mean", "Hit rate"]


def test_every_criterion_has_its_words_with_direction_and_caveat() -> None:
    for name, record in CRITERIA.items():
        assert record.caveat in criterion_words(name)
    assert "Lower is better" in criterion_words("distractibility")
    assert ".916" in criterion_words("hit")
    assert ".595" in criterion_words("box_iou")
    assert "Readers" not in criterion_words("otsu_iou")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("hit", 0.2, 0.1, 0.3), "yes: +0.20 [+0.10, +0.30]"),
        (("hit", -0.2, -0.3, -0.1), "no, worse: −0.20 [−0.30, −0.10]"),
        (("hit", 0.1, -0.1, 0.3), "not shown: +0.10 [−0.10, +0.30]"),
        (("hit", float("nan"), float("nan"), float("nan")), "undefined"),
    ],
)
def test_answers_in_words(arguments: Any, expected: str) -> None:
    assert answer(*arguments) == expected
    assert number(float("nan"), 0, 0) == "undefined"
    assert number(-0.001, -0.2, 0.0) == "0.00 [−0.20, 0.00]"
