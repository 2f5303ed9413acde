"""Pages of the site lie where they lie in the repository: README.md, docs/methods.md, assets/screenshots/…"""

from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
PATTERNS = ("*.md", "docs/**/*.md", "LICENSE", "CITATION.cff", "assets/screenshots/*")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the repository's pages, and what they show, under their own paths."""
    for path in pages():
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def pages() -> Iterator[Path]:
    """The files that the site is made of, in a fixed order."""
    for pattern in PATTERNS:
        yield from sorted(ROOT.glob(pattern))
