"""A phantom is ordered in a real browser: by link, by controls, on a narrow screen, and taken to Compare."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Visits = Callable[..., Any]


def test_a_link_orders_a_phantom_that_can_be_changed_saved_and_explained(visit: Visits) -> None:
    v = visit("/phantom?seed=7&finding=Pleural+Effusion&severity_pleural_effusion=0.8&projection=Lateral")
    film = v.page.locator('img[alt*="simulated chest"]')
    film.wait_for(timeout=120_000)
    assert "LATERAL radiograph of a simulated chest with Pleural Effusion" in film.get_attribute("alt")
    first = film.get_attribute("src")
    v.page.get_by_role("button", name="Cardiomegaly").first.click()
    v.settle()
    assert "Cardiomegaly" in film.get_attribute("alt")
    assert film.get_attribute("src") != first
    for part in ("seed=7", "finding=Cardiomegaly", "severity_pleural_effusion=0.8", "projection=Lateral"):
        assert part in v.page.url
    with v.page.expect_download() as saving:
        v.page.get_by_role("button", name="ZIP with masks and truth").click()
    with zipfile.ZipFile(io.BytesIO(Path(saving.value.path()).read_bytes())) as held:
        order = json.loads(held.read("truth.json"))["order"]
    assert order["findings"] == {"Cardiomegaly": 0.6, "Pleural Effusion": 0.8}
    v.page.get_by_role("button", name="Explain on Compare").click()
    v.page.wait_for_selector(".bench", timeout=120_000)
    assert (
        v.page.locator("[class*=st-key-pick_case] input").first.input_value() == "Yours: Phantom 7, LATERAL"
    )
    assert "seed=" not in v.page.url
    assert "phantom=seed" in v.page.url


def test_a_phone_needs_no_horizontal_scrolling(visit: Visits) -> None:
    v = visit("/phantom?finding=Edema&by_hand=true", width=390, height=844, rest=False)
    v.page.locator('img[alt*="simulated chest with Lung Opacity, Edema"]').wait_for(timeout=120_000)
    assert v.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
