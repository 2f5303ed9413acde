"""The Judge page and the lists of errors in a real browser: what no other test can show."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cxrbench.judge import CRITERIA

Visits = Callable[..., Any]


def judged() -> pd.DataFrame:
    """Judged maps of every criterion, on films of no data set."""
    rng = np.random.default_rng(0)
    methods = ("grad_cam", "saliency", "random", "edges", "location_prior")
    rows = [
        (model, f"film{film}", film, method, "Edema", criterion, rng.normal(len(method) / 10, 0.1), 1.0)
        for model in ("small", "other")
        for film in range(6)
        for method in methods
        for criterion in CRITERIA
    ]
    names = ["model", "film", "patient", "method", "finding", "criterion", "value", "best"]
    return pd.DataFrame(rows, columns=names)


def test_own_results_are_sorted_by_number_and_the_scorecard_prints_on_one_page(
    visit: Visits, tmp_path: Path
) -> None:
    file = tmp_path / "mine.parquet"
    judged().to_parquet(file, index=False)
    here = visit("/judge")
    page = here.page
    page.get_by_role("button", name="Your own results").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("mine: 6 films of 6 patients").wait_for()
    page.keyboard.press("Escape")
    here.settle()
    table = page.locator("[data-testid=stDataFrame]").first
    names = table.locator("tbody tr td:first-child")
    first = names.all_inner_texts()
    assert sorted(first) == ["Grad-CAM", "Saliency"]
    box = table.bounding_box()
    for _ in range(2):  # ascending, then descending
        page.mouse.click(box["x"] + 300, box["y"] + 18)
        page.wait_for_timeout(400)
        if names.all_inner_texts() != first:
            break
    assert names.all_inner_texts() == first[::-1]
    page.get_by_role("tab", name="Scorecard").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the scorecard").click()
    download.value.save_as(tmp_path / "card.html")
    sheet = page.context.new_page()
    sheet.goto((tmp_path / "card.html").as_uri())
    printed = sheet.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    assert here.errors == []


def test_a_film_of_an_error_list_opens_on_compare_with_its_finding_and_all_models(
    visit: Visits, assets_root: Path
) -> None:
    stored = [path.parent.name for path in sorted(assets_root.glob("models/*/predictions.csv"))]
    if "densenet121" not in stored or "efficientnet_b0" not in stored:
        pytest.skip("these models have no stored predictions here")
    here = visit("/performance?models=densenet121&models=efficientnet_b0&finding=Edema")
    page = here.page
    page.wait_for_selector(".confusion button b")
    page.locator(".confusion button", has_text="false negatives").click()
    page.get_by_text("rendered again from its seed").wait_for()
    here.settle()
    table = page.locator("[data-testid=stDataFrame]").last
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    link = (box["x"] + 24, box["y"] + 52)
    page.mouse.move(*link)
    page.wait_for_timeout(500)  # the grid notices what lies under the pointer
    with page.context.expect_page() as opened:
        page.mouse.click(*link)
    film = opened.value
    film.wait_for_selector(".bench", timeout=120_000)
    film.wait_for_url("**/compare?film=test*")
    assert "models=densenet121&models=efficientnet_b0" in film.url
    assert film.locator("[class*=st-key-pick_finding] input").first.input_value() == "Edema"
    assert film.locator("[class*=st-key-pick_case] input").first.input_value().startswith("Yours: Patient")
