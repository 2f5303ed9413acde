"""The documentation: its links lead somewhere, its examples run, and its tables are those of the code."""

import doctest
import importlib
import json
import pkgutil
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
EXAMPLES = [page for page in PAGES if ">>> " in page.read_text(encoding="utf8")]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf8"))


def anchors(page: Path) -> set[str]:
    """What a link may name after the #: headings as GitHub and the site spell them."""
    headings = re.findall(r"(?m)^#+ (.*)$", prose(page))
    return {re.sub(r"[^\w\s-]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_of_a_page_lead_to_files_and_headings_that_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name(page)} links to {target}"
        assert not anchor or anchor in anchors(file), f"{name(page)} links to {target}"


@pytest.mark.parametrize("page", EXAMPLES, ids=name)
def test_examples_of_a_page_give_what_it_says(page: Path) -> None:
    blocks = re.findall(r"(?ms)^```pycon\n(.*?)^```", page.read_text(encoding="utf8"))
    example = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, name(page), name(page), 0)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=report.append)
    assert report == [], "".join(report)
    assert example.examples


def test_the_readme_is_short_and_says_what_the_software_is_not_for() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf8")
    assert len(text.splitlines()) <= 150
    assert "For teaching and research, never for diagnosis" in text


def test_every_method_has_its_card() -> None:
    from cxrbench.explain import METHODS

    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf8")
    cards = dict(re.findall(r"(?ms)^## [^\n]*\(`(\w+)`\)\n(.*?)(?=^## )", text))
    assert list(cards) == list(METHODS)
    for key, method in METHODS.items():
        assert f"## {method.title} (`{key}`)" in text
        assert method.reference in cards[key]
        for part in ("**Shows**", "**Cannot show**", "**Cost**", "**determinism**", "**Equal to**"):
            assert part.lower() in cards[key].lower(), f"the card of {key} lacks {part}"


def test_every_criterion_has_its_card() -> None:
    from cxrbench.judge import CRITERIA

    text = (ROOT / "docs" / "judging.md").read_text(encoding="utf8")
    cards = re.findall(r"(?ms)^## [^\n(]*\((`[^\n]+`)\)\n(.*?)(?=^## |\Z)", text)
    keys = [key for heading, _ in cards for key in re.findall(r"`(\w+)`", heading)]
    assert keys == list(CRITERIA)
    card_of = {key: card for heading, card in cards for key in re.findall(r"`(\w+)`", heading)}
    for key, criterion in CRITERIA.items():
        assert "**Definition.**" in card_of[key]
        assert criterion.reference in card_of[key]
        assert criterion.caveat in card_of[key].split("**Cannot say.**")[1]
        assert f"| `{key}` | {criterion.title} |" in text, f"{key} is not in the table at a glance"


def test_every_backbone_is_listed_with_its_stages() -> None:
    from cxrbench.models import ARCHITECTURES

    text = (ROOT / "docs" / "backbones.md").read_text(encoding="utf8")
    for key, architecture in ARCHITECTURES.items():
        stages = ", ".join(f"`{stage}`" for stage in architecture.stages)
        row = rf"\| `{key}` \| {re.escape(architecture.title)} \|.*\| {re.escape(stages)} \|"
        assert re.search(rf"(?m)^{row}$", text), f"{key} and its stages are not a row of the table"


def test_every_public_package_has_a_page_in_the_reference() -> None:
    import cxrbench

    pages = "\n".join(page.read_text(encoding="utf8") for page in ROOT.glob("docs/api/*.md"))
    documented = set(re.findall(r"(?m)^::: (\S+)$", pages))
    packages = {f"cxrbench.{each.name}" for each in pkgutil.iter_modules(cxrbench.__path__) if each.ispkg}
    assert packages - {"cxrbench.app", "cxrbench.cli"} <= documented
    for module in documented:
        importlib.import_module(module)


def test_the_reference_lists_every_public_table_with_its_keys() -> None:
    text = (ROOT / "docs" / "api" / "index.md").read_text(encoding="utf8")
    rows = dict(re.findall(r"(?m)^\| `(cxrbench[\w.]+)` \|[^|]*\| (.*) \|$", text))
    surface = json.loads((ROOT / "tests" / "public_surface.json").read_text(encoding="utf8"))
    for package, names in surface.items():
        for each in filter(str.isupper, names):
            table = getattr(importlib.import_module(package), each)
            if isinstance(table, Mapping):
                keys = ", ".join(f"`{key}`" for key in table)
                assert rows.pop(f"{package}.{each}", None) == keys, f"docs/api/index.md: {package}.{each}"
    assert not rows


def test_the_version_is_the_same_wherever_it_is_stated() -> None:
    from cxrbench import __version__

    def stated(file: str, pattern: str) -> list[str]:
        return re.findall(pattern, (ROOT / file).read_text(encoding="utf8"))

    assert stated("pyproject.toml", r'(?m)^version = "(.*)"$') == [__version__]
    assert stated("CITATION.cff", r"(?m)^version: (.*)$") == [__version__]
    assert stated("CHANGELOG.md", r"(?m)^## \[(\d.*)\] - \d{4}-\d\d-\d\d$")[0] == __version__
