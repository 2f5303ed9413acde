"""A server whose answers come late: what the reader does meanwhile is neither lost nor undone."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, WebSocketRoute

from cxrbench.compare import gallery

Visits = Callable[..., Any]


class Line:
    """The connection of a page to the server, on which answers can be held back.

    Args:
        page: before it is opened.
    """

    def __init__(self, page: Page) -> None:
        self.held = False
        self._waiting: list[tuple[WebSocketRoute, str | bytes]] = []
        page.route_web_socket(re.compile("/_stcore/stream"), self._connect)

    def hold(self) -> None:
        """From now on, no answer arrives."""
        self.held = True

    def release(self) -> None:
        """What was held back arrives, and so does all that follows."""
        self.held = False
        for route, message in self._waiting:
            route.send(message)
        self._waiting.clear()

    def _connect(self, route: WebSocketRoute) -> None:
        route.connect_to_server().on_message(lambda message: self._arrive(route, message))

    def _arrive(self, route: WebSocketRoute, message: str | bytes) -> None:
        if self.held:
            self._waiting.append((route, message))
        else:
            route.send(message)


def test_a_case_picked_while_maps_are_computed_stays(visit: Visits) -> None:
    one, two = gallery.cases()[0], gallery.cases()[-1]
    lines: list[Line] = []
    here = visit(
        f"/compare?case={one.id}&methods=integrated_gradients&steps=300",
        rest=False,
        before=lambda page: lines.append(Line(page)),
    )
    here.page.locator(".st-key-stop").wait_for(timeout=60_000)
    here.choose("Finding", "No Finding")
    here.wait_for_words(r"No Finding: (present|absent) \(ground truth\)")
    here.page.wait_for_timeout(1000)
    lines[0].hold()
    here.choose("Radiograph", two.title)
    here.page.wait_for_timeout(1200)  # meanwhile the page looks for new maps, from its former address
    lines[0].release()
    here.wait_for_words(re.escape(two.why))
    here.page.wait_for_timeout(1000)
    assert here.shows(re.escape(two.why))
    assert f"case={two.id}" in here.page.url


def test_an_upload_while_maps_are_computed_stays(visit: Visits, tmp_path: Path) -> None:
    case = gallery.cases()[0]
    pixels = np.random.default_rng(0).integers(0, 256, (90, 80)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "film.png")
    lines: list[Line] = []
    here = visit(
        f"/compare?case={case.id}&methods=integrated_gradients&steps=300",
        rest=False,
        before=lambda page: lines.append(Line(page)),
    )
    here.page.locator(".st-key-stop").wait_for(timeout=60_000)
    here.page.get_by_role("button", name="Your own image").click()
    here.page.locator("input[type=file]").wait_for(state="attached")
    here.page.wait_for_timeout(500)
    lines[0].hold()
    here.upload(tmp_path / "film.png")
    here.page.wait_for_timeout(2000)  # meanwhile the page looks for new maps, with its former selection
    lines[0].release()
    here.page.get_by_text("PNG, 80 × 90 pixels").wait_for()
    here.page.wait_for_timeout(1500)
    assert here.page.get_by_text("PNG, 80 × 90 pixels").is_visible()
    assert "own=" in here.page.url


def test_two_quick_picks_on_performance_both_stay(visit: Visits, assets_root: Path) -> None:
    if not list(assets_root.glob("models/*/predictions.csv")):
        pytest.skip("no model here has stored predictions")
    lines: list[Line] = []
    here = visit("/performance", before=lambda page: lines.append(Line(page)))
    lines[0].hold()
    here.choose("Finding", "No Finding")
    here.page.wait_for_timeout(1000)  # the server writes the address, which the browser does not know yet
    here.choose("Operating points", "best F1")
    here.page.wait_for_timeout(500)
    lines[0].release()
    here.settle()
    assert here.page.locator(".st-key-judge_finding input").first.input_value() == "No Finding"
    assert here.page.locator(".st-key-judge_rule input").first.input_value() == "best F1"
    assert "finding=No+Finding" in here.page.url
