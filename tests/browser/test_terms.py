"""Every term of the glossary is explained where it first stands in the running text of a page.

Running text is what is read in sentences: paragraphs, captions, lists. Not running text are the names and the
controls of a page, which get Streamlit's help instead, and what is drawn: see ``NOT_RUNNING``. A heading may
leave a term to the text below it; where no text has the term, the heading's help explains it. A page that
defines a term, as the Glossary does, explains it wherever it stands.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cxrbench.app.navigation import PAGES
from cxrbench.teaching.glossary import terms_of
from cxrbench.teaching.lessons import read_lessons

Visits = Callable[..., Any]

NOT_RUNNING = ", ".join(
    [
        "h1, header",  # the page's name, and that of a lesson
        "button:not(.term), a, label, summary, select, input, output",
        "[role=tab], [role=option], [role=combobox]",
        "[data-testid=stWidgetLabel], [data-testid=stMultiSelect], [data-testid=stSelectbox]",
        "table, svg, canvas, pre, code, [data-testid=stDataFrame], [data-testid=stMetric], .stPlotlyChart",
        "[data-testid=stAlert]",  # messages
        ".meaning, .stTooltipContent, .st-key-disclaimer, [aria-hidden=true]",
    ]
)
# In document order, with shadow roots: [text, whether in a heading, whether it explains its terms, defines].
TEXTS = """(notRunning) => {
  const found = [];
  const above = (element) => element.parentElement ?? element.getRootNode().host;
  const within = (element, selector) => {
    for (let each = element; each; each = above(each)) if (each.matches(selector)) return each;
    return null;
  };
  const read = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const element = node.parentElement ?? node.getRootNode().host;
      const range = document.createRange();
      range.selectNode(node);
      const { width, height } = range.getBoundingClientRect();
      const seen = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
      if (!node.data.trim() || !seen || width < 2 || height < 2 || within(element, notRunning)) return;
      const heading = within(element, "h2, h3, h4, h5, h6");
      const helped = heading?.querySelector("[data-testid=stTooltipIcon]");
      const explained = within(element, ".term, dfn") ?? helped;
      found.push([node.data, Boolean(heading), Boolean(explained), Boolean(within(element, "dfn"))]);
    } else if (!["STYLE", "SCRIPT"].includes(node.nodeName)) {
      for (const child of (node.shadowRoot ?? node).childNodes) read(child);
    }
  };
  read(document.querySelector("[data-testid=stMain]"));
  return found;
}"""


def gaps(page: Any) -> list[str]:
    """Terms that are not explained where they first stand, each with its text."""
    texts = page.evaluate(TEXTS, NOT_RUNNING)
    assert texts
    running: dict[str, tuple[bool, str]] = {}
    headings: dict[str, tuple[bool, str]] = {}
    defined: set[str] = set()
    for text, heading, explained, defines in texts:
        for term in filter(None, terms_of(text).values()):
            (headings if heading and not explained else running).setdefault(term, (explained, text))
            defined |= {term} if defines else set()
    first = headings | running
    return [f"{term}: {text}" for term, (known, text) in first.items() if not known and term not in defined]


PATHS = {name: f"/{name}" for name in PAGES} | {"start": "/", "quiz": "/quiz?quiz_films=2"}
MORE = ["/compare?presenter=1", "/glossary?search=score"]


@pytest.mark.parametrize("path", [*PATHS.values(), *MORE])
def test_each_term_is_explained_where_it_first_stands_on_a_page(visit: Visits, path: str) -> None:
    here = visit(path)
    assert gaps(here.page) == []
    for tab in here.page.get_by_role("tab").all():
        tab.click()
        here.settle()
        assert gaps(here.page) == [], tab.inner_text()


def test_a_page_explains_its_terms_again_where_a_part_of_it_is_drawn_again(visit: Visits) -> None:
    here = visit("/compare")
    for place in (1, -1):
        here.page.get_by_role("combobox", name="Radiograph").first.click()
        here.page.get_by_role("option").nth(place).click()
        here.settle()
        assert gaps(here.page) == []
        assert here.page.locator(".bench .term").count()


@pytest.mark.parametrize("lesson", [lesson.id for lesson in read_lessons()[0]])
def test_each_step_of_a_lesson_explains_its_terms(visit: Visits, lesson: str) -> None:
    here = visit(f"/learn?lesson={lesson}")
    for _ in steps(here.page):
        assert gaps(here.page) == []


def steps(page: Any) -> Iterator[None]:
    """Each step of the lesson that is open, before and after its answer."""
    count = page.locator(".learn .dot").count()
    assert count
    for step in range(1, count + 1):
        page.locator(f'.learn .dot[aria-current][aria-label^="Step {step}:"]').wait_for()
        yield
        answer = page.get_by_role("button", name="Show me the answer")
        if answer.count():
            answer.click()
            page.locator(".learn .verdict").wait_for()
            yield
        page.keyboard.press("ArrowRight")


def test_each_step_of_a_quiz_explains_its_terms(visit: Visits) -> None:
    here = visit("/quiz?quiz_films=2&quiz_wrong=50")
    page = here.page
    for step in ("absent", "with the AI", "absent", "with the AI"):
        assert gaps(page) == []
        if step == "absent":
            page.get_by_role("button", name="Absent").click()
            page.get_by_role("button", name="Answer", exact=True).click()
            page.locator('.quiz [data-do="keep"]').wait_for(timeout=60_000)
        else:
            page.locator('.quiz [data-do="keep"]').click()
            page.locator(".quiz .verdicts").wait_for()
            assert gaps(page) == []
            page.locator('.quiz [data-do="next"]').click()
    page.get_by_text("Your results").wait_for()
    assert gaps(page) == []


@pytest.mark.parametrize(("path", "term"), [("/", ".term"), ("/compare", ".bench .term")])
def test_a_meaning_opens_by_keyboard_and_by_touch_and_closes_with_escape(
    visit: Visits, path: str, term: str
) -> None:
    page = visit(path).page
    word, meaning = page.locator(term).first, page.locator(".meaning:popover-open")
    assert len(word.get_attribute("title")) > 20  # by mouse
    word.focus()
    page.keyboard.press("Enter")
    meaning.wait_for()
    assert meaning.inner_text() == word.get_attribute("title")
    page.keyboard.press("Escape")
    meaning.wait_for(state="detached")
    word.click()
    meaning.wait_for()
