"""Presenter view: a switch that is in the address, and what it leaves out."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.app.navigation import page_file
from cxrbench.app.widgets.presenter import PRESENTED

MAIN = Path(main.__file__)
PAGES = MAIN.parents[2] / "pages"


def opened(name: str) -> AppTest:
    return AppTest.from_file(str(MAIN), default_timeout=60).switch_page(str(PAGES / f"{name}.py"))


@pytest.fixture
def compare(small_assets: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    return opened("compare")


def styles(at: AppTest) -> str:
    return " ".join(element.proto.body for element in at.get("html"))


def test_the_address_opens_the_view_and_the_switch_ends_it(compare: AppTest) -> None:
    compare.query_params["presenter"] = "1"
    at = compare.run()
    assert not at.exception
    assert at.toggle(key="presenter_switch").value
    assert "Presenter view" in styles(at)
    assert at.query_params["presenter"] == "1"  # Compare writes the address anew, and leaves it there
    at.toggle(key="presenter_switch").set_value(False).run()
    assert "Presenter view" not in styles(at)
    assert "presenter" not in at.query_params


def test_the_view_stays_on_while_one_goes_to_another_page_and_back(compare: AppTest) -> None:
    at = compare.run()
    assert not at.toggle(key="presenter_switch").value
    at.toggle(key="presenter_switch").set_value(True).run()
    at.switch_page(str(page_file("glossary"))).run()
    assert not at.toggle
    at.switch_page(str(page_file("learn"))).run()
    assert at.toggle(key="presenter_switch").value
    assert at.query_params["presenter"] == "1"


@pytest.mark.parametrize("name", PRESENTED)
def test_a_page_in_presenter_view_draws(
    name: str, small_assets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRBENCH_ASSETS", str(small_assets))
    at = opened(name)
    at.query_params["presenter"] = "1"
    assert not at.run().exception
    assert "Presenter view" in styles(at)
