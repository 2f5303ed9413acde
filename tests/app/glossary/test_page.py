from pathlib import Path

from streamlit.testing.v1 import AppTest

from cxrbench.app import main
from cxrbench.teaching.glossary import GLOSSARY

MAIN = Path(main.__file__)
PAGE = MAIN.parents[2] / "pages" / "glossary.py"


def test_all_words_are_listed_and_a_search_finds_some_or_says_that_none_match() -> None:
    at = AppTest.from_file(str(MAIN), default_timeout=60)
    at.switch_page(str(PAGE)).run()
    assert not at.exception
    text = " ".join(each.value for each in at.markdown)
    assert all(f"<dfn>**{word}**</dfn> — " in text for word in GLOSSARY)
    at.text_input(key="search").input("Baseline").run()
    assert [header.value for header in at.header] == ["Heat maps"]
    at.text_input(key="search").input("xyz").run()
    assert not at.header
    assert "“xyz”" in at.info[0].value
