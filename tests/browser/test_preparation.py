"""The Preparation page in a real browser."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_steps_and_augmentations_need_no_horizontal_scrolling(
    visit: Callable[..., Any], width: int, height: int
) -> None:
    here = visit("/preparation", width=width, height=height)
    for title in ("1 · Decode", "6 · Back on the radiograph"):
        here.page.get_by_text(title).first.wait_for()
    assert here.page.locator("[data-testid=stImage] img").count() == 6
    assert not here.page.evaluate("document.documentElement.scrollWidth > innerWidth")
    here.page.get_by_role("tab", name="Augmentation").click()
    here.page.get_by_text("Left–right flip").first.wait_for()
    here.settle()
    pictures = here.page.locator("[data-testid=stImage] img")
    assert pictures.count() >= 10
    assert all(pictures.nth(index).get_attribute("alt") for index in range(pictures.count()))
    assert not here.page.evaluate("document.documentElement.scrollWidth > innerWidth")
