"""Performance, Imbalance, Phantom, Train and About in a real browser: what no other test can show."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from cxrbench.training.run import history, status

Visits = Callable[..., Any]


@pytest.fixture(scope="session")
def several(assets_root: Path) -> str:
    """A link that chooses every model that has stored predictions."""
    names = [path.parent.name for path in sorted(assets_root.glob("models/*/predictions.csv"))]
    if len(names) < 3:
        pytest.skip("fewer than three models here have stored predictions")
    return "&".join(f"models={name}" for name in names)


def finding(here: Any) -> str:
    value: str = here.page.locator(".st-key-judge_finding input").first.input_value()
    return value


def test_back_restores_the_previous_state_and_from_the_first_the_previous_page(
    visit: Visits, several: str
) -> None:
    here = visit("/about")
    here.page.get_by_role("link", name="Performance").click()
    here.settle()
    opened = finding(here)
    here.choose("Finding", "No Finding")
    here.settle()
    here.choose("Operating points", "best F1")
    here.settle()
    here.page.go_back()
    here.settle()
    assert finding(here) == "No Finding"
    assert here.page.locator(".st-key-judge_rule input").first.input_value() == "Youden"
    here.page.go_back()
    here.settle()
    assert finding(here) == opened
    assert here.page.url.endswith("/performance")
    here.page.go_forward()
    here.settle()
    assert finding(here) == "No Finding"
    here.page.reload()
    here.settle()
    assert finding(here) == "No Finding"
    here.page.go_back()
    here.settle()
    here.page.go_back()
    here.page.get_by_role("heading", name="About", exact=True).wait_for()


def test_one_threshold_rule_is_marked_and_legends_lie_beside_the_plots(visit: Visits, several: str) -> None:
    here = visit(f"/performance?{several}")
    page = here.page
    page.wait_for_selector(".confusion button b")
    pressed = page.locator('.marks button[aria-pressed="true"]')
    assert pressed.all_inner_texts() == ["Youden"]
    page.locator(".marks button", has_text="best F1").click()
    assert pressed.all_inner_texts() == ["best F1"]
    page.locator('.curves input[type="range"]').press("ArrowLeft")
    assert pressed.count() == 0
    for plot in (".roc", ".pr"):
        drawn = page.locator(f"{plot} > svg").bounding_box()
        legend = page.locator(f"{plot} .legend").bounding_box()
        assert legend["y"] >= drawn["y"] + drawn["height"]
        assert page.locator(f"{plot} .legend li").count() == several.count("models=") + 1


@pytest.mark.parametrize(
    ("path", "width"),
    [
        ("/imbalance", 1440),
        ("/imbalance?part=Together", 1440),
        ("/imbalance", 390),
        ("/imbalance?part=Together", 390),
        ("/imbalance?part=Imbalance", 390),
        ("/imbalance?part=Class weights", 390),
    ],
)
def test_text_of_charts_is_complete_does_not_overlap_and_has_contrast(
    visit: Visits, path: str, width: int
) -> None:
    here = visit(path, width=width)
    for theme in ("light", "dark"):
        here.page.emulate_media(color_scheme=theme)
        here.page.reload()
        here.settle()
        here.page.wait_for_selector(".stPlotlyChart .ytick text")
        found = here.page.evaluate(_WORDS)
        assert found["contrast"] >= 4.5
        assert found["cut"] == []
        assert found["overlapping"] == []
        assert found["covered"] == 0
        assert found["unnamed"] == 0
        findings = here.page.locator(".stPlotlyChart").first.locator(".ytick text").all_inner_texts()
        assert len(findings) == (13 if "Together" in path else 14)


def test_every_system_is_in_the_legend_of_the_calibration(visit: Visits, several: str) -> None:
    here = visit(f"/performance?performance_part=Calibration&{several}")
    here.page.wait_for_selector(".stPlotlyChart .ytick text")
    names = here.page.locator(".stPlotlyChart .legendtext").all_inner_texts()
    assert len(names) == several.count("models=") + 1
    found = here.page.evaluate(_WORDS)
    assert found["contrast"] >= 4.5
    assert found["cut"] == []
    assert found["overlapping"] == []
    assert found["covered"] == 0


def test_dragging_on_a_chart_scrolls_on_a_phone_and_zooms_with_a_mouse(
    chromium: Browser, address: str
) -> None:
    phone = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
    for agent, mode in ((phone, False), (None, "zoom")):
        context = chromium.new_context(user_agent=agent)
        page = context.new_page()
        page.goto(f"{address}/imbalance")
        page.wait_for_selector(".stPlotlyChart .ytick text")
        read = "() => document.querySelector('.js-plotly-plot')._fullLayout.dragmode"
        assert page.evaluate(read) == mode
        context.close()


def test_the_phantom_opens_on_a_finding_with_the_way_to_compare_in_sight(visit: Visits) -> None:
    here = visit("/phantom")
    film = here.page.locator('img[alt*="simulated chest"]')
    film.wait_for(timeout=120_000)
    assert "with Pleural Effusion; outlined: Pleural Effusion" in film.get_attribute("alt")
    button = here.page.get_by_role("button", name="Explain on Compare").bounding_box()
    assert button["y"] + button["height"] < 860  # of 900; the disclaimer lies over the last forty
    here.page.locator(".st-key-finding").get_by_role("button", name="Pleural Effusion").click()
    here.settle()
    here.page.reload()
    here.settle()
    assert "with no finding" in film.get_attribute("alt")  # a healthy chest has an address, too


def test_about_fits_a_phone_and_names_metrics_by_their_titles(visit: Visits) -> None:
    here = visit("/about", width=390, height=844)
    here.page.get_by_text("Unless stated otherwise, a model predicts").wait_for()
    text = here.page.locator("[data-testid=stMain]").inner_text()
    assert "mean AUROC" in text
    assert "auroc" not in text
    tables = here.page.locator("[data-testid=stMarkdown] table")
    assert tables.count()
    for table in tables.all():
        box = table.bounding_box()
        assert box["x"] + box["width"] <= 390


def test_every_viewer_sees_a_run_as_it_begins_and_each_epoch_has_one_tick(
    visit: Visits, runs_root: Path
) -> None:
    viewers = [visit("/train"), visit("/train")]
    for viewer in viewers:
        viewer.page.get_by_text("Nothing has been trained here yet").wait_for()
    folder = runs_root / "elsewhere"
    (folder / "state").mkdir(parents=True)
    epochs = [history.Epoch(phase, 0, 32, 0.7 - 0.1 * phase, {"Edema": 0.5}) for phase in range(3)]
    history.write(epochs, folder / "state" / "history.jsonl")
    with status.claim(folder):
        status.write_status(folder, status.own_status("elsewhere", 1))
        for viewer in viewers:
            viewer.page.get_by_text("elsewhere is running. Only one run at a time").wait_for()
            assert viewer.page.get_by_role("button", name="Start training").is_disabled()
        status.write_status(folder, status.own_status("elsewhere", 1, "done"))
    for viewer in viewers:
        viewer.page.get_by_text("elsewhere is finished").wait_for()
    ticks = viewers[0].page.locator(".js-plotly-plot .xaxislayer-above text, .js-plotly-plot .x2tick text")
    ticks.first.wait_for()
    assert sorted(set(ticks.all_text_contents())) == ["1", "2", "3"]
    assert len(ticks.all_text_contents()) in (3, 6)  # of one axis, or of both


# Of all words on axes, in legends and beside marks: the lowest contrast to the page, those that stick out of
# their chart, and pairs of level ones that lie on each other. Also how many legends or colour bars lie on a
# plot, and how many charts have no text alternative.
_WORDS = """() => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = light(getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor);
  const found = { contrast: 21, cut: [], overlapping: [], covered: 0, unnamed: 0 };
  for (const chart of document.querySelectorAll('.stPlotlyChart')) {
    found.unnamed += chart.getAttribute('role') === 'figure' && chart.getAttribute('aria-label') ? 0 : 1;
    const frame = chart.getBoundingClientRect();
    const plot = chart.querySelector('.nsewdrag').getBoundingClientRect();
    for (const key of chart.querySelectorAll('.legend .bg, .colorbar .cbbg')) {
      found.covered += key.getBoundingClientRect().bottom > plot.top + 0.5 ? 1 : 0;
    }
    const kinds = '.xtick, .ytick, .g-xtitle, .g-ytitle, .legend, .annotation, .colorbar, .bars';
    const words = [...chart.querySelectorAll(`:is(${kinds}) text`)]
      .filter((word) => word.textContent && getComputedStyle(word).opacity > 0);
    const boxes = words.map((word) => word.getBoundingClientRect());
    words.forEach((word, i) => {
      const [low, high] = [light(getComputedStyle(word).fill), ground].sort((a, b) => a - b);
      found.contrast = Math.min(found.contrast, (high + 0.05) / (low + 0.05));
      const a = boxes[i];
      const out = a.left < frame.left - 0.5 || a.right > frame.right + 0.5
        || a.top < frame.top - 0.5 || a.bottom > frame.bottom + 0.5;
      if (out) found.cut.push(word.textContent);
      const level = (at) => !/rotate\\((?!0)/.test(words[at].getAttribute('transform'));
      boxes.slice(0, i).forEach((b, j) => {
        const across = a.right > b.left && b.right > a.left;
        const on = across && a.bottom > b.top + 1 && b.bottom > a.top + 1;
        if (on && level(i) && level(j)) found.overlapping.push([words[j].textContent, word.textContent]);
      });
    });
  }
  return found;
}"""
