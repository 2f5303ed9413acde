"""The Performance and Imbalance pages and the ensemble's cells, in a real browser."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Visits = Callable[..., Any]


@pytest.fixture(scope="session")
def predictions(assets_root: Path) -> Path:
    """The first model's stored predictions."""
    found = sorted(assets_root.glob("models/*/predictions.csv"))
    if not found:
        pytest.skip("no model here has stored predictions")
    return found[0]


def counts(page: Any) -> dict[str, int]:
    """What the four cells say."""
    cells = page.locator(".confusion button")
    return {
        cell.get_attribute("data-cell"): int(cell.locator("b").inner_text().replace(",", ""))
        for cell in cells.all()
    }


def test_the_threshold_slider_updates_points_and_counts_without_the_server(
    visit: Visits, predictions: Path
) -> None:
    here = visit("/performance")
    page = here.page
    page.wait_for_selector(".confusion button b")
    slider = page.locator('.curves input[type="range"]')
    before, at, sent = counts(page), page.locator(".roc .focus").get_attribute("d"), here.sent
    slider.focus()
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    after = counts(page)
    assert page.locator(".roc .focus").get_attribute("d") != at
    assert after["hits"] >= before["hits"]
    assert after["alarms"] > before["alarms"]
    assert before["hits"] + before["misses"] == after["hits"] + after["misses"]
    page.wait_for_timeout(500)
    assert here.sent == sent


def test_the_counts_are_those_of_the_stored_scores(visit: Visits, predictions: Path) -> None:
    page = visit("/performance").page
    page.wait_for_selector(".confusion button b")
    finding = page.locator(".confusion caption").inner_text().split(",")[0]
    page.locator(".marks button", has_text="one half").click()
    with predictions.open() as file:
        rows = [row for row in csv.DictReader(file) if row.get("split", "test") == "test"]
    called = [float(row[f"score {finding}"]) >= 0.5 for row in rows]
    present = [row[finding] in ("1", "1.0") for row in rows]
    assert counts(page) == {
        "hits": sum(c and p for c, p in zip(called, present, strict=True)),
        "misses": sum(p and not c for c, p in zip(called, present, strict=True)),
        "alarms": sum(c and not p for c, p in zip(called, present, strict=True)),
        "rejections": sum(not c and not p for c, p in zip(called, present, strict=True)),
    }


def test_a_click_on_a_count_lists_its_images(visit: Visits, predictions: Path) -> None:
    here = visit("/performance")
    here.page.wait_for_selector(".confusion button b")
    count = counts(here.page)["hits"]
    here.page.locator('[data-cell="hits"]').click()
    here.page.get_by_role("heading", name="true positives: present, predicted present").wait_for()
    here.settle()
    assert here.page.get_by_text(f"{count:,} images").count()
    # The count is in the address: another one and Back, reload, and a second viewer list the same images.
    here.page.locator('[data-cell="misses"]').click()
    here.page.get_by_role("heading", name="false negatives").wait_for()
    here.settle()
    here.page.go_back()
    here.page.get_by_role("heading", name="true positives").wait_for()
    here.settle()
    here.page.reload()
    here.settle()
    there = visit(here.page.url.removeprefix(here.address))
    for viewer in (here, there):
        assert viewer.page.get_by_role("heading", name="true positives").is_visible()
        assert viewer.page.get_by_text(f"{count:,} images").count()


def test_an_uploaded_file_is_evaluated_and_an_invalid_one_gives_an_error_message(
    visit: Visits, tmp_path: Path
) -> None:
    rows = ["Edema,score Edema", *(f"{i % 2},{0.2 + 0.5 * (i % 3) / 2}" for i in range(90))]
    (tmp_path / "mine.csv").write_text("\n".join(rows))
    (tmp_path / "wrong.csv").write_text("Edema,score Edema\n1,1.7\n")
    here = visit("/performance")
    here.page.get_by_role("button", name="Your own predictions").click()
    here.page.locator("input[type=file]").set_input_files(tmp_path / "mine.csv")
    here.page.get_by_text("90 images of 90 patients. Edema: 45 present, 45 absent.").wait_for()
    here.page.locator("input[type=file]").set_input_files(tmp_path / "wrong.csv")
    here.page.get_by_text("expected a score from 0 to 1, got").wait_for()


def test_the_imbalance_page_opens_at_the_tab_of_a_link(visit: Visits) -> None:
    page = visit("/imbalance?part=Imbalance").page
    page.get_by_text("MeanIR").first.wait_for()
    assert page.get_by_role("tab", name="Imbalance").get_attribute("aria-selected") == "true"


def test_two_models_are_shown_with_their_ensemble(visit: Visits, assets_root: Path) -> None:
    index = json.loads((assets_root / "gallery" / "index.json").read_text())
    names = [*index["models"], *(path.name for path in sorted((assets_root / "models").iterdir()))]
    models = list(dict.fromkeys(names))[:2]
    if len(models) < 2:
        pytest.skip("there is one model only, and an ensemble takes two")
    link = "&".join(f"models={name}" for name in models)
    here = visit(f"/?{link}&methods=grad_cam")
    titles = here.page.locator(".panel .title").all_inner_texts()
    assert len(titles) == 5
    assert "models positive" in titles[3]
    assert "model disagreement" in titles[4]
    assert len(set(here.prints())) == 5  # no picture is another's
