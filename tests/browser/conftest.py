"""A real server and a real Chromium; nothing may leave the machine, and no page may stumble."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Request, sync_playwright

from cxrbench import assets

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
SWITCHES = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--font-render-hinting=none",
]
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"][data-test-connection-state="CONNECTED"]'

# The rules of the WCAG and of good practice, and an experimental one: names that differ from what is seen.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_OPTIONS = {
    "runOnly": {"type": "tag", "values": RULES},
    "rules": {"label-content-name-mismatch": {"enabled": True}},
}
MISNAMED = """labels => labels
  .filter(label => label.control !== label.querySelector("input, select, textarea"))
  .map(label => label.outerHTML.slice(0, 200))"""

VISITS = pytest.StashKey[list["Visit"]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failure what the pages show at that moment, and the end of the server's log."""
    report = yield
    if report.when == "call" and report.failed:
        visits: list[Visit] = item.stash.get(VISITS, [])
        for number, visit in enumerate(visits, 1):
            report.sections.append((f"Page {number}", visit.state()))
        log: Path | None = getattr(item, "funcargs", {}).get("server_log")
        if log is not None:
            report.sections.append(("End of the server's log", log.read_text()[-4000:]))
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def assets_root(request: pytest.FixtureRequest) -> Path:
    """The shipped assets, or small ones where there are none yet."""
    if (assets.gallery() / "index.json").is_file():
        return assets.gallery().parent
    small: Path = request.getfixturevalue("small_assets")
    return small


@pytest.fixture(scope="session")
def runs_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's folder of training runs, empty at first."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def server_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's output goes."""
    return tmp_path_factory.mktemp("server") / "log.txt"


@pytest.fixture(scope="session")
def address(root: Path, assets_root: Path, runs_root: Path, server_log: Path) -> Iterator[str]:
    """A server on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    environment = {**os.environ, "CXRBENCH_ASSETS": str(assets_root), "PYTHONPATH": str(root)}
    environment["CXRBENCH_RUNS"] = str(runs_root)
    environment["CXRBENCH_MODELS"] = str(runs_root / "own")
    with server_log.open("w") as out:
        server = subprocess.Popen(command, cwd=root, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                break
            except OSError:
                assert server.poll() is None, server_log.read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        reason = "there is no chromium here: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


class Visit:
    """A page with what happened on it.

    Args:
        page: of the browser.
        address: of the server.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.errors: list[str] = []
        self.strayed: list[str] = []
        self.sent = 0
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._look)
        page.on("websocket", lambda socket: socket.on("framesent", self._count))

    def open(self, path: str = "/compare", *, rest: bool = True) -> "Visit":
        """Go there and wait until all is drawn, with ``rest`` also until all is computed."""
        self.page.goto(f"{self.address}{path}")
        self.page.wait_for_selector(IDLE, timeout=60_000)
        if rest:
            self.settle()
        return self

    def settle(self) -> None:
        """Wait until no run is under way, nothing is stale, and the work of the page is done."""
        quiet = (
            "() => document.querySelector(`" + IDLE + "`)"
            " && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"
            # Streamlit may keep a button that is gone, hidden.
            " && !document.querySelector('.st-key-stop')?.checkVisibility()"
            " && !document.querySelector('[data-testid=stSpinner]')"
        )
        since = 0
        for _ in range(600):
            since = since + 1 if self.page.evaluate(quiet) else 0
            if since == 6:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("the page did not come to rest in a minute")

    def shows(self, words: str) -> bool:
        """Whether a text is in sight, wherever terms in it are buttons that open their meaning.

        Args:
            words: a regular expression.
        """
        # The canvas has a shadow root, whose text is not part of its page's.
        return any(re.search(words, part.inner_text()) for part in self.page.locator("body, .bench").all())

    def wait_for_words(self, words: str) -> None:
        """Wait until ``shows`` is true, at most half a minute."""
        for _ in range(300):
            if self.shows(words):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"the page does not say {words!r}")

    def state(self) -> str:
        """Address, state of the connection and visible text: what to know of a wait that timed out."""
        try:
            app = self.page.locator('[data-testid="stApp"]').first
            names = ("data-test-script-state", "data-test-connection-state")
            states = [f"{name}: {app.get_attribute(name, timeout=1000)}" for name in names]
            # The canvas has a shadow root, whose text is not part of its page's.
            texts = [part.inner_text() for part in self.page.locator("body, .bench").all()]
        except Error as error:  # the page is closed, or has crashed
            return str(error)
        return "\n".join([self.page.url, *states, f"messages sent: {self.sent}", *self.errors, *texts])

    def draw_count(self) -> int:
        """How often the canvas has drawn."""
        return int(self.page.locator(".bench").get_attribute("data-drawn") or 0)

    def prints(self) -> list[str]:
        """What each picture shows, as data URLs."""
        script = "canvases => canvases.map(canvas => canvas.toDataURL())"
        found: list[str] = self.page.locator("canvas.base").evaluate_all(script)
        return found

    def darken(self, *, dark: bool = True) -> None:
        """Ask for the dark theme, or for the light one again, as a reader's system does."""
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        # The lightness of the page's background, which Streamlit changes some time later.
        ground = "getComputedStyle(document.querySelector(`.stApp`)).backgroundColor"
        light = f"Number({ground}.match(/\\d+/)[0]) > 127"
        self.page.wait_for_function(f"() => ({light}) !== {str(dark).lower()}")
        self.settle()

    def violations(self) -> str:
        """What axe finds as the page stands; nothing is passed over, for plain Streamlit has no violation."""
        axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
        found = axe.Axe().run(self.page, options=AXE_OPTIONS).response["violations"]
        reported = {one["id"]: [node["html"][:200] for node in one["nodes"]] for one in found}
        # axe takes any text in a label for the name of what the label holds; browsers name its first control.
        if misnamed := self.page.locator("label:has(input, select, textarea)").evaluate_all(MISNAMED):
            reported["label-names-another-element"] = misnamed
        return json.dumps(reported, indent=1)

    def upload(self, path: Path) -> None:
        """Open a file as one's own image."""
        if not self.page.locator("input[type=file]").count():
            self.page.get_by_role("button", name="Your own image").click()
        self.page.locator("input[type=file]").set_input_files(path)

    def choose(self, label: str, option: str) -> None:
        """Pick an option of a select box by what it says."""
        self.page.get_by_role("combobox", name=label).first.click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def _look(self, request: Request) -> None:
        local = (self.address, "data:", "blob:", self.address.replace("http", "ws"))
        if not request.url.startswith(local):
            self.strayed.append(request.url)

    def _count(self, *_: object) -> None:
        self.sent += 1


@pytest.fixture
def offline(chromium: Browser, tmp_path: Path) -> Iterator[Visit]:
    """A page of a browser without a network, for files in ``tmp_path``; it may ask for nothing else."""
    context = chromium.new_context(offline=True)
    visit = Visit(context.new_page(), tmp_path.as_uri())
    yield visit
    assert visit.errors == []
    assert visit.strayed == []
    context.close()


@pytest.fixture
def visit(chromium: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., Visit]]:
    """Open a page in a fresh browser profile; at the end, hold it to what no page may do."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []
    request.node.stash[VISITS] = visits

    def begin(
        path: str = "/compare",
        *,
        width: int = 1440,
        height: int = 900,
        rest: bool = True,
        before: Callable[[Page], object] = lambda page: None,
    ) -> Visit:
        context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        contexts.append(context)
        visits.append(Visit(context.new_page(), address))
        before(visits[-1].page)
        return visits[-1].open(path, rest=rest)

    yield begin
    for one in visits:
        assert one.errors == []
        assert one.strayed == []
    for context in contexts:
        context.close()
